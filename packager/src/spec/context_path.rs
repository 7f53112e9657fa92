//! The path under which Tomcat serves an application.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// A context path such as `/petclinic`, `/shop/admin` or `/`.
///
/// Tomcat derives the names of the descriptor and of the unpacked directory from it: `/` is `ROOT`, and every further
/// `/` is a `#` (Apache Tomcat documentation, "The Context Container", Naming).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextPath(String);

impl ContextPath {
    /// The name of the descriptor without `.xml`, and of the directory that Tomcat unpacks the WAR into.
    #[must_use]
    pub fn base_name(&self) -> String {
        match self.0.trim_start_matches('/') {
            "" => "ROOT".to_owned(),
            path => path.replace('/', "#"),
        }
    }
}

impl FromStr for ContextPath {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.chars().all(|c| c.is_ascii_alphanumeric() || "._~-".contains(c))
        };
        let holds = match text.strip_prefix('/') {
            Some("") => true,
            Some("ROOT") | None => false,
            Some(path) => path.split('/').all(is_segment),
        };
        if holds { Ok(Self(text.to_owned())) } else { Err(ValueError::Context(text.to_owned())) }
    }
}

impl fmt::Display for ContextPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_tomcat() {
        for (path, name) in [("/", "ROOT"), ("/a", "a"), ("/a/b", "a#b"), ("/a/b.c/d-1_~", "a#b.c#d-1_~")] {
            assert_eq!(path.parse::<ContextPath>().unwrap().base_name(), name);
        }
    }

    #[test]
    fn refuses_what_tomcat_reads_otherwise() {
        for bad in ["", "a", "//", "/a/", "/a//b", "/..", "/a/../b", "/a#b", "/a##1", "/ROOT", "/a b", "/a'", "/ü"] {
            assert!(bad.parse::<ContextPath>().is_err(), "{bad}");
        }
    }
}
