//! What only the package before shows: directories that become something else, configuration that is dropped.

use crate::preflight::{EditFate, Preflight};

use super::{Finding, Lint};

/// Checks a package as the one that comes after another.
#[must_use]
pub fn check_succession(preflight: &Preflight) -> Vec<Finding> {
    let refusals = preflight.forward.refusals.iter().chain(&preflight.back.refusals);
    let refusals = refusals.map(|refusal| {
        let place = format!("`{}` ({} → {})", refusal.path, refusal.before, refusal.after);
        Finding::new(Lint::DirectoryBecomesOther, place)
    });
    let configuration = preflight.forward.configuration.iter();
    let dropped = configuration.filter(|change| change.edited == EditFate::Removed);
    let dropped = dropped.map(|change| Finding::new(Lint::DroppedConfiguration, format!("`{}`", change.path)));
    refusals.chain(dropped).collect()
}
