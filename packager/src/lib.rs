//! Makes RPMs of web applications for Tomcat: a spec, a WAR and a folder of configuration become one package.
//!
//! The walk: [`SpecFile::read`] → [`SpecFile::resolve`] → [`PackageSpec`] → [`build`], which gathers the contents,
//! plans the layout (a pure function), streams the package in constant memory, reads it back and renames it into place.

mod build;
mod compression;
mod contents;
mod layout;
pub mod lint;
pub mod preflight;
mod rpm_file;
mod signing_key;
mod source_date;
mod spec;
mod target;
mod war;

pub use build::{BuildError, BuiltPackage, Notice, build, pack};
pub use compression::Compression;
pub use contents::ContentsError;
pub use layout::{
    About, Dependencies, Entry, EntryKind, LayoutError, PackageLayout, Role, Scriptlet, ScriptletKind, Source, Trigger,
    TriggerKind,
};
pub use rpm_file::{ReadBackError, WriteError};
pub use signing_key::{SigningKey, SigningKeyError};
pub use source_date::{SourceDate, SourceDateError};
pub use spec::{
    Comparison, ContextPath, Location, Overrides, PackageSpec, Requirement, SpecError, SpecFile, TomcatApplication,
    ValueError, VariableError, Variables,
};
pub use target::Target;
pub use war::WarError;
