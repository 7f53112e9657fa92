//! Names of channels.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most characters that a channel's name may have.
const LONGEST: usize = 64;

/// First segments of URLs that are, or will be, something other than a channel.
const RESERVED: [&str; 15] = [
    "api",
    "assets",
    "docs",
    "environments",
    "healthz",
    "history",
    "hosts",
    "keys",
    "login",
    "metrics",
    "notes",
    "packages",
    "readyz",
    "search",
    "static",
];

/// A channel's name, which is the first segment of its URLs: lower-case letters, digits, `-` and `_`, beginning with a
/// letter or a digit, at most 64 of them, and none of the words that the server uses itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9_-]{0,63}$"))]
pub struct ChannelName(String);

/// Says why a text is no channel name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseChannelNameError {
    /// The text is empty, too long, or holds a character that is not allowed.
    #[error(
        "`{0}` is not a channel name: up to {LONGEST} lower-case letters, digits, `-` and `_`, beginning with a letter \
         or a digit"
    )]
    Shape(String),
    /// The server uses the word itself.
    #[error("`{0}` can't name a channel: the server uses it itself, as it does {reserved}", reserved = RESERVED.join(", "))]
    Reserved(String),
}

impl ChannelName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChannelName {
    type Err = ParseChannelNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !begins_well || text.len() > LONGEST || !text.chars().all(fits) {
            return Err(ParseChannelNameError::Shape(text.to_owned()));
        }
        if RESERVED.contains(&text) {
            return Err(ParseChannelNameError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for ChannelName {
    type Error = ParseChannelNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ChannelName> for String {
    fn from(name: ChannelName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["dev", "prod", "el9-x86_64", "7", "a".repeat(64).as_str()] {
            assert_eq!(good.parse::<ChannelName>().unwrap().as_str(), good);
        }
        for bad in ["", "-dev", "_dev", "Dev", "a.b", "..", "@1", "a/b", "a b", "a".repeat(65).as_str()] {
            assert!(matches!(bad.parse::<ChannelName>(), Err(ParseChannelNameError::Shape(_))), "{bad}");
        }
        assert!(matches!("api".parse::<ChannelName>(), Err(ParseChannelNameError::Reserved(_))));
    }
}
