//! Names that end up in paths, commands and the journal: hosts, environments, deployments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name by which a host is called in an environment: letters, digits and `. _ -`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

/// An environment's name, under the same rule; it names the ledger and the host's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(String);

/// A cluster's name, under the same rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(String);

/// The number of a deployment within its environment, printed `D-0001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeploymentId(u32);

/// Says why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdentifierError {
    /// Not the name of a host or an environment.
    #[error("`{0}` is not a name: letters, digits and `. _ -`, beginning with a letter or a digit, at most 64")]
    Name(String),
    /// Not a deployment's number.
    #[error("`{0}` is not a deployment, such as `D-0012`")]
    Deployment(String),
}

/// Checks what is allowed in a name of the environment file.
pub(crate) fn check_name(text: &str) -> Result<(), ParseIdentifierError> {
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins_well && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        Ok(())
    } else {
        Err(ParseIdentifierError::Name(text.to_owned()))
    }
}

macro_rules! name_conversions {
    ($type:ident) => {
        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = ParseIdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                check_name(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = ParseIdentifierError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }
    };
}

name_conversions!(HostName);
name_conversions!(EnvironmentName);
name_conversions!(ClusterName);

impl DeploymentId {
    /// The one that follows so many earlier ones.
    #[must_use]
    pub fn after(earlier: u32) -> Self {
        Self(earlier + 1)
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "D-{:04}", self.0)
    }
}

impl FromStr for DeploymentId {
    type Err = ParseIdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("D-").or_else(|| text.strip_prefix("d-"));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) if number > 0 => Ok(Self(number)),
            _ => Err(ParseIdentifierError::Deployment(text.to_owned())),
        }
    }
}

impl TryFrom<String> for DeploymentId {
    type Error = ParseIdentifierError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DeploymentId> for String {
    fn from(id: DeploymentId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_a_path_segment() {
        for good in ["web1", "web-1.example.com", "a"] {
            assert_eq!(good.parse::<HostName>().unwrap().as_str(), good);
        }
        for bad in ["", "../x", "-o", ".x", "a b", "a/b", "a;b", "ü", &"a".repeat(65)] {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
            assert!(bad.parse::<EnvironmentName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn deployments_are_numbered() {
        assert_eq!(DeploymentId::after(0).to_string(), "D-0001");
        assert_eq!("D-0193".parse::<DeploymentId>().unwrap(), DeploymentId(193));
        assert_eq!("d-12345".parse::<DeploymentId>().unwrap().to_string(), "D-12345");
        for bad in ["", "193", "D-", "D-0", "D-x", "D--1"] {
            assert!(bad.parse::<DeploymentId>().is_err(), "{bad}");
        }
    }
}
