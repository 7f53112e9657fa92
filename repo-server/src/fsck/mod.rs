//! Checking a store: the chain of commits, every blob by its hash, all repodata that is shown; and mending what can be.

mod blobs;
mod finding;
mod repodata;
mod walk;

pub use finding::{Finding, FsckReport, Mending};
pub use walk::fsck;
