//! Why no version was found.

use std::io;
use std::path::PathBuf;

use super::ci::NUMBER_VARIABLES;

/// Says why a version, or a release, could not be found where the spec says.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// A source that does not exist.
    #[error("`{0}` is no source of versions; allowed are `war`, `pom`, `gradle`, `git` and `auto`")]
    Source(String),
    /// `auto` found nothing.
    #[error(
        "no version was found: neither in the WAR's pom.properties and manifest, nor in a `pom.xml` or \
         `gradle.properties` beside the spec or above it, nor by a tag of git; write `version = \"…\"` or give \
         `--version`"
    )]
    Nowhere,
    /// The package has no WAR.
    #[error("the package has no WAR whose version it could have")]
    NoWar,
    /// The WAR has not been built.
    #[error("there is no WAR at `{}`; build it first, or give `--version`", .0.display())]
    MissingWar(PathBuf),
    /// The WAR says no version.
    #[error(
        "the WAR `{}` says no version: it has no `META-INF/maven/*/*/pom.properties`, and no `Implementation-Version` \
         in its manifest",
        .0.display()
    )]
    NotInWar(PathBuf),
    /// The WAR could not be read.
    #[error("could not read the WAR `{}`", path.display())]
    War {
        /// The WAR.
        path: PathBuf,
        /// Why.
        source: zip::result::ZipError,
    },
    /// A file could not be read.
    #[error("could not read a version")]
    Read(#[source] io::Error),
    /// There is no such file.
    #[error("there is no `{0}` beside the spec, nor above it within the checkout; `file` names one elsewhere")]
    NoFile(&'static str),
    /// The file says no version.
    #[error("`{}` says no version", .0.display())]
    NotInFile(PathBuf),
    /// The file holds a property that nothing defines.
    #[error("the version in `{}` uses the property `{property}`, which neither it nor a parent of it defines", file.display())]
    Property {
        /// The pom.xml.
        file: PathBuf,
        /// The property.
        property: String,
    },
    /// The file is no XML.
    #[error("`{}` is no well-formed XML", file.display())]
    Xml {
        /// The pom.xml.
        file: PathBuf,
        /// What the reader says.
        source: quick_xml::Error,
    },
    /// There is no checkout.
    #[error("there is no git checkout with a commit around the spec")]
    NoCheckout,
    /// Git refuses.
    #[error("git says: {0}")]
    Git(String),
    /// There is no number for `release = "auto"`.
    #[error(
        "no number of a build is in the environment; looked for are {NUMBER_VARIABLES}; `--release` gives one by hand"
    )]
    NoBuildNumber,
    /// The number is none.
    #[error("the number of the build is `{0}`; allowed are digits")]
    BuildNumber(String),
}
