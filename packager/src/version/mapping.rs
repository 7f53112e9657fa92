//! From versions as Maven, Gradle, git and people write them to versions whose order in rpm is the order of the releases.

use chrono::DateTime;

use crate::{SourceDate, Target};

/// A version for rpm: what comes before `^`, and what comes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedVersion {
    base: String,
    since: Option<String>,
}

impl MappedVersion {
    /// Maps a version. One that holds `~` or `^` is written for rpm already and stays as it is; what it may not hold is
    /// refused where it becomes an [`nevra::Evr`].
    ///
    /// `time` stands in for what `SNAPSHOT` leaves open. The order is Maven's (`ComparableVersion`), except that a
    /// snapshot sorts before `alpha`, not after `rc`: whoever has a release candidate is past the snapshots.
    #[must_use]
    pub fn map(text: &str, time: SourceDate) -> Self {
        Self::map_stamped(text, &format!(".{}", utc(time)))
    }

    /// Maps the version of a library: a snapshot's time is not known. Characters that rpm takes in no version become `_`.
    pub(crate) fn of_library(text: &str, target: Target) -> String {
        let mapped = Self::map_stamped(text, "");
        let version = format!("{}{}", mapped.version(target), mapped.release_suffix(target));
        let fits = |c: char| c.is_ascii_alphanumeric() || "._+~^".contains(c);
        version.chars().map(|c| if fits(c) { c } else { '_' }).collect()
    }

    fn map_stamped(text: &str, stamp_of_now: &str) -> Self {
        let text = without_v(text.trim());
        if text.contains(['~', '^']) {
            return match text.split_once('^') {
                Some((base, since)) => Self { base: base.to_owned(), since: Some(since.to_owned()) },
                None => Self { base: text.to_owned(), since: None },
            };
        }
        let (text, since) = take_described(text);
        let (text, stamp) = take_stamped_snapshot(text);
        let tokens = tokens(&text);
        let stamp = stamp.map_or_else(|| stamp_of_now.to_owned(), |stamp| format!(".{stamp}"));
        let mut mapped = Mapping { stamp, ..Mapping::default() };
        mapped.is_snapshot = tokens.iter().any(|token| token.text.eq_ignore_ascii_case("snapshot"));
        for (index, token) in tokens.iter().enumerate() {
            mapped.push(token, tokens.get(index + 1));
        }
        match mapped.out.split_once('^') {
            Some((base, after)) => {
                let since = std::iter::once(after.to_owned()).chain(since).collect::<Vec<_>>().join("^");
                Self { base: base.to_owned(), since: Some(since) }
            }
            None => Self { base: mapped.out, since },
        }
    }

    /// The version for a target.
    #[must_use]
    pub fn version(&self, target: Target) -> String {
        match &self.since {
            Some(since) if knows_caret(target) => format!("{}^{since}", self.base),
            _ => self.base.clone(),
        }
    }

    /// What has to be appended to the release for a target that knows no `^`, such as `.9.gabc1234`: there the build's
    /// number decides the order.
    #[must_use]
    pub fn release_suffix(&self, target: Target) -> String {
        match &self.since {
            Some(since) if !knows_caret(target) => format!(".{}", since.replace(['^', '~'], ".")),
            _ => String::new(),
        }
    }

    /// Makes it a prerelease, such as `rc1`; none where it is one already.
    #[must_use]
    pub fn with_prerelease(self, prerelease: &str) -> Option<Self> {
        if self.is_prerelease() {
            return None;
        }
        let mapped = Self::map_stamped(&format!("0-{prerelease}"), "").base;
        let mapped = mapped.strip_prefix("0~").unwrap_or(prerelease);
        Some(Self { base: format!("{}~{mapped}", self.base), since: self.since })
    }

    /// Tells whether it sorts before the version that it is named after.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        self.base.contains('~')
    }
}

