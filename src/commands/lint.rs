//! What commands that lint have in common: the flags, and how findings are told.

use std::collections::BTreeSet;

use packager::lint::{Finding, Level, Lint, LintPolicy, Verdict};
use serde::Serialize;

use crate::render::{Printer, printable};

/// How many findings of one lint are told one by one.
const TOLD: usize = 5;

/// The flags that say which findings are told and refused.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct LintArgs {
    /// Pass over findings of this lint; may be given several times.
    #[arg(long, value_name = "LINT")]
    lint_allow: Vec<Lint>,
    /// Refuse the package for findings of this lint; may be given several times.
    #[arg(long, value_name = "LINT")]
    lint_deny: Vec<Lint>,
}

impl LintArgs {
    pub(crate) fn policy(&self) -> LintPolicy {
        LintPolicy { allow: set(&self.lint_allow), deny: set(&self.lint_deny) }
    }
}

fn set(lints: &[Lint]) -> BTreeSet<Lint> {
    lints.iter().copied().collect()
}

/// A finding in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct FindingJson {
    lint: &'static str,
    /// `deny` or `warn`.
    level: String,
    place: String,
    reason: &'static str,
    mend: &'static str,
}

/// Lists a verdict's findings, the denied ones first.
pub(crate) fn findings_json(verdict: &Verdict) -> Vec<FindingJson> {
    let row = |level: Level| {
        move |finding: &Finding| FindingJson {
            lint: finding.lint.name(),
            level: level.to_string(),
            place: finding.place.clone(),
            reason: finding.lint.reason(),
            mend: finding.lint.mend(),
        }
    };
    let denied = verdict.denied.iter().map(row(Level::Deny));
    denied.chain(verdict.warnings.iter().map(row(Level::Warn))).collect()
}

/// Tells a verdict's findings, the denied ones last, each lint's reason and mend once.
pub(crate) fn tell(printer: &Printer, package: &str, verdict: &Verdict) {
    for line in lines(package, &verdict.warnings) {
        printer.warning(&line);
    }
    for line in lines(package, &verdict.denied) {
        printer.denied(&line);
    }
}

/// The findings come sorted by lint.
fn lines(package: &str, findings: &[Finding]) -> Vec<String> {
    let mut lines = Vec::new();
    for group in findings.chunk_by(|left, right| left.lint == right.lint) {
        let lint = group[0].lint;
        let mut places: Vec<String> = group.iter().take(TOLD).map(|finding| printable(&finding.place)).collect();
        if group.len() > TOLD {
            places.push(format!("and {} more", group.len() - TOLD));
        }
        let places = places.join(", ");
        lines.push(format!("{package}: {lint}: {places}\n  {}\n  mend: {}", lint.reason(), lint.mend()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_a_lint_are_told_together() {
        let finding = |number: usize| Finding { lint: Lint::WorldWritable, place: format!("`/x{number}`") };
        let findings: Vec<_> = (0..7).map(finding).collect();
        let lines = lines("shop", &findings);
        assert_eq!(lines.len(), 1);
        let expected = "shop: world-writable: `/x0`, `/x1`, `/x2`, `/x3`, `/x4`, and 2 more\n  every account";
        assert!(lines[0].starts_with(expected), "{}", lines[0]);
    }
}
