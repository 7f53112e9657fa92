//! Bundled components, by what a package provides as `bundled(…) = version`.

use std::collections::{BTreeMap, BTreeSet};

use rpm_header::PackageHeader;
use serde::Serialize;

/// A component that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JarChange {
    /// What stands in `bundled(…)`, without `maven:` or `jar:`: `group:artifact`, or a name alone.
    pub component: String,
    /// Its versions in the old package; empty where it is new.
    pub before: Vec<String>,
    /// Its versions in the new package; empty where it is gone.
    pub after: Vec<String>,
    /// Whether the version is the same and the jar is not; known where both packages are files.
    pub other_bytes: bool,
}

pub(super) fn between(old: &PackageHeader, new: &PackageHeader) -> Vec<JarChange> {
    let (before, after) = (bundled(old), bundled(new));
    let components: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let change = |component: &str| {
        let versions = |side: &BTreeMap<&str, BTreeSet<&str>>| -> Vec<String> {
            side.get(component).into_iter().flatten().map(|version| (*version).to_owned()).collect()
        };
        let (before, after) = (versions(&before), versions(&after));
        JarChange { component: component.to_owned(), before, after, other_bytes: false }
    };
    components.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

fn bundled(header: &PackageHeader) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut components: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for provided in &header.provides {
        let inner = provided.name.strip_prefix("bundled(").and_then(|rest| rest.strip_suffix(')'));
        if let Some(inner) = inner {
            let component = ["maven:", "jar:"].iter().find_map(|kind| inner.strip_prefix(kind)).unwrap_or(inner);
            components.entry(component).or_default().insert(&provided.version);
        }
    }
    components
}