/// rpm 4.11 knows no `^`; 4.14 of EL 8 does, by a backport.
fn knows_caret(target: Target) -> bool {
    target > Target::El7
}

/// A run of digits or of letters, and what separates it from the run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token<'a> {
    separator: Option<char>,
    text: &'a str,
}

impl Token<'_> {
    fn is_number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let separator = rest.chars().next().filter(|c| !c.is_ascii_alphanumeric());
        rest = separator.map_or(rest, |separator| &rest[separator.len_utf8()..]);
        let numeric = rest.starts_with(|c: char| c.is_ascii_digit());
        let belongs = |c: char| c.is_ascii_alphanumeric() && c.is_ascii_digit() == numeric;
        let (run, after) = rest.split_at(rest.find(|c| !belongs(c)).unwrap_or(rest.len()));
        tokens.push(Token { separator, text: run });
        rest = after;
    }
    tokens
}

#[derive(Debug, Default)]
struct Mapping {
    out: String,
    /// What replaces the openness of `SNAPSHOT`.
    stamp: String,
    is_snapshot: bool,
    /// Whether the run before was a qualifier, to which a number belongs.
    after_qualifier: bool,
}

impl Mapping {
    fn push(&mut self, token: &Token<'_>, next: Option<&Token<'_>>) {
        let after_qualifier = std::mem::take(&mut self.after_qualifier);
        if token.is_number() {
            match token.separator {
                _ if after_qualifier => {}
                Some('-') if self.is_snapshot => self.out.push('.'),
                Some('-') => self.out.push('^'),
                separator => self.out.extend(separator),
            }
            self.out.push_str(token.text);
        } else if token.text.eq_ignore_ascii_case("snapshot") {
            self.out.push_str("~SNAPSHOT");
            self.out.push_str(&self.stamp);
        } else if let Some(qualifier) = prerelease(token, next) {
            self.out.push('~');
            self.out.push_str(qualifier);
            self.after_qualifier = true;
        } else if !self.out.is_empty() && is_release(token.text) {
            // The release itself: Maven takes `1.1.Final` and `1.1` for the same.
        } else {
            match token.separator {
                Some('-') if self.is_snapshot => self.out.push('~'),
                Some('-') => self.out.push('.'),
                separator => self.out.extend(separator),
            }
            // Maven takes no notice of case, rpm does.
            self.out.push_str(if token.text.eq_ignore_ascii_case("sp") { "sp" } else { token.text });
        }
    }
}

/// Reads a qualifier of a version that comes before the release; the names given sort as they follow each other.
fn prerelease(token: &Token<'_>, next: Option<&Token<'_>>) -> Option<&'static str> {
    let numbered = next.is_some_and(Token::is_number);
    let directly = numbered && next.is_some_and(|next| next.separator.is_none());
    match token.text.to_ascii_lowercase().as_str() {
        "alpha" => Some("alpha"),
        "a" if directly => Some("alpha"),
        "beta" => Some("beta"),
        "b" if directly => Some("beta"),
        "dev" => Some("dev"),
        "ea" => Some("ea"),
        "milestone" => Some("m"),
        "m" if numbered => Some("m"),
        "pre" | "preview" => Some("pre"),
        "rc" | "cr" => Some("rc"),
        _ => None,
    }
}

