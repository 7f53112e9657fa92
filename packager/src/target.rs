//! The oldest system that has to read a package, and what follows from it.

use std::fmt;
use std::str::FromStr;

use crate::{Compression, ValueError};

/// The oldest system that has to read a package. All get format 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Target {
    /// rpm 4.11: no zstd, no `^` in versions, payloads checked by MD5, signatures by RSA keys alone.
    El7,
    /// rpm 4.14: signatures by RSA keys alone.
    #[default]
    El8,
    /// rpm 4.16: signatures by Ed25519 keys as well.
    El9,
    /// rpm 4.19.
    El10,
}

impl FromStr for Target {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "el7" => Ok(Self::El7),
            "el8" => Ok(Self::El8),
            "el9" => Ok(Self::El9),
            "el10" => Ok(Self::El10),
            _ => Err(ValueError::Target(text.to_owned())),
        }
    }
}

impl Target {
    /// The compression of a package that asks for none: the fastest that the target reads.
    #[must_use]
    pub fn compression(self) -> Compression {
        match self {
            Self::El7 => Compression::Gzip(1),
            Self::El8 | Self::El9 | Self::El10 => Compression::default(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::El7 => "el7",
            Self::El8 => "el8",
            Self::El9 => "el9",
            Self::El10 => "el10",
        })
    }
}
