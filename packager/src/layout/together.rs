//! Whether packages can be installed side by side.

use std::collections::HashMap;

use super::environment_choice::is_in_the_way;
use super::{Entry, EntryKind, LayoutError, PackageLayout};

/// Refuses packages of which one requires the other, and which would both install a file or link at one path: rpm would
/// refuse them on the host.
pub(crate) fn check_together(layouts: &[&PackageLayout]) -> Result<(), LayoutError> {
    for first in layouts {
        for second in layouts.iter().filter(|second| requires(first, second)) {
            check_pair(first, second)?;
        }
    }
    Ok(())
}

fn requires(first: &PackageLayout, second: &PackageLayout) -> bool {
    let name = second.about.nevra.name.as_str();
    let gives =
        |needed: &str| needed == name || second.dependencies.provides.iter().any(|provided| provided.name == needed);
    first.about.nevra != second.about.nevra && first.dependencies.requires.iter().any(|needed| gives(&needed.name))
}

fn check_pair(first: &PackageLayout, second: &PackageLayout) -> Result<(), LayoutError> {
    let is_directory = |entry: &Entry| matches!(entry.kind, EntryKind::Directory | EntryKind::GhostDirectory);
    let of_first: HashMap<&str, &Entry> = first.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let shared = second.entries.iter().find(|entry| {
        let other = of_first.get(entry.path.as_str());
        other.is_some_and(|other| !(is_directory(entry) && is_directory(other)))
            && !is_in_the_way(first.about.nevra.name.as_str(), &entry.path)
    });
    match shared {
        None => Ok(()),
        Some(entry) => Err(LayoutError::Shared {
            path: entry.path.clone(),
            first: first.about.nevra.name.to_string(),
            second: second.about.nevra.name.to_string(),
        }),
    }
}
