//! The report. Its JSON is stable: names are only ever added.

use serde::Serialize;

use super::{ConfigurationChange, DependencyChange, FileChanges, JarChange, Refusal, ScriptRun};

/// What lies between two versions of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preflight {
    /// The NEVRA that is installed, with its epoch if it has one.
    pub old: String,
    /// The NEVRA that is to take its place.
    pub new: String,
    /// From the old to the new.
    pub forward: Transition,
    /// From the new back to the old: the rollback.
    pub back: Transition,
    /// Edits of the old version's configuration that going forward and back would lose.
    pub edits_lost_by_rollback: Vec<LostEdit>,
    /// Files, from the old to the new.
    pub files: FileChanges,
    /// Dependencies of all kinds, from the old to the new; `rpmlib(…)` and what a package provides of itself left out.
    pub dependencies: Vec<DependencyChange>,
    /// Bundled jars and other components, from the old to the new.
    pub jars: Vec<JarChange>,
}

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transition {
    /// Whether the version rises.
    pub direction: Direction,
    /// What would make rpm refuse the transaction as a whole.
    pub refusals: Vec<Refusal>,
    /// What becomes of each configuration file.
    pub configuration: Vec<ConfigurationChange>,
    /// The scriptlets and triggers of the two packages, in the order in which they run.
    pub scripts: Vec<ScriptRun>,
}

/// What rpm's order of versions makes of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To a higher version.
    Upgrade,
    /// To a lower version.
    Downgrade,
    /// To the same version.
    Reinstall,
}

/// An edit that does not survive the way forward and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostEdit {
    /// The configuration file.
    pub path: String,
    /// Where the edit can still be found.
    pub kept_as: String,
}
