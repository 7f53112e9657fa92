//! In what condition a host is, beyond its packages: what is worth saying before anything changes, and what forbids it.

use std::collections::BTreeMap;

use nevra::Nevra;
use serde::Serialize;

/// In what condition a host is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Why rpm's database can't be read.
    pub broken: Option<String>,
    /// Who holds a lock of the package manager: its process and command.
    pub locked: Option<String>,
    /// Configuration that was edited since it was installed.
    pub edited: Vec<String>,
    /// Other files of the packages that are not as they were installed.
    pub changed: Vec<String>,
    /// What rpm left beside configuration: `.rpmnew`, `.rpmsave` and `.rpmorig`.
    pub beside: Vec<String>,
    /// How many seconds its clock is before the controller's; negative where it is behind.
    pub clock_ahead: i64,
    /// What the offered packages take, in bytes.
    #[serde(skip)]
    pub sizes: BTreeMap<Nevra, PackageSize>,
}

/// What a package takes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackageSize {
    /// Installed.
    pub installed: u64,
    /// As a file that is downloaded.
    pub download: u64,
}

/// A clock that is off by so many seconds makes logs hard to read and certificates fail.
const CLOCK_TOLERANCE: i64 = 30;
/// What has to be free beside the packages: logs, rpm's database, Tomcat's own files.
const RESERVE: u64 = 16 << 20;

impl Condition {
    /// What is worth saying of it besides its packages' files ([`Drift`](crate::Drift)), one text each; nothing of a host
    /// that is as it should be.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(broken) = &self.broken {
            remarks.push(format!("rpm's database can't be read: {broken}"));
        }
        if let Some(locked) = &self.locked {
            remarks.push(format!("the package manager is locked by {locked}"));
        }
        if self.clock_ahead.abs() > CLOCK_TOLERANCE {
            let side = if self.clock_ahead > 0 { "ahead of" } else { "behind" };
            remarks.push(format!("its clock is {} s {side} the controller's", self.clock_ahead.abs()));
        }
        remarks
    }

    /// How much has to be free to bring these packages, with what they take the place of staged beside them.
    pub(crate) fn needed_space<'a>(&self, targets: impl Iterator<Item = &'a Nevra>) -> u64 {
        let need = |target: &Nevra| self.sizes.get(target).map_or(0, |size| size.installed + 2 * size.download);
        let needed: u64 = targets.map(need).sum();
        if needed == 0 { 0 } else { needed + RESERVE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_order_gives_no_reason_to_speak() {
        assert_eq!(Condition { clock_ahead: -30, ..Condition::default() }.remarks(), [""; 0]);
        let condition =
            Condition { locked: Some("process 12, dnf upgrade".to_owned()), clock_ahead: -95, ..Condition::default() };
        assert_eq!(
            condition.remarks(),
            ["the package manager is locked by process 12, dnf upgrade", "its clock is 95 s behind the controller's",]
        );
    }

    #[test]
    fn space_is_needed_for_what_comes() {
        let package: Nevra = "app-1.0-1.noarch".parse().unwrap();
        let sizes = [(package.clone(), PackageSize { installed: 100, download: 40 })].into();
        let condition = Condition { sizes, ..Condition::default() };
        assert_eq!(condition.needed_space([&package].into_iter()), 180 + RESERVE);
        assert_eq!(condition.needed_space([].into_iter()), 0);
    }
}
