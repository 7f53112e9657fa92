//! Epoch, version and release.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rpmvercmp;

/// An epoch, version and release, printed as `version-release` or, with an epoch above 0, `epoch:version-release`.
///
/// Two of them are equal only when they are written the same; [`Evr::compare`] is rpm's order, in which `1.05` and `1.5`
/// are the same version. `Ord` is that order with ties broken by the text, so that it agrees with `Eq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Evr {
    epoch: u32,
    version: String,
    release: String,
}

/// Says why a text is no epoch, version and release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseEvrError {
    /// The part before the colon is no number of 32 bits.
    #[error("epoch `{0}` is not a number from 0 to 4294967295")]
    Epoch(String),
    /// A version or a release is missing.
    #[error("`{0}` is not `version-release`")]
    Shape(String),
    /// A part holds a character that rpm refuses there.
    #[error("{part} `{value}` holds `{character}`; allowed are letters, digits and `. _ + ~ ^`")]
    Character {
        /// `version` or `release`.
        part: &'static str,
        /// The whole part.
        value: String,
        /// The first character that is not allowed.
        character: char,
    },
}

impl Evr {
    /// Makes one from its parts, neither of which may be empty or hold a `-`.
    ///
    /// # Errors
    /// [`ParseEvrError`] for a part that rpmbuild would refuse.
    pub fn new(epoch: u32, version: &str, release: &str) -> Result<Self, ParseEvrError> {
        for (part, value) in [("version", version), ("release", release)] {
            if value.is_empty() {
                return Err(ParseEvrError::Shape(format!("{version}-{release}")));
            }
            if let Some(character) = value.chars().find(|c| !c.is_ascii_alphanumeric() && !"._+~^".contains(*c)) {
                return Err(ParseEvrError::Character { part, value: value.to_owned(), character });
            }
        }
        Ok(Self { epoch, version: version.to_owned(), release: release.to_owned() })
    }

    /// Takes the parts of a package that exists as they are, unchecked: old packages hold anything.
    #[must_use]
    pub fn from_header(epoch: u32, version: String, release: String) -> Self {
        Self { epoch, version, release }
    }

    /// The epoch; 0 where none is set.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The upstream version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The release.
    #[must_use]
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Compares as rpm does: epoch, then version, then release, the latter two by [`rpmvercmp`].
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| rpmvercmp(&self.version, &other.version))
            .then_with(|| rpmvercmp(&self.release, &other.release))
    }
}

impl Ord for Evr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
            .then_with(|| self.version.cmp(&other.version))
            .then_with(|| self.release.cmp(&other.release))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Evr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.epoch, &self.version, &self.release).hash(state);
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(formatter, "{}:", self.epoch)?;
        }
        write!(formatter, "{}-{}", self.version, self.release)
    }
}

impl FromStr for Evr {
    type Err = ParseEvrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (parse_epoch(epoch)?, rest),
            None => (0, text),
        };
        let (version, release) = rest.split_once('-').ok_or_else(|| ParseEvrError::Shape(text.to_owned()))?;
        Self::new(epoch, version, release)
    }
}

/// Reads an epoch as rpm and dnf print it; `(none)` is 0.
pub(crate) fn parse_epoch(text: &str) -> Result<u32, ParseEvrError> {
    if text == "(none)" {
        return Ok(0);
    }
    text.parse().map_err(|_| ParseEvrError::Epoch(text.to_owned()))
}

impl TryFrom<String> for Evr {
    type Error = ParseEvrError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Evr> for String {
    fn from(evr: Evr) -> Self {
        evr.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evr(text: &str) -> Evr {
        text.parse().unwrap()
    }

    #[test]
    fn reads_and_prints() {
        assert_eq!(evr("1.4.0-57").to_string(), "1.4.0-57");
        assert_eq!(evr("2:1.4.0-57").epoch(), 2);
        assert_eq!(evr("0:1.4.0-57").to_string(), "1.4.0-57");
    }

    #[test]
    fn orders_snapshots_before_releases() {
        let mut versions =
            vec!["1.2-1", "1.1^20260101.gabc-1", "1.1-10.gaaa", "1.1~rc1-1", "1.1~SNAPSHOT.20260101-1", "1.1-9.gfff"];
        versions.sort_by_key(|text| evr(text));
        assert_eq!(
            versions,
            ["1.1~SNAPSHOT.20260101-1", "1.1~rc1-1", "1.1-9.gfff", "1.1-10.gaaa", "1.1^20260101.gabc-1", "1.2-1"]
        );
    }

    #[test]
    fn epoch_wins() {
        assert!(evr("1:0.1-1") > evr("9.9-9"));
    }

    #[test]
    fn refuses_what_rpm_refuses() {
        assert!(matches!("1.0".parse::<Evr>(), Err(ParseEvrError::Shape(_))));
        assert!(matches!(
            "1.0-1-2".parse::<Evr>(),
            Err(ParseEvrError::Character { part: "release", character: '-', .. })
        ));
        assert!(matches!("x:1.0-1".parse::<Evr>(), Err(ParseEvrError::Epoch(_))));
        assert!(matches!("-1".parse::<Evr>(), Err(ParseEvrError::Shape(_))));
    }

    #[test]
    fn equality_is_by_text_and_order_agrees() {
        assert_eq!(evr("1.05-1").compare(&evr("1.5-1")), Ordering::Equal);
        assert_ne!(evr("1.05-1"), evr("1.5-1"));
        assert_ne!(evr("1.05-1").cmp(&evr("1.5-1")), Ordering::Equal);
    }
}
