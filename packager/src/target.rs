//! The oldest system that has to read a package, and what follows from it.

use std::str::FromStr;

use crate::ValueError;

/// The oldest system that has to read a package. All get format 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Target {
    /// rpm 4.11: no zstd, no `^` in versions, payloads checked by MD5.
    El7,
    /// rpm 4.14.
    #[default]
    El8,
    /// rpm 4.16.
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
