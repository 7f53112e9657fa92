//! `pkg build --against`: lint of each package as the successor of the one that is there already.

use anyhow::anyhow;
use packager::lint::{self, Verdict};
use packager::{DraftedPackage, PackageSpec, preflight};
use rpm_header::PackageHeader;

use super::{LintArgs, refuse_denied, tell};
use crate::exit::Failure;
use crate::render::Printer;

/// The packages that are written and have no name yet.
pub(super) struct Successors<'a> {
    pub(super) specs: &'a [PackageSpec],
    pub(super) drafted: &'a [DraftedPackage],
    pub(super) args: &'a LintArgs,
}

/// Compares each with the one of its name that was there before, and adds what lint finds to the verdicts.
pub(super) fn check(
    before: &[PackageHeader],
    successors: &Successors<'_>,
    verdicts: &mut [Verdict],
    printer: &Printer,
) -> Result<(), Failure> {
    for ((spec, draft), verdict) in successors.specs.iter().zip(successors.drafted).zip(&mut *verdicts) {
        let Some(old) = before.iter().find(|old| old.nevra.name == *spec.name()) else { continue };
        let new = PackageHeader::read_file(draft.path()).map_err(|error| Failure::failed(anyhow!(error)))?;
        let preflight = preflight::compare(old, &new).map_err(|error| Failure::input(anyhow!(error)))?;
        let mut policy = spec.lint.clone();
        policy.override_with(&successors.args.policy());
        let found = policy.judge(lint::check_succession(&preflight));
        tell(printer, &format!("{} after {}", spec.nevra(), old.nevra), &found);
        verdict.denied.extend(found.denied);
        verdict.warnings.extend(found.warnings);
    }
    refuse_denied(verdicts)
}
