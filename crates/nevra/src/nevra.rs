//! A package's whole identity, and what a person may write instead of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::evr::parse_epoch;
use crate::{Arch, Evr, Name, ParseEvrError, ParseNameError};

/// Name, epoch, version, release and architecture: printed `name-[epoch:]version-release.arch`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nevra {
    /// The name.
    pub name: Name,
    /// Epoch, version and release.
    pub evr: Evr,
    /// The architecture.
    pub arch: Arch,
}

/// What a person writes to name a package: `name`, `name-version`, `name-version-release` or the whole NEVRA.
///
/// Names may hold `-` themselves, so a query is kept as text and matched against packages that exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageQuery(String);

/// Says why a text is no NEVRA.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseNevraError {
    /// A part is missing.
    #[error("`{0}` is not `name-[epoch:]version-release.arch`")]
    Shape(String),
    /// The name or the architecture is wrong.
    #[error(transparent)]
    Name(#[from] ParseNameError),
    /// The epoch, version or release is wrong.
    #[error(transparent)]
    Evr(#[from] ParseEvrError),
}

impl Nevra {
    /// The file name by custom, without the epoch: `name-version-release.arch.rpm`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.{}.rpm", self.name, self.evr.version(), self.evr.release(), self.arch)
    }

    /// The form that dnf and rpm understand everywhere, the epoch always written: `name-0:version-release.arch`.
    #[must_use]
    pub fn with_epoch(&self) -> String {
        format!("{}-{}:{}-{}.{}", self.name, self.evr.epoch(), self.evr.version(), self.evr.release(), self.arch)
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}

impl FromStr for Nevra {
    type Err = ParseNevraError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = || ParseNevraError::Shape(text.to_owned());
        let (rest, arch) = text.rsplit_once('.').ok_or_else(shape)?;
        let (rest, release) = rest.rsplit_once('-').ok_or_else(shape)?;
        let (name, version) = rest.rsplit_once('-').ok_or_else(shape)?;
        let (epoch, version) = match version.split_once(':') {
            Some((epoch, version)) => (parse_epoch(epoch)?, version),
            None => (0, version),
        };
        Ok(Self { name: name.parse()?, evr: Evr::new(epoch, version, release)?, arch: arch.parse()? })
    }
}

impl TryFrom<String> for Nevra {
    type Error = ParseNevraError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Nevra> for String {
    fn from(nevra: Nevra) -> Self {
        nevra.to_string()
    }
}

impl PackageQuery {
    /// Tells whether a package is among those that the query names.
    #[must_use]
    pub fn matches(&self, package: &Nevra) -> bool {
        let Nevra { name, evr, arch } = package;
        let (version, release) = (evr.version(), evr.release());
        let text = self.0.as_str();
        text == name.as_str()
            || text == format!("{name}-{version}")
            || text == format!("{name}-{version}-{release}")
            || text == format!("{name}-{version}-{release}.{arch}")
            || text == format!("{name}-{}:{version}-{release}", evr.epoch())
            || text == package.with_epoch()
    }

    /// Tells whether the query is only a package's name, so that it stands for that package's newest version.
    #[must_use]
    pub fn is_name_of(&self, package: &Nevra) -> bool {
        self.0 == package.name.as_str()
    }

    /// The query as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageQuery {
    type Err = ParseNevraError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._+-~^:".contains(c);
        if text.is_empty() || text.starts_with('-') || !text.chars().all(fits) {
            return Err(ParseNevraError::Shape(text.to_owned()));
        }
        Ok(Self(text.strip_suffix(".rpm").unwrap_or(text).to_owned()))
    }
}

impl fmt::Display for PackageQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for PackageQuery {
    type Error = ParseNevraError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PackageQuery> for String {
    fn from(query: PackageQuery) -> Self {
        query.0
    }
}

impl From<&Nevra> for PackageQuery {
    fn from(nevra: &Nevra) -> Self {
        Self(nevra.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nevra(text: &str) -> Nevra {
        text.parse().unwrap()
    }

    #[test]
    fn reads_names_with_dashes() {
        let package = nevra("java-17-openjdk-1:17.0.9-2.el9.x86_64");
        assert_eq!(package.name.as_str(), "java-17-openjdk");
        assert_eq!(package.evr.to_string(), "1:17.0.9-2.el9");
        assert_eq!(package.arch.as_str(), "x86_64");
        assert_eq!(package.to_string(), "java-17-openjdk-1:17.0.9-2.el9.x86_64");
        assert_eq!(package.file_name(), "java-17-openjdk-17.0.9-2.el9.x86_64.rpm");
        assert_eq!(nevra("a-1-1.noarch").with_epoch(), "a-0:1-1.noarch");
    }

    #[test]
    fn refuses_half_names() {
        for bad in ["", "a", "a.noarch", "a-1.noarch", "-1-1.noarch", "a-1-1.", "../a-1-1.noarch"] {
            assert!(bad.parse::<Nevra>().is_err(), "{bad}");
        }
    }

    #[test]
    fn queries_match_every_usual_form() {
        let package = nevra("petclinic-1.4.0-57.gabc.noarch");
        for text in [
            "petclinic",
            "petclinic-1.4.0",
            "petclinic-1.4.0-57.gabc",
            "petclinic-1.4.0-57.gabc.noarch",
            "petclinic-0:1.4.0-57.gabc.noarch",
            "petclinic-1.4.0-57.gabc.noarch.rpm",
        ] {
            assert!(text.parse::<PackageQuery>().unwrap().matches(&package), "{text}");
        }
        for text in ["petclin", "petclinic-1.4", "petclinic-1.4.0-5", "petclinic-1:1.4.0-57.gabc.noarch"] {
            assert!(!text.parse::<PackageQuery>().unwrap().matches(&package), "{text}");
        }
        for bad in ["", "-y", "a b", "a;b", "a/b"] {
            assert!(bad.parse::<PackageQuery>().is_err(), "{bad}");
        }
    }
}
