//! Reads the headers of an `.rpm` file, any ever made, ours or not: safe on hostile input, never reading the payload.

mod package_header;

pub use package_header::{ChangelogEntry, Dependency, FileEntry, FileKind, PackageHeader, Scriptlet, Signature};
