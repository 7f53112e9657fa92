//! `FROM..TO`: from which revision to which.

use std::fmt;
use std::str::FromStr;

/// Two revisions, of which git never takes one for an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// From where on, itself not; from the first commit on where there is none.
    pub from: Option<String>,
    /// Up to where.
    pub to: String,
}

/// The text that is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range of revisions; allowed are FROM..TO, FROM.. (to HEAD) and ..TO (from the first commit)")]
pub struct ParseRangeError(String);

const HEAD: &str = "HEAD";

impl Range {
    /// From a revision to HEAD; without one, from the first commit.
    ///
    /// # Errors
    /// [`ParseRangeError`] for what can't be a revision.
    pub fn to_head(from: Option<&str>) -> Result<Self, ParseRangeError> {
        if let Some(from) = from.filter(|from| !is_revision(from)) {
            return Err(ParseRangeError(from.to_owned()));
        }
        Ok(Self { from: from.map(str::to_owned), to: HEAD.to_owned() })
    }

    /// Whether it ends at what is checked out.
    #[must_use]
    pub fn ends_at_head(&self) -> bool {
        self.to == HEAD
    }
}

/// No option, nothing that git's range operators are made of, nothing that no reference may hold (git-check-ref-format(1));
/// `~`, `^`, `@{…}` and `:` belong to revisions.
fn is_revision(text: &str) -> bool {
    let is_plain =
        |character: char| !character.is_whitespace() && !character.is_control() && !"?*[\\".contains(character);
    !text.is_empty() && !text.starts_with(['-', '^', '.']) && !text.contains("..") && text.chars().all(is_plain)
}

impl FromStr for Range {
    type Err = ParseRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseRangeError(text.to_owned());
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let fits = |revision: &str| revision.is_empty() || is_revision(revision);
        if !fits(from) || !fits(to) || (from.is_empty() && to.is_empty()) {
            return Err(wrong());
        }
        let from = (!from.is_empty()).then(|| from.to_owned());
        Ok(Self { from, to: if to.is_empty() { HEAD.to_owned() } else { to.to_owned() } })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(formatter, "{from}..{}", self.to),
            None => formatter.write_str(&self.to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, expected) in [("v1..v2", "v1..v2"), ("v1..", "v1..HEAD"), ("..v2", "v2"), ("a/b~2..c^", "a/b~2..c^")]
        {
            assert_eq!(text.parse::<Range>().unwrap().to_string(), expected);
        }
        for bad in ["", "..", "v1", "v1...v2", "--output=x..HEAD", "a..--all", "a..b..c", "a b..c", "a..^b", "a*..b"] {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
        assert!(Range::to_head(Some("-x")).is_err());
        assert!(Range::to_head(Some("v1")).unwrap().ends_at_head());
    }
}
