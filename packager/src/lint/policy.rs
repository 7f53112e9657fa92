//! Which findings are let pass, told, or refused.

use std::collections::BTreeSet;

use super::{Finding, Level, Lint};

/// What a spec and the command line say of checks; everything else has its own level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintPolicy {
    /// Findings that are not even told.
    pub allow: BTreeSet<Lint>,
    /// Findings that are refused whatever their own level.
    pub deny: BTreeSet<Lint>,
}

/// Findings that are not allowed by name, sorted by gravity, name and place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The package may not be built.
    pub denied: Vec<Finding>,
    /// To be told.
    pub warnings: Vec<Finding>,
}

impl LintPolicy {
    /// Takes over what another one says; of a check that one allows and the other denies, the other's word counts.
    pub fn override_with(&mut self, other: &Self) {
        self.allow.retain(|lint| !other.deny.contains(lint));
        self.deny.retain(|lint| !other.allow.contains(lint));
        self.allow.extend(&other.allow);
        self.deny.extend(&other.deny);
    }

    /// Judges findings. A check that is both allowed and denied is denied.
    #[must_use]
    pub fn judge(&self, mut findings: Vec<Finding>) -> Verdict {
        findings.sort();
        findings.dedup();
        findings.retain(|finding| self.deny.contains(&finding.lint) || !self.allow.contains(&finding.lint));
        let (denied, warnings) = findings.into_iter().partition(|finding| self.level(finding.lint) == Level::Deny);
        Verdict { denied, warnings }
    }

    fn level(&self, lint: Lint) -> Level {
        if self.deny.contains(&lint) { Level::Deny } else { lint.level() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[Lint], deny: &[Lint]) -> LintPolicy {
        LintPolicy { allow: allow.iter().copied().collect(), deny: deny.iter().copied().collect() }
    }

    fn judge(policy: &LintPolicy) -> String {
        let findings = [Lint::Password, Lint::EmptyDescription, Lint::Password].map(|lint| Finding::new(lint, "x"));
        let verdict = policy.judge(findings.to_vec());
        let names = |findings: Vec<Finding>| findings.iter().map(|one| one.lint.name()).collect::<Vec<_>>().join(" ");
        format!("{} | {}", names(verdict.denied), names(verdict.warnings))
    }

    #[test]
    fn judges() {
        let (password, description) = (Lint::Password, Lint::EmptyDescription);
        for (policy, expected) in [
            (policy(&[], &[]), "password | empty-description"),
            (policy(&[password], &[]), " | empty-description"),
            (policy(&[], &[description]), "password empty-description | "),
            (policy(&[description], &[]), "password | "),
            (policy(&[password], &[password]), "password | empty-description"),
        ] {
            assert_eq!(judge(&policy), expected, "{policy:?}");
        }
    }

    #[test]
    fn the_command_line_wins() {
        let mut spec = policy(&[Lint::Password], &[Lint::EmptyDescription]);
        spec.override_with(&policy(&[Lint::EmptyDescription], &[Lint::Password]));
        assert_eq!(spec, policy(&[Lint::EmptyDescription], &[Lint::Password]));
    }
}
