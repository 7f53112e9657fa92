//! What is allowed and still likely wrong in a package: named findings, each with its reason and its mend.
//!
//! The checks are functions of a [`Subject`], which is made of a layout before it is written or of the headers of any
//! RPM; those that look into files read them only where a layout says where they are.

mod check;
mod description;
mod descriptors;
mod directories;
mod features;
mod finding;
mod links;
mod lint_name;
mod permissions;
mod policy;
#[cfg(test)]
mod sample;
mod scriptlets;
mod secret_text;
mod secrets;
mod subject;
mod succession;
mod wars;

pub use check::check;
pub use finding::Finding;
pub use lint_name::{Level, Lint, UnknownLint};
pub use policy::{LintPolicy, Verdict};
pub use subject::Subject;
pub use succession::check_succession;

pub(crate) use links::resolve as resolve_link;
