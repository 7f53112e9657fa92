//! Gathers what goes into a package: every file by name and size, read only where its text is needed.

mod archive;
mod contents_error;
mod gather;
mod listing;
mod path_filter;
mod unpacked;

pub use contents_error::{ContentsError, ContentsProblem};
pub use path_filter::PathFilter;

pub(crate) use gather::Contents;
