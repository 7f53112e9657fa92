//! A package's whole identity, and what a person may write instead of it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::evr::parse_epoch;
use crate::{Arch, Evr, Name, ParseEvrError, ParseNameError};

/// Name, epoch, version, release and architecture: printed `name-[epoch:]version-release.arch`.
///
/// Packages that no current rpm would build may hold anything in these parts. Such characters are written `=XX`, the
/// hexadecimal value of each of their bytes, and a part that is empty `==`, so that every package there is has one
/// written form that reads back and can be part of a URL.
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
        let [name, version, release, arch] = self.escaped();
        format!("{name}-{version}-{release}.{arch}.rpm")
    }

    /// The form that dnf and rpm understand everywhere, the epoch always written: `name-0:version-release.arch`.
    #[must_use]
    pub fn with_epoch(&self) -> String {
        let [name, version, release, arch] = self.escaped();
        format!("{name}-{}:{version}-{release}.{arch}", self.evr.epoch())
    }

    /// Name, version, release and architecture, as they are written.
    fn escaped(&self) -> [Cow<'_, str>; 4] {
        [
            escape(self.name.as_str(), "._+-"),
            escape(self.evr.version(), "._+~^"),
            escape(self.evr.release(), "._+~^"),
            escape(self.arch.as_str(), "_"),
        ]
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, version, release, arch] = self.escaped();
        write!(formatter, "{name}-")?;
        if self.evr.epoch() > 0 {
            write!(formatter, "{}:", self.evr.epoch())?;
        }
        write!(formatter, "{version}-{release}.{arch}")
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
        if !text.contains('=') {
            return Ok(Self { name: name.parse()?, evr: Evr::new(epoch, version, release)?, arch: arch.parse()? });
        }
        let part = |part| unescape(part).ok_or_else(shape);
        let nevra = Self {
            name: Name::from_header(part(name)?),
            evr: Evr::from_header(epoch, part(version)?, part(release)?),
            arch: Arch::from_header(part(arch)?),
        };
        // A package has one written form.
        if nevra.to_string() == text { Ok(nevra) } else { Err(shape()) }
    }
}

/// Writes a part with what is not a letter, a digit or one of `allowed` escaped.
fn escape<'a>(part: &'a str, allowed: &str) -> Cow<'a, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || allowed.as_bytes().contains(&byte);
    let begins_well = !part.starts_with(['.', '+', '-']) || !allowed.contains('-');
    if !part.is_empty() && begins_well && part.bytes().all(fits) {
        return Cow::Borrowed(part);
    }
    if part.is_empty() {
        return Cow::Borrowed("==");
    }
    let mut escaped = String::with_capacity(part.len() + 8);
    for (index, byte) in part.bytes().enumerate() {
        if fits(byte) && (index > 0 || begins_well) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("={byte:02X}"));
        }
    }
    Cow::Owned(escaped)
}

/// Reads what [`escape`] wrote.
fn unescape(part: &str) -> Option<String> {
    if part == "==" {
        return Some(String::new());
    }
    let mut pieces = part.split('=');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().filter(|part| !part.is_empty())
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
            || text == package.to_string()
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
        let fits = |c: char| c.is_ascii_alphanumeric() || "._+-~^:=".contains(c);
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
    fn every_package_has_one_written_form() {
        for (name, version, release, arch, written) in [
            ("a b/c", "1-2", "", "i386", "a=20b=2Fc-1=2D2-==.i386"),
            ("grüße", "1", "1", "x.y", "gr=C3=BC=C3=9Fe-1-1.x=2Ey"),
            ("-x", "1", "1", "", "=2Dx-1-1.=="),
            ("a", "1:2", "{rel}", "noarch", "a-1=3A2-=7Brel=7D.noarch"),
            ("a=", "1", "1", "noarch", "a=3D-1-1.noarch"),
        ] {
            let package = Nevra {
                name: Name::from_header(name.to_owned()),
                evr: Evr::from_header(0, version.to_owned(), release.to_owned()),
                arch: Arch::from_header(arch.to_owned()),
            };
            assert_eq!(package.to_string(), written);
            assert_eq!(nevra(written), package);
            assert_eq!(package.file_name(), format!("{written}.rpm"));
            assert!(written.parse::<PackageQuery>().unwrap().matches(&package));
        }
        for bad in ["=61-1-1.noarch", "a=2-1-1.noarch", "a=zz-1-1.noarch", "a===-1-1.noarch", "a=2f-1-1.noarch"] {
            assert!(bad.parse::<Nevra>().is_err(), "{bad}");
        }
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
