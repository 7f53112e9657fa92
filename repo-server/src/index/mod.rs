//! A static yum repository of a folder of RPMs, made in place: createrepo's job.
//!
//! What was read once is remembered, so that another run reads only what is new; pages of packages that did not change
//! are taken over compressed as they are. The new `repodata` is made beside the old one and takes its place in one step.

mod attachments;
mod cache;
mod documents;
mod error;
mod folder;
mod installed;
mod pages;
mod static_index;
mod survey;

pub use error::{IndexError, UnusableFile};
pub use installed::install_repodata;
pub use static_index::{IndexOptions, IndexReport, index};
