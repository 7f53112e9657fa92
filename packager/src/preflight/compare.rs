//! Compares two packages' headers.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rpm_header::PackageHeader;

use super::{Direction, EditFate, LostEdit, Preflight, Transition};
use super::{configuration, dependency_changes, file_changes, jars, refusals, script_order};

/// Says why two packages can't be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreflightError {
    /// Two packages of different names: neither takes the other's place.
    #[error("`{old}` and `{new}` are not two versions of one package")]
    Names {
        /// The old one's name.
        old: String,
        /// The new one's name.
        new: String,
    },
    /// A source package is not installed.
    #[error("`{0}` is a source package, which is not installed as others are")]
    Source(String),
}

/// Tells what replacing `old` by `new` would do, and the way back.
///
/// # Errors
/// [`PreflightError`] for packages of which neither would take the other's place.
pub fn compare(old: &PackageHeader, new: &PackageHeader) -> Result<Preflight, PreflightError> {
    if let Some(source) = [old, new].into_iter().find(|header| header.is_source) {
        return Err(PreflightError::Source(source.nevra.to_string()));
    }
    if old.nevra.name != new.nevra.name {
        return Err(PreflightError::Names { old: old.nevra.name.to_string(), new: new.nevra.name.to_string() });
    }
    let (forward, back) = (transition(old, new), transition(new, old));
    Ok(Preflight {
        old: old.nevra.to_string(),
        new: new.nevra.to_string(),
        edits_lost_by_rollback: lost_edits(old, &forward),
        files: file_changes::between(old, new),
        dependencies: dependency_changes::between(old, new),
        jars: jars::between(old, new),
        forward,
        back,
    })
}

fn transition(from: &PackageHeader, to: &PackageHeader) -> Transition {
    Transition {
        direction: match to.nevra.evr.cmp(&from.nevra.evr) {
            Ordering::Greater => Direction::Upgrade,
            Ordering::Less => Direction::Downgrade,
            Ordering::Equal => Direction::Reinstall,
        },
        refusals: refusals::of(from, to),
        configuration: configuration::changes(from, to),
        scripts: script_order::of(from, to),
    }
}

/// Once an edit was moved away, the file on the disk is the package's own, and nothing brings the edit back.
fn lost_edits(old: &PackageHeader, forward: &Transition) -> Vec<LostEdit> {
    let had: BTreeSet<&str> = old.files.iter().map(|file| file.path.as_str()).collect();
    let lost = forward.configuration.iter().filter(|change| had.contains(change.path.as_str()));
    lost.filter(|change| matches!(change.edited, EditFate::Replaced | EditFate::Removed))
        .map(|change| LostEdit { path: change.path.clone(), kept_as: format!("{}.rpmsave", change.path) })
        .collect()
}
