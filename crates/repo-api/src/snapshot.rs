//! A channel as of some time, as people write it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ChannelName;

/// The most characters that a tag's name may have.
const LONGEST: usize = 64;

/// The name of a tag or of an environment: letters, digits, `.`, `_` and `-`, beginning with a letter, at most 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z][A-Za-z0-9._-]{0,63}$"))]
pub struct TagName(String);

/// Says why a text is no name of a tag or of an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no such name: up to {LONGEST} letters, digits, `.`, `_` and `-`, beginning with a letter")]
pub struct ParseTagNameError(String);

/// A time in a repository's history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// That of a commit.
    Commit(u64),
    /// That of a tag.
    Tag(TagName),
}

/// A channel as it is now, or as of some time: `prod`, `prod@57`, `prod@june`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9_-]{0,63}(@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$"))]
pub struct Snapshot {
    /// The channel.
    pub channel: ChannelName,
    /// The time; `None` stands for the present.
    pub at: Option<Moment>,
}

/// Says why a text is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no channel: allowed are `CHANNEL`, `CHANNEL@COMMIT` with the number of a commit, and `CHANNEL@TAG`")]
pub struct ParseSnapshotError(String);

impl TagName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TagName {
    type Err = ParseTagNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if begins_well && text.len() <= LONGEST && text.chars().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseTagNameError(text.to_owned()))
        }
    }
}

impl FromStr for Moment {
    type Err = ParseTagNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Numbers have one spelling, so that a snapshot has one URL.
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(commit) if is_number => Ok(Self::Commit(commit)),
            _ => text.parse().map(Self::Tag),
        }
    }
}

impl FromStr for Snapshot {
    type Err = ParseSnapshotError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseSnapshotError(text.to_owned());
        let (channel, at) = match text.split_once('@') {
            Some((channel, at)) => (channel, Some(at.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        Ok(Self { channel: channel.parse().map_err(|_| wrong())?, at })
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(number) => write!(formatter, "{number}"),
            Self::Tag(name) => write!(formatter, "{name}"),
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(formatter, "{}@{at}", self.channel),
            None => write!(formatter, "{}", self.channel),
        }
    }
}

impl TryFrom<String> for TagName {
    type Error = ParseTagNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TagName> for String {
    fn from(name: TagName) -> Self {
        name.0
    }
}

impl TryFrom<String> for Snapshot {
    type Error = ParseSnapshotError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Snapshot> for String {
    fn from(snapshot: Snapshot) -> Self {
        snapshot.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots() {
        for good in ["prod", "prod@57", "prod@june", "el9-x86_64@Release.2026-06_1"] {
            assert_eq!(good.parse::<Snapshot>().unwrap().to_string(), good);
        }
        assert_eq!("prod@57".parse::<Snapshot>().unwrap().at, Some(Moment::Commit(57)));
        for bad in ["", "@57", "prod@", "prod@057", "prod@0", "prod@a@b", "prod@a/b", "prod@99999999999999999999", "P"]
        {
            assert_eq!(bad.parse::<Snapshot>(), Err(ParseSnapshotError(bad.to_owned())), "{bad}");
        }
    }
}
