//! Which versions a channel's retention keeps.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use nevra::Nevra;
use repo_api::Retention;

/// A package that a channel lists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) nevra: &'a Nevra,
    /// Since when the channel lists it.
    pub(crate) at: DateTime<Utc>,
}

/// What retention says of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// What is to be withdrawn, in the order of names and versions.
    pub go: Vec<Nevra>,
    /// What stays although the rules would let it go, and what holds it.
    pub held: Vec<(Nevra, Vec<String>)>,
}

/// Judges what a channel lists. A version goes when no rule keeps it: it is not the newest of its package (by name and
/// architecture), not among the newest `keep_last`, not younger than `keep_days`, and `holders` names nobody.
pub(crate) fn judge<'a>(
    listed: impl Iterator<Item = Candidate<'a>>,
    rules: &Retention,
    now: DateTime<Utc>,
    holders: impl Fn(&Nevra) -> Vec<String>,
) -> Verdict {
    let mut verdict = Verdict::default();
    if rules.keeps_all() {
        return verdict;
    }
    let mut packages: BTreeMap<(&str, &str), Vec<Candidate<'_>>> = BTreeMap::new();
    for candidate in listed {
        let package = (candidate.nevra.name.as_str(), candidate.nevra.arch.as_str());
        packages.entry(package).or_default().push(candidate);
    }
    let last = rules.keep_last.map_or(1, |count| usize::try_from(count).unwrap_or(usize::MAX).max(1));
    let before = |days: u32| now.checked_sub_signed(TimeDelta::days(i64::from(days)));
    let since = rules.keep_days.map(|days| before(days).unwrap_or(DateTime::<Utc>::MIN_UTC));
    for versions in packages.values_mut() {
        versions.sort_by(|left, right| right.nevra.evr.compare(&left.nevra.evr));
        for old in versions.iter().skip(last).filter(|version| since.is_none_or(|since| version.at < since)) {
            match holders(old.nevra) {
                by if by.is_empty() => verdict.go.push(old.nevra.clone()),
                by => verdict.held.push((old.nevra.clone(), by)),
            }
        }
    }
    verdict.go.sort_unstable();
    verdict.held.sort_unstable();
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions of one package, by the number of days that they have been listed.
    const LISTED: [(&str, i64); 6] = [
        ("app-1.9-1.noarch", 50),
        ("app-1.10-1.noarch", 40),
        ("app-2:1.0-1.noarch", 30),
        ("app-2:1.1-1.noarch", 1),
        ("app-1.0-1.x86_64", 90),
        ("tool-1-1.noarch", 90),
    ];

    fn judged(rules: &Retention, held: &str) -> (String, String) {
        let now = Utc::now();
        let listed: Vec<(Nevra, i64)> = LISTED.iter().map(|(nevra, days)| (nevra.parse().unwrap(), *days)).collect();
        let candidates = listed
            .iter()
            .map(|(nevra, days)| Candidate { nevra, at: now - TimeDelta::days(*days) - TimeDelta::hours(1) });
        let holders = |nevra: &Nevra| if nevra.evr.version() == held { vec!["tag june".to_owned()] } else { vec![] };
        let verdict = judge(candidates, rules, now, holders);
        let go: Vec<String> = verdict.go.iter().map(|nevra| nevra.evr.version().to_owned()).collect();
        let held: Vec<String> = verdict.held.iter().map(|(nevra, _)| nevra.evr.version().to_owned()).collect();
        (go.join(" "), held.join(" "))
    }

    #[test]
    fn each_rule_keeps() {
        for (keep_last, keep_days, held, go, stay) in [
            (None, None, "", "", ""),
            (Some(1), None, "", "1.9 1.10 1.0", ""),
            (Some(3), None, "", "1.9", ""),
            (Some(9), None, "", "", ""),
            (None, Some(45), "", "1.9", ""),
            (None, Some(0), "", "1.9 1.10 1.0", ""),
            (Some(2), Some(45), "", "1.9", ""),
            (Some(2), Some(45), "1.9", "", "1.9"),
            (Some(1), Some(35), "1.10", "1.9", "1.10"),
            (Some(1), Some(u32::MAX), "", "", ""),
        ] {
            let rules = Retention { keep_last, keep_days };
            assert_eq!(judged(&rules, held), (go.to_owned(), stay.to_owned()), "{rules:?} {held}");
        }
    }
}
