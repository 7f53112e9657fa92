//! What is true of the hosts and the balancers, as observed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use nevra::{Nevra, ParseNevraError};
use serde::{Deserialize, Serialize};

use crate::HostName;
use crate::balancers::ServerState;
use crate::condition::{Condition, PackageSize};
use crate::plan::{HostPlan, OldestRollback, Verb};

/// What was observed of all hosts of an environment.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Of each host.
    pub hosts: BTreeMap<HostName, HostFacts>,
}

/// What was observed of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// What installs packages there.
    pub manager: PackageManager,
    /// What of the target's names is installed, oldest first.
    pub installed: BTreeSet<Nevra>,
    /// What of the target's names the repositories offer.
    pub offered: BTreeSet<Nevra>,
    /// How far back packages, installed or offered, let themselves be taken, where they say it.
    pub oldest_rollbacks: BTreeMap<Nevra, OldestRollback>,
    /// The service, as `systemctl is-active` says it.
    pub service: String,
    /// The free space under /var in bytes.
    pub free_space: u64,
    /// Whether a step of this environment runs there at this moment.
    pub busy: bool,
    /// Whether it answers with another version than is installed, as far as that was asked.
    pub stale: bool,
    /// What else is worth knowing of it.
    pub condition: Condition,
    /// How each balancer sees it, in the order of the environment; empty without balancers.
    pub balancers: Vec<ServerState>,
}

/// A package manager, by its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageManager {
    /// dnf 4 (EL 8, 9).
    Dnf4,
    /// dnf 5 (Fedora 41 and later).
    Dnf5,
    /// yum 3 (EL 7).
    Yum3,
}

/// Says why what a host printed are no facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseFactsError {
    /// A line that is no fact.
    #[error("`{0}` is no fact")]
    Line(String),
    /// A package that is no NEVRA.
    #[error(transparent)]
    Nevra(#[from] ParseNevraError),
    /// A fact is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
}

impl HostFacts {
    /// Reads what `scripts/facts.sh` prints.
    ///
    /// # Errors
    /// [`ParseFactsError`] for what it would never print.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseFactsError> {
        let mut manager = None;
        let mut service = None;
        let mut free_space = None;
        let (mut installed, mut offered, mut busy) = (BTreeSet::new(), BTreeSet::new(), false);
        let mut condition = Condition::default();
        let (mut last, mut oldest_rollbacks) = (None, BTreeMap::new());
        for line in text.lines() {
            let unknown = || ParseFactsError::Line(line.to_owned());
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "manager" => manager = Some(PackageManager::parse(value).ok_or_else(unknown)?),
                "service" => service = Some(value.to_owned()),
                "disk" => free_space = Some(value.parse::<u64>().map_err(|_| unknown())?.saturating_mul(1024)),
                // dnf5 ends what it was asked for with one.
                "" if line.is_empty() => {}
                "busy" => busy = true,
                "installed" => {
                    let package: Nevra = value.parse()?;
                    last = Some(package.clone());
                    installed.insert(package);
                }
                // Of the package in the line before. What it says of others, or what is no version, limits nothing.
                "oldest" => {
                    let (name, version) = value.split_once(' ').unwrap_or((value, ""));
                    let package = last.as_ref().filter(|package| package.name.as_str() == name);
                    if let (Some(package), Ok(oldest)) = (package, version.parse()) {
                        oldest_rollbacks.insert(package.clone(), oldest);
                    }
                }
                "offered" => {
                    let mut words = value.split(' ');
                    let package: Nevra = words.next().unwrap_or_default().parse()?;
                    let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
                    let size = PackageSize { installed: number(), download: number() };
                    condition.sizes.insert(package.clone(), size);
                    last = Some(package.clone());
                    offered.insert(package);
                }
                "clock" => {
                    let there: i64 = value.parse().map_err(|_| unknown())?;
                    condition.clock_ahead = there - chrono::Utc::now().timestamp();
                }
                "locked" => condition.locked = Some(value.trim().to_owned()),
                "broken" => condition.broken = Some(value.to_owned()),
                "edited" => condition.edited.push(value.to_owned()),
                "changed" => condition.changed.push(value.to_owned()),
                "beside" => condition.beside.push(value.to_owned()),
                _ => return Err(unknown()),
            }
        }
        Ok(Self {
            manager: manager.ok_or(ParseFactsError::Missing("manager"))?,
            installed,
            offered,
            oldest_rollbacks,
            service: service.ok_or(ParseFactsError::Missing("service"))?,
            free_space: free_space.ok_or(ParseFactsError::Missing("disk"))?,
            busy,
            stale: false,
            condition,
            balancers: Vec::new(),
        })
    }

    /// What is installed under a package's name.
    pub fn installed_of(&self, name: &nevra::Name) -> impl Iterator<Item = &Nevra> {
        self.installed.iter().filter(move |package| package.name == *name)
    }

    /// How much space is left, in bytes, once what is planned for the host has come.
    #[must_use]
    pub fn space_after(&self, plan: &HostPlan) -> u64 {
        let coming = plan.changes.iter().filter(|change| change.verb != Verb::Nothing).map(|change| &change.to);
        self.free_space.saturating_sub(self.condition.needed_space(coming))
    }

    /// Whether the service runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.service.as_str(), "active" | "reloading")
    }

    /// Whether all balancers send requests there; true without balancers.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.balancers.iter().all(|state| state.serving)
    }
}

