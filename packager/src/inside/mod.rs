//! What is inside of a package and where it came from: the jars of its WARs as an SBOM and as `bundled(…)` provides, the
//! build's provenance, the release notes.

mod additions;
mod coordinates;
mod jar;
pub(crate) mod java_properties;
pub(crate) mod manifest;
mod member_reader;
mod provenance;
mod release_notes;
mod sbom;
mod web_archive;
mod window;

#[cfg(test)]
pub(crate) mod tests;

pub use coordinates::Coordinates;
pub use jar::{Jar, JarProblem};
pub use provenance::Provenance;
pub use release_notes::{NotesError, NotesSource, ReleaseNotes};
pub use web_archive::{WebArchive, WebArchiveError};

pub(crate) use additions::{Archives, Described, add_notes, describe};
pub(crate) use java_properties::PomProperties;
