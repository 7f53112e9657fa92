//! Package names and architectures.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A package's name: letters, digits and `. _ + -`, beginning with a letter, a digit or `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A package's architecture, such as `noarch` or `x86_64`; `src` for source packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arch(String);

/// Says why a text is no package name or no architecture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseNameError {
    /// The name is empty, begins wrongly or holds a character that rpm refuses.
    #[error("`{0}` is not a package name: letters, digits and `. _ + -`, beginning with a letter, a digit or `_`")]
    Name(String),
    /// The architecture is empty or holds something other than letters, digits and `_`.
    #[error("`{0}` is not an architecture: letters, digits and `_`, such as `noarch` or `x86_64`")]
    Arch(String),
}

impl Name {
    /// Takes the name of a package that exists as it is, unchecked.
    #[must_use]
    pub fn from_header(name: String) -> Self {
        Self(name)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if begins_well && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseNameError::Name(text.to_owned()))
        }
    }
}

impl Arch {
    /// The architecture of packages that run anywhere.
    #[must_use]
    pub fn noarch() -> Self {
        Self("noarch".to_owned())
    }

    /// Takes the architecture of a package that exists as it is, unchecked.
    #[must_use]
    pub fn from_header(arch: String) -> Self {
        Self(arch)
    }

    /// The architecture as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Arch {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseNameError::Arch(text.to_owned()))
        }
    }
}

macro_rules! text_conversions {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $type {
            type Error = ParseNameError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.0
            }
        }
    };
}

text_conversions!(Name);
text_conversions!(Arch);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["tomcat", "java-17-openjdk", "libstdc++", "_x", "389-ds"] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", "-x", "a b", "../x", "a/b", "ü"] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
