//! What makes rpm refuse a transaction: a directory can't become anything else, nor a link to a directory a directory
//! (measured with rpm 4.18; <https://docs.fedoraproject.org/en-US/packaging-guidelines/Directory_Replacement/>).

use std::collections::BTreeMap;

use rpm_header::{FileEntry, PackageHeader};
use serde::Serialize;

use super::file_kind::{file_kind, is_directory, is_ghost};

/// A path whose change rpm refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The path.
    pub path: String,
    /// What it is before: `directory`, `file`, `link` or `device`.
    pub before: &'static str,
    /// What it would be.
    pub after: &'static str,
    /// Whether it is certain, or depends on where the link leads on the host.
    pub certain: bool,
}

pub(super) fn of(from: &PackageHeader, to: &PackageHeader) -> Vec<Refusal> {
    let from: BTreeMap<&str, &FileEntry> = from.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut refusals = Vec::new();
    for after in to.files.iter().filter(|file| !is_ghost(file)) {
        let Some(before) = from.get(after.path.as_str()).copied() else { continue };
        let certain = match (is_directory(before), is_directory(after)) {
            (true, false) => !is_ghost(before),
            (false, true) if file_kind(before) == "link" => match leads_to_directory(before, &from) {
                Some(false) => continue,
                Some(true) => true,
                None => false,
            },
            _ => continue,
        };
        let path = after.path.clone();
        refusals.push(Refusal { path, before: file_kind(before), after: file_kind(after), certain });
    }
    refusals
}

/// Whether a link leads to a directory of its own package; none where it leads out of it.
fn leads_to_directory(link: &FileEntry, package: &BTreeMap<&str, &FileEntry>) -> Option<bool> {
    let path = crate::lint::resolve_link(&link.path, &link.link_target)?;
    if let Some(target) = package.get(path.as_str()) {
        return Some(is_directory(target));
    }
    let below = format!("{path}/");
    let (next, _) = package.range(below.as_str()..).next()?;
    next.starts_with(&below).then_some(true)
}
