//! What rpm would do when one version of a package takes another's place, and on the way back: told from the headers
//! of the two, and what they don't tell of the jars from the SBOMs.

mod compare;
mod configuration;
mod dependency_changes;
mod file_changes;
mod file_kind;
mod jar_digests;
mod jars;
mod refusals;
mod report;
mod script_order;

pub use compare::{PreflightError, compare};
pub use configuration::{ConfigurationChange, EditFate};
pub use dependency_changes::DependencyChange;
pub use file_changes::{Aspect, FileChange, FileChanges};
pub use jar_digests::JarDigests;
pub use jars::JarChange;
pub use refusals::Refusal;
pub use report::{Direction, LostEdit, Preflight, Transition};
pub use script_order::ScriptRun;