fn is_release(text: &str) -> bool {
    ["final", "ga", "release"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Takes the `v` off `v1.1`.
fn without_v(text: &str) -> &str {
    let rest = text.strip_prefix(['v', 'V']).unwrap_or(text);
    if rest.starts_with(|c: char| c.is_ascii_digit()) { rest } else { text }
}

/// Takes what `git describe` appends off a version: `1.1-9-gabc1234` is 9 commits after 1.1, at the commit abc1234.
fn take_described(text: &str) -> (&str, Option<String>) {
    let (clean, dirty) = match text.strip_suffix("-dirty") {
        Some(clean) => (clean, true),
        None => (text, false),
    };
    let described = clean.rsplit_once("-g").and_then(|(rest, commit)| {
        let (version, count) = rest.rsplit_once('-')?;
        let is_commit = commit.len() >= 4 && commit.bytes().all(|b| b.is_ascii_hexdigit());
        (is_commit && is_digits(count)).then_some((version, count, commit))
    });
    let dirty_suffix = if dirty { ".dirty" } else { "" };
    match described {
        Some((version, count, _)) if count.bytes().all(|b| b == b'0') => (version, dirty.then(|| "dirty".to_owned())),
        Some((version, count, commit)) => (version, Some(format!("{count}.g{commit}{dirty_suffix}"))),
        None => (clean, dirty.then(|| "dirty".to_owned())),
    }
}

/// Gives a snapshot that Maven deployed its name back: `1.1-20260102.030405-7` is `1.1-SNAPSHOT`, of that time.
fn take_stamped_snapshot(text: &str) -> (String, Option<String>) {
    let stamped = text.rsplit_once('-').and_then(|(rest, number)| {
        let (version, stamp) = rest.rsplit_once('-')?;
        let (date, time) = stamp.split_once('.')?;
        let fits = date.len() == 8 && time.len() == 6 && [date, time, number].into_iter().all(is_digits);
        fits.then(|| (format!("{version}-SNAPSHOT"), format!("{date}{time}.{number}")))
    });
    match stamped {
        Some((text, stamp)) => (text, Some(stamp)),
        None => (text.to_owned(), None),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn utc(time: SourceDate) -> String {
    let time = DateTime::from_timestamp(i64::from(time.seconds()), 0).unwrap_or_default();
    time.format("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use nevra::rpmvercmp;

    use super::*;

    fn time() -> SourceDate {
        SourceDate::from_seconds(1_700_000_000).unwrap()
    }

    fn map(text: &str) -> String {
        MappedVersion::map(text, time()).version(Target::El9)
    }

    #[test]
    fn maps() {
        for (text, expected) in [
            ("1.4.0", "1.4.0"),
            (" v1.4.0 ", "1.4.0"),
            ("1.1-SNAPSHOT", "1.1~SNAPSHOT.20231114221320"),
            ("1.1.BUILD-SNAPSHOT", "1.1.BUILD~SNAPSHOT.20231114221320"),
            ("1.1-20260102.030405-7", "1.1~SNAPSHOT.20260102030405.7"),
            ("1.1-rc1-SNAPSHOT", "1.1~rc1~SNAPSHOT.20231114221320"),
            ("1.1-feature-x-SNAPSHOT", "1.1~feature~x~SNAPSHOT.20231114221320"),
            ("1.1-rc1", "1.1~rc1"),
            ("1.1-RC.1", "1.1~rc1"),
            ("1.1.CR2", "1.1~rc2"),
            ("1.1RC1", "1.1~rc1"),
            ("1.1-M2", "1.1~m2"),
            ("1.1-milestone-2", "1.1~m2"),
            ("1.1-alpha", "1.1~alpha"),
            ("1.1-beta-2", "1.1~beta2"),
            ("1.1a2", "1.1~alpha2"),
            ("1.1-b14", "1.1~beta14"),
            ("1.0.2k", "1.0.2k"),
            ("1.1.Final", "1.1"),
            ("1.1.RELEASE", "1.1"),
            ("1.1-GA", "1.1"),
            ("1.1-sp1", "1.1.sp1"),
            ("1.1.SP1", "1.1.sp1"),
            ("33.0-jre", "33.0.jre"),
            ("1.1-2", "1.1^2"),
            ("1.1+build.5", "1.1+build.5"),
            ("1.1-9-gabc1234", "1.1^9.gabc1234"),
            ("v1.1-9-gabc1234-dirty", "1.1^9.gabc1234.dirty"),
            ("v1.1-0-gabc1234", "1.1"),
            ("1.1-rc1-9-gabc1234", "1.1~rc1^9.gabc1234"),
            ("1.1.Final-9-gabc1234", "1.1^9.gabc1234"),
            ("1.1~rc1", "1.1~rc1"),
            ("1.1^20260101.gabc", "1.1^20260101.gabc"),
            ("20260101", "20260101"),
            ("release", "release"),
            ("", ""),
        ] {
            assert_eq!(map(text), expected, "{text}");
        }
    }

    #[test]
    fn versions_of_libraries() {
        for (text, expected) in [
            ("33.0.0-jre", "33.0.0.jre"),
            ("2.0-SNAPSHOT", "2.0~SNAPSHOT"),
            ("5.6.15.Final", "5.6.15"),
            ("1.0-9(x)", "1.0^9_x_"),
        ] {
            assert_eq!(MappedVersion::of_library(text, Target::El9), expected);
        }
        assert_eq!(MappedVersion::of_library("1.0-9", Target::El7), "1.0.9");
    }

    #[test]
    fn without_a_caret_the_release_says_it() {
        for (text, version, suffix) in
            [("1.1-9-gabc1234", "1.1", ".9.gabc1234"), ("1.1~rc1^2^3", "1.1~rc1", ".2.3"), ("1.1-rc1", "1.1~rc1", "")]
        {
            let mapped = MappedVersion::map(text, time());
            assert_eq!(
                (mapped.version(Target::El7).as_str(), mapped.release_suffix(Target::El7).as_str()),
                (version, suffix)
            );
            assert_eq!(mapped.release_suffix(Target::El8), "");
        }
    }

    /// In the order of the releases, which is Maven's but for the snapshots.
    #[test]
    fn rpm_orders_them_as_they_were_released() {
        let rows = [
            &["1.0.9", "1.0.9.Final"][..],
            &["1.1-20260101.000000-1"],
            &["1.1-20260101.000000-2"],
            &["1.1-20260101.000001-1"],
            &["1.1-alpha"],
            &["1.1-alpha-1", "1.1-alpha1", "1.1a1", "1.1.Alpha1"],
            &["1.1-alpha-2"],
            &["1.1-beta1-SNAPSHOT"],
            &["1.1-beta1", "1.1.Beta1", "1.1b1"],
            &["1.1-beta1-2-gabc1234"],
            &["1.1-beta2"],
            &["1.1-beta10"],
            &["1.1-M1", "1.1.M1", "1.1-milestone-1"],
            &["1.1-M2"],
            &["1.1-RC1", "1.1.CR1", "1.1-rc.1"],
            &["1.1-RC2"],
            &["1.1", "1.1.Final", "1.1.GA", "1.1-RELEASE", "v1.1"],
            &["1.1-1"],
            &["1.1-9-g000abc"],
            &["1.1-10-gfffabc"],
            &["1.1-sp1", "1.1.sp1"],
            &["1.1.1-SNAPSHOT"],
            &["1.1.1"],
            &["1.2-SNAPSHOT"],
            &["1.2"],
            &["1.10"],
            &["2.0-M1"],
            &["2.0"],
        ];
        for (index, row) in rows.iter().enumerate() {
            for left in *row {
                for right in *row {
                    assert_eq!(rpmvercmp(&map(left), &map(right)), Ordering::Equal, "{left} and {right}");
                }
                for right in rows[index + 1..].iter().copied().flatten() {
                    assert_eq!(rpmvercmp(&map(left), &map(right)), Ordering::Less, "{left} before {right}");
                }
            }
        }
    }

    #[test]
    fn a_mapped_version_maps_to_itself() {
        for text in ["1.1-SNAPSHOT", "1.1.CR2", "1.1-9-gabc1234", "33.0-jre", "1.1-sp1", "1.0.2k"] {
            assert_eq!(map(&map(text)), map(text), "{text}");
        }
    }
}
