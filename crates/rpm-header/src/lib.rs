//! Reads the headers of an `.rpm` file, any ever made, ours or not: safe on hostile input, never reading the payload.

mod assemble;
mod error;
mod files;
mod openpgp;
mod package_header;
#[cfg(test)]
mod sample;
mod section;
mod tags;
mod triggers;

pub use error::{Part, ReadHeaderError};
pub use openpgp::SignatureInfo;
pub use package_header::{
    ChangelogEntry, Dependency, FileEntry, FileKind, PackageHeader, Scriptlet, Signature, Trigger,
};
