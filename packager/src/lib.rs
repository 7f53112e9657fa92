//! Makes RPMs of web applications for Tomcat, and of anything else: a spec, a WAR and files become packages.
//!
//! The walk: [`SpecFile::read`] → [`SpecFile::resolve`] → [`PackageSpec`]s → [`plan`], which gathers the contents and
//! lays them out (a pure function) → [`PlannedPackage::write`], which streams the package in constant memory and reads it
//! back → [`DraftedPackage::keep`], which renames it into place.

mod build;
mod compression;
mod contents;
mod inside;
mod known_directories;
mod layout;
pub mod lint;
pub mod preflight;
mod project;
mod rpm_file;
mod signing;
mod source_date;
mod spec;
mod target;
mod version;
mod war;

pub use build::{BuildError, BuiltPackage, DraftedPackage, Notice, PlannedPackage, build, check_together, pack, plan};
pub use compression::Compression;
pub use contents::{ContentsError, ContentsProblem, PathFilter};
pub use inside::{
    Coordinates, Jar, JarProblem, NotesError, NotesSource, Provenance, ReleaseNotes, WebArchive, WebArchiveError,
};
pub use layout::{
    About, Dependencies, DescriptorError, Entry, EntryKind, LayoutError, PackageLayout, Role, Scriptlet, ScriptletKind,
    Source, Trigger, TriggerKind,
};
pub use project::{Configuration, Project, ProjectError, starter};
pub use rpm_file::{PayloadError, ReadBackError, UnfitLayout, WriteError};
pub use signing::UnverifiableSignature;
pub use source_date::{SourceDate, SourceDateError};
pub use spec::{
    Attributes, Choice, ConfigurationFolder, Content, ContentKind, ContextPath, Descriptor, Expand, InstallPath,
    Location, Overrides, PackageSpec, Sbom, SpecError, SpecFile, SystemUser, TomcatApplication, Unit, ValueError,
    VariableError, Variables, schema,
};
pub use target::Target;
pub use version::{
    Checkout, CiBuild, FoundVersion, ListedPackage, MappedVersion, OrderError, Primary, RepositoryError, Surroundings,
    VersionError, VersionSource, listed, not_below,
};
pub use war::WarError;
