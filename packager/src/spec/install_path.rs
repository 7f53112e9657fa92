//! Absolute paths on the host.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// An absolute path on the host, normal: no `.`, `..`, doubled or closing `/`, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstallPath(String);

/// Bytes that a path may be long (Linux's PATH_MAX, with its closing zero).
const LENGTH_LIMIT: usize = 4095;

impl InstallPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of something below it, by a name that is known to be relative and normal.
    #[must_use]
    pub(crate) fn join(&self, name: &str) -> String {
        match self.0.as_str() {
            "/" => format!("/{name}"),
            path => format!("{path}/{name}"),
        }
    }
}

impl FromStr for InstallPath {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.strip_prefix('/').ok_or_else(|| ValueError::InstallPath(text.to_owned()))?;
        let is_normal = |name: &str| !matches!(name, "" | "." | "..") && !name.chars().any(char::is_control);
        if text.len() <= LENGTH_LIMIT && (path.is_empty() || path.split('/').all(is_normal)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ValueError::InstallPath(text.to_owned()))
        }
    }
}

impl fmt::Display for InstallPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_paths() {
        for good in ["/", "/a", "/a b/ü", "/a/..b/...", "/a/b.c"] {
            assert!(good.parse::<InstallPath>().is_ok(), "{good}");
        }
        for bad in ["", "a", "./a", "/a/", "//a", "/a//b", "/opt/../etc/x", "/a/.", "/..", "/a\nb", "/a\0"] {
            assert!(bad.parse::<InstallPath>().is_err(), "{bad}");
        }
        assert!(format!("/{}", "a/".repeat(3000)).parse::<InstallPath>().is_err());
    }

    #[test]
    fn joins() {
        assert_eq!("/".parse::<InstallPath>().unwrap().join("a/b"), "/a/b");
        assert_eq!("/x".parse::<InstallPath>().unwrap().join("a"), "/x/a");
    }
}
