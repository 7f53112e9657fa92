//! What differs between two lists of packages.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use nevra::Nevra;
use repo_api::{PackageDifference, VersionStep};

type Lists = BTreeMap<(String, String), BTreeSet<Nevra>>;

/// Compares two lists, package by package in the order of their names and architectures; those that are the same are left
/// out.
pub(crate) fn differences(
    from: impl Iterator<Item = Nevra>,
    to: impl Iterator<Item = Nevra>,
) -> Vec<PackageDifference> {
    let (from, to) = (by_package(from), by_package(to));
    let none = BTreeSet::new();
    let packages: BTreeSet<_> = from.keys().chain(to.keys()).collect();
    packages
        .into_iter()
        .filter_map(|package| {
            let (before, after) = (from.get(package).unwrap_or(&none), to.get(package).unwrap_or(&none));
            (before != after).then(|| PackageDifference {
                name: package.0.clone(),
                arch: package.1.clone(),
                step: step(newest(before), newest(after)),
                before: newest(before).cloned(),
                after: newest(after).cloned(),
                gone: before.difference(after).cloned().collect(),
                come: after.difference(before).cloned().collect(),
            })
        })
        .collect()
}

fn by_package(list: impl Iterator<Item = Nevra>) -> Lists {
    let mut lists = Lists::new();
    for nevra in list {
        let package = (nevra.name.to_string(), nevra.arch.to_string());
        lists.entry(package).or_default().insert(nevra);
    }
    lists
}

fn newest(versions: &BTreeSet<Nevra>) -> Option<&Nevra> {
    versions.iter().max_by(|left, right| left.evr.compare(&right.evr))
}

fn step(before: Option<&Nevra>, after: Option<&Nevra>) -> VersionStep {
    match (before, after) {
        (Some(before), Some(after)) => match before.evr.compare(&after.evr) {
            Ordering::Less => VersionStep::Up,
            Ordering::Greater => VersionStep::Down,
            Ordering::Equal => VersionStep::Same,
        },
        (None, _) => VersionStep::Added,
        (Some(_), None) => VersionStep::Removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step() {
        let list = |text: &'static str| text.split_whitespace().map(|nevra| nevra.parse::<Nevra>().unwrap());
        let from =
            list("up-1.9-1.noarch down-2-1.noarch gone-1-1.noarch old-1-1.noarch old-2-1.noarch same-1-1.noarch");
        let to = list("up-1.10-1.noarch down-1-1.noarch new-1-1.noarch new-1-1.src old-2-1.noarch same-1-1.noarch");
        let found = differences(from, to);
        let lines: Vec<String> = found
            .iter()
            .map(|one| format!("{}.{} {:?} -{} +{}", one.name, one.arch, one.step, one.gone.len(), one.come.len()))
            .collect();
        assert_eq!(
            lines,
            [
                "down.noarch Down -1 +1",
                "gone.noarch Removed -1 +0",
                "new.noarch Added -0 +1",
                "new.src Added -0 +1",
                "old.noarch Same -1 +0",
                "up.noarch Up -1 +1"
            ]
        );
    }
}