impl PackageManager {
    fn parse(text: &str) -> Option<Self> {
        [Self::Dnf4, Self::Dnf5, Self::Yum3].into_iter().find(|manager| manager.as_str() == text)
    }

    /// Its name as the scripts know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dnf4 => "dnf4",
            Self::Dnf5 => "dnf5",
            Self::Yum3 => "yum3",
        }
    }
}

impl fmt::Display for PackageManager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_script_prints() {
        let facts = HostFacts::parse(
            "manager dnf4\nservice active\ndisk 1000\ninstalled app-0:1.0-1.noarch\n\
             offered app-0:1.0-1.noarch\noffered app-1:0.9-1.noarch\nbusy\n",
        )
        .unwrap();
        assert_eq!((facts.manager, facts.free_space, facts.busy), (PackageManager::Dnf4, 1_024_000, true));
        assert_eq!(facts.installed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["app-1.0-1.noarch"]);
        assert_eq!(facts.offered.iter().next_back().unwrap().to_string(), "app-1:0.9-1.noarch");
    }

    #[test]
    fn reads_in_what_condition_a_host_is() {
        let facts = HostFacts::parse(&format!(
            "manager dnf5\nservice active\ndisk 1000\nclock {}\nlocked process 7, dnf upgrade \n\
             broken cannot open Packages\nedited /etc/a b\nchanged /usr/a\nbeside /etc/a.rpmnew\n\
             installed app-0:2.0-1.noarch\noldest app 1.5\noldest other 9\noffered app-0:1.0-1.noarch 100 40\n\
             offered app-0:3.0-1.noarch 100 40\noldest app 2.0-1\n",
            chrono::Utc::now().timestamp() + 90
        ));
        let facts = facts.unwrap();
        let oldest: Vec<String> =
            facts.oldest_rollbacks.iter().map(|(package, oldest)| format!("{package} {oldest}")).collect();
        assert_eq!(oldest, ["app-2.0-1.noarch 1.5", "app-3.0-1.noarch 2.0-1"]);
        let condition = facts.condition;
        assert_eq!(condition.locked.as_deref(), Some("process 7, dnf upgrade"));
        assert_eq!((condition.edited.as_slice(), condition.beside.len()), (&["/etc/a b".to_owned()][..], 1));
        assert!((88..=92).contains(&condition.clock_ahead), "{}", condition.clock_ahead);
        assert_eq!(condition.sizes.values().next(), Some(&PackageSize { installed: 100, download: 40 }));
    }

    #[test]
    fn refuses_anything_else() {
        for (text, expected) in [
            ("", "`manager` is missing"),
            ("manager apt\n", "`manager apt` is no fact"),
            ("manager dnf4\nservice active\ndisk\n", "`disk` is no fact"),
            ("Welcome to web1!\n", "`Welcome to web1!` is no fact"),
            ("installed app\n", "`app` is not"),
        ] {
            let error = HostFacts::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
