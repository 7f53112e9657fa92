//! How far back a package lets itself be taken: what it declares as `oldest-rollback(NAME) = VERSION` among its provides.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use nevra::{Evr, ParseEvrError};
use serde::{Deserialize, Serialize};

/// The oldest version that a package can go back to: `[epoch:]version[-release]`, where any release will do if none is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OldestRollback {
    evr: Evr,
    text: String,
}

/// Stands for any release.
const ANY_RELEASE: &str = "0";

impl OldestRollback {
    /// Whether a version is not older than this one.
    #[must_use]
    pub fn allows(&self, version: &Evr) -> bool {
        if self.text.contains('-') {
            return version.compare(&self.evr) != Ordering::Less;
        }
        let any = Evr::from_header(version.epoch(), version.version().to_owned(), ANY_RELEASE.to_owned());
        any.compare(&self.evr) != Ordering::Less
    }
}

impl FromStr for OldestRollback {
    type Err = ParseEvrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = if text.contains('-') { text.to_owned() } else { format!("{text}-{ANY_RELEASE}") };
        Ok(Self { evr: whole.parse()?, text: text.to_owned() })
    }
}

impl TryFrom<String> for OldestRollback {
    type Error = ParseEvrError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OldestRollback> for String {
    fn from(oldest: OldestRollback) -> Self {
        oldest.text
    }
}

impl fmt::Display for OldestRollback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_without_a_release_stands_for_all_of_them() {
        for (oldest, version, allowed) in [
            ("4.0.0", "4.0.0-1", true),
            ("4.0.0", "4.0.0~rc1-9", false),
            ("4.0.0", "3.9.9-900", false),
            ("4.0.0", "10.0.0-1", true),
            ("4.0.0-5", "4.0.0-4", false),
            ("4.0.0-5", "4.0.0-5.el9", true),
            ("1:1.0", "4.0.0-1", false),
            ("4.0.0", "1:1.0-1", true),
        ] {
            let limit: OldestRollback = oldest.parse().unwrap();
            assert_eq!(limit.allows(&version.parse().unwrap()), allowed, "{oldest} {version}");
        }
        for bad in ["", "-", "1-2-3", "x y"] {
            assert!(bad.parse::<OldestRollback>().is_err(), "{bad}");
        }
    }
}
