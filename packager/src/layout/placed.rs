//! Entries with what they stem from, and how they come together.

use std::collections::BTreeMap;

use super::{Entry, EntryKind, LayoutError};
use crate::known_directories::is_system;
use crate::spec::Location;

/// An entry and what it stems from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) entry: Entry,
    /// Where the spec asks for it; none for what the profile adds.
    pub(crate) origin: Option<Location>,
    pub(crate) standing: Standing,
}

/// Whether an entry was asked for by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was.
    Named,
    /// It is there because of what lies in it; one that was asked for takes its place.
    Implied,
}

/// Brings entries together, sorted by path, each path once. What merely lies in a directory of the system's claims none of
/// it.
pub(super) fn merge(placed: Vec<Placed>) -> Result<Vec<Entry>, LayoutError> {
    let mut merged: BTreeMap<String, Placed> = BTreeMap::new();
    for new in placed {
        if new.standing == Standing::Implied && is_system(&new.entry.path) {
            continue;
        }
        let old = merged.remove(&new.entry.path);
        let kept = match old {
            None => new,
            Some(old) => one_of(old, new)?,
        };
        merged.insert(kept.entry.path.clone(), kept);
    }
    check_parents(&merged)?;
    Ok(merged.into_values().map(|placed| placed.entry).collect())
}

/// Keeps the directory that was asked for, or either of two that are the same.
fn one_of(old: Placed, new: Placed) -> Result<Placed, LayoutError> {
    let directories = old.entry.kind == EntryKind::Directory && new.entry.kind == EntryKind::Directory;
    match (old.standing, new.standing) {
        (Standing::Named, Standing::Implied) if directories => Ok(old),
        (Standing::Implied, Standing::Named) if directories => Ok(new),
        _ if directories && old.entry == new.entry => Ok(old),
        _ => Err(LayoutError::Duplicate { path: new.entry.path, first: from(&old.origin), second: from(&new.origin) }),
    }
}

/// Nothing can be installed below a file or a link: rpm would follow the link out, or fail halfway.
fn check_parents(merged: &BTreeMap<String, Placed>) -> Result<(), LayoutError> {
    for (path, placed) in merged {
        for (index, _) in path.match_indices('/').skip(1) {
            let Some(parent) = merged.get(&path[..index]) else { continue };
            if !matches!(parent.entry.kind, EntryKind::Directory | EntryKind::GhostDirectory) {
                let (path, parent_path) = (path.clone(), parent.entry.path.clone());
                return Err(LayoutError::NoDirectory { path, origin: from(&placed.origin), parent: parent_path });
            }
        }
    }
    Ok(())
}

fn from(origin: &Option<Location>) -> String {
    origin.as_ref().map_or_else(|| "the profile".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Source;

    fn placed(path: &str, kind: EntryKind, permissions: u16, standing: Standing) -> Placed {
        let origin = Some(Location::Line("x.toml".into(), permissions.into()));
        Placed { entry: Entry::new(path.to_owned(), kind, permissions, 0), origin, standing }
    }

    fn file(path: &str) -> Placed {
        placed(path, EntryKind::File(Source::Text(String::new())), 0o644, Standing::Named)
    }

    #[test]
    fn directories_that_are_asked_for_win() {
        let implied = |path, mode| placed(path, EntryKind::Directory, mode, Standing::Implied);
        let named = |path, mode| placed(path, EntryKind::Directory, mode, Standing::Named);
        let entries = vec![implied("/a", 0o755), named("/a", 0o750), implied("/a", 0o755), implied("/usr", 0o755)];
        let merged = merge(entries).unwrap();
        assert_eq!(merged.iter().map(|entry| entry.permissions).collect::<Vec<_>>(), [0o750]);
        assert_eq!(merge(vec![named("/usr", 0o755)]).unwrap().len(), 1);
        assert_eq!(merge(vec![implied("/a", 0o755), implied("/a", 0o755)]).unwrap().len(), 1);
        merge(vec![named("/a", 0o755), named("/a", 0o750)]).unwrap_err();
    }

    #[test]
    fn refuses_what_cannot_be_installed() {
        let error = merge(vec![file("/a"), file("/a")]).unwrap_err().to_string();
        assert_eq!(error, "x.toml:420: `/a` is also installed by x.toml:420");
        let link = placed("/a", EntryKind::Symlink("/etc".to_owned()), 0o777, Standing::Named);
        let error = merge(vec![file("/a/b/c"), link]).unwrap_err().to_string();
        assert_eq!(error, "x.toml:420: `/a/b/c` would lie below `/a`, which is no directory");
    }
}
