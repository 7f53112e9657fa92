//! Dependencies that come, go and change.

use std::collections::{BTreeMap, BTreeSet};

use rpm_header::{Dependency, PackageHeader};
use serde::Serialize;

/// A dependency that differs. All of one name are taken together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DependencyChange {
    /// `requires`, `provides`, `conflicts`, `obsoletes`, `recommends`, `suggests`, `supplements` or `enhances`.
    pub kind: &'static str,
    /// In the old package, such as `java-headless >= 11`; empty where it is new.
    pub before: Vec<String>,
    /// In the new package; empty where it is gone.
    pub after: Vec<String>,
}

pub(super) fn between(old: &PackageHeader, new: &PackageHeader) -> Vec<DependencyChange> {
    let mut changes = Vec::new();
    for ((kind, before), (_, after)) in kinds(old).into_iter().zip(kinds(new)) {
        let (before, after) = (by_name(before, old), by_name(after, new));
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in names {
            let texts = |side: &BTreeMap<&str, BTreeSet<String>>| -> Vec<String> {
                side.get(name).into_iter().flatten().cloned().collect()
            };
            let (before, after) = (texts(&before), texts(&after));
            if before != after {
                changes.push(DependencyChange { kind, before, after });
            }
        }
    }
    changes
}

fn kinds(header: &PackageHeader) -> [(&'static str, &[Dependency]); 8] {
    [
        ("requires", &header.requires),
        ("provides", &header.provides),
        ("conflicts", &header.conflicts),
        ("obsoletes", &header.obsoletes),
        ("recommends", &header.recommends),
        ("suggests", &header.suggests),
        ("supplements", &header.supplements),
        ("enhances", &header.enhances),
    ]
}

/// Without features of rpm, what is bundled, and what follows the version by itself.
fn by_name<'a>(dependencies: &'a [Dependency], of: &PackageHeader) -> BTreeMap<&'a str, BTreeSet<String>> {
    let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let package = of.nevra.name.as_str();
    let version = of.nevra.evr.to_string();
    for one in dependencies {
        let name = one.name.as_str();
        let is_own =
            name == package || name.strip_prefix("config(").and_then(|rest| rest.strip_suffix(')')) == Some(package);
        let follows = is_own && one.version == version;
        if !name.starts_with("rpmlib(") && !name.starts_with("bundled(") && !follows {
            names.entry(name).or_default().insert(one.to_string());
        }
    }
    names
}
