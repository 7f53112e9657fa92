//! From what is and what is wanted to what is to be done: a function from values to a value.

mod error;
mod oldest_rollback;
mod resolve;
mod saved;
mod stages;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use nevra::Nevra;
use serde::{Deserialize, Serialize};

pub use self::error::PlanError;
pub use self::oldest_rollback::OldestRollback;
pub use self::saved::{PLAN_FORMAT, PlanFile, PlanFileError, Remark};
use crate::environment::Environment;
use crate::facts::{Facts, HostFacts};
use crate::{ClusterName, EnvironmentName, HostName, Target};

/// What a deployment does: per host, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Of which environment.
    pub environment: EnvironmentName,
    /// Every host of the environment but those that are left out, in its order.
    pub hosts: Vec<HostPlan>,
    /// The hosts that are worked on, stage after stage.
    pub stages: Vec<Stage>,
    /// Hosts of the environment that a person wanted left out: they are not looked at and keep what they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<HostName>,
}

/// A part of a deployment that ends with every host of it serving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// What it is, for people.
    pub title: String,
    /// The cluster that is taken out for it as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Its hosts, batch after batch; none where a cluster only has to come back.
    pub batches: Vec<Vec<HostName>>,
    /// The cluster that is taken out at the moment at which this one comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hands_over_from: Option<ClusterName>,
    /// How long its hosts are watched before the next stage.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub soak_milliseconds: u64,
    /// Whether nothing serves meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outage: bool,
}

/// What a deployment does on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPlan {
    /// The host.
    pub host: HostName,
    /// What is done.
    pub work: Work,
    /// The packages, in the order of the target.
    pub changes: Vec<Change>,
}

/// What is done on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It is as it should be.
    Nothing,
    /// It has the packages, but was left in mid-walk, or its service does not run or was not restarted since: restart,
    /// check, put back.
    Restart,
    /// Its packages change: the whole walk.
    Change,
}

/// What happens to a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was there before this deployment; `None` for nothing.
    pub from: Option<Nevra>,
    /// What is there after it.
    pub to: Nevra,
    /// What has to be done for that.
    pub verb: Verb,
    /// Whether `from` can be had again.
    pub way_back: WayBack,
    /// The limit that the newer one of the two declares, where the older one lies beyond it: an upgrade can't be taken
    /// back then, and a downgrade goes where the package says that it can't go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<OldestRollback>,
}

/// What has to be done to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It is there.
    Nothing,
    /// None of it is there.
    Install,
    /// An older one is there.
    Upgrade,
    /// A newer one is there.
    Downgrade,
    /// More than one is there, as a transaction of this deployment that was cut short left them.
    Repair,
}

/// Whether a change can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayBack {
    /// The repositories have the version before.
    Offered,
    /// There was nothing before.
    NothingBefore,
    /// The repositories no longer have the version before.
    NotOffered,
    /// The repositories have it, but the package says that it can't go back that far once it ran.
    Refused,
}

/// A step on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Download what is to be installed and what would be gone back to.
    Stage,
    /// Let rpm test the transaction.
    Test,
    /// Take the host out of the balancers.
    Drain,
    /// Stop the service.
    Stop,
    /// Run the transaction.
    Install,
    /// Start the service.
    Start,
    /// Wait until the host answers with the right version.
    Check,
    /// Put the host back into the balancers.
    PutBack,
    /// Take a whole cluster out.
    TakeOut,
    /// Bring a whole cluster back.
    BringBack,
    /// See hosts serve for a while.
    Watch,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `skip_serializing_if` gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What an earlier run left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Hosts that were left in mid-walk.
    pub unsettled: BTreeSet<HostName>,
    /// Clusters that were taken out and not brought back.
    pub out: BTreeSet<ClusterName>,
    /// What the deployment that is resumed had planned, for the hosts that it touched.
    pub moved: BTreeMap<HostName, Vec<Change>>,
}

impl Plan {
    /// Whether nothing is to be done on any host.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The batches of all stages, in order.
    pub fn batches(&self) -> impl Iterator<Item = &Vec<HostName>> {
        self.stages.iter().flat_map(|stage| &stage.batches)
    }

    /// What is done on a host.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&HostPlan> {
        self.hosts.iter().find(|plan| plan.host == *name)
    }
}

impl Stage {
    /// How long its hosts are watched before the next stage.
    #[must_use]
    pub fn soak(&self) -> Duration {
        Duration::from_millis(self.soak_milliseconds)
    }
}

impl HostPlan {
    /// The steps on the host while it is in its batch, in order.
    #[must_use]
    pub fn steps(&self) -> &'static [Step] {
        match self.work {
            Work::Nothing => &[],
            Work::Restart => &[Step::Drain, Step::Stop, Step::Start, Step::Check, Step::PutBack],
            Work::Change => WALK,
        }
    }

    /// What is done here against, or without a way back by, what the packages themselves say.
    #[must_use]
    pub fn beyond(&self) -> Vec<&Change> {
        self.changes.iter().filter(|change| change.moves() && change.beyond.is_some()).collect()
    }

    /// Whether everything that changed here can be undone.
    #[must_use]
    pub fn has_way_back(&self) -> bool {
        self.changes.iter().all(|change| !change.moves() || change.way_back == WayBack::Offered)
    }
}

/// The whole walk of a host within its batch.
pub(crate) const WALK: &[Step] = &[Step::Drain, Step::Stop, Step::Install, Step::Start, Step::Check, Step::PutBack];

impl Change {
    /// Whether the deployment moves the package at all, be it already done.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.from.as_ref() != Some(&self.to)
    }
}

/// Plans a deployment.
///
/// # Errors
/// [`PlanError`] where what is wanted can't be had or the hosts are not in order.
pub fn plan(environment: &Environment, facts: &Facts, target: &Target, past: &Past) -> Result<Plan, PlanError> {
    let resolved = resolve::resolve(environment, facts, target)?;
    let mut hosts = Vec::new();
    for host in &environment.hosts {
        let name = host.name();
        let (Some(found), Some(wanted)) = (facts.hosts.get(name), resolved.get(name)) else {
            hosts.push(HostPlan { host: name.clone(), work: Work::Nothing, changes: Vec::new() });
            continue;
        };
        let changes = wanted.iter().map(|to| change(name, found, to, past)).collect::<Result<Vec<_>, PlanError>>()?;
        let work = if changes.iter().any(|change| change.verb != Verb::Nothing) {
            Work::Change
        } else if past.unsettled.contains(name) || found.stale || !found.is_running() {
            Work::Restart
        } else {
            Work::Nothing
        };
        refuse_obstacles(name, found, &changes)?;
        hosts.push(HostPlan { host: name.clone(), work, changes });
    }
    let stages = stages::stages(environment, &hosts, past);
    Ok(Plan { environment: environment.name.clone(), hosts, stages, left_out: environment.left_out.clone() })
}

/// Refuses a host on which the transaction can't go well, before anything is changed anywhere.
fn refuse_obstacles(host: &HostName, found: &HostFacts, changes: &[Change]) -> Result<(), PlanError> {
    if let Some(reason) = &found.condition.broken {
        return Err(PlanError::Database { host: host.clone(), reason: reason.clone() });
    }
    let coming = changes.iter().filter(|change| change.verb != Verb::Nothing).map(|change| &change.to);
    let (free, needed) = (found.free_space, found.condition.needed_space(coming));
    if free < needed {
        return Err(PlanError::Space { host: host.clone(), free, needed });
    }
    Ok(())
}

fn change(host: &HostName, found: &HostFacts, to: &Nevra, past: &Past) -> Result<Change, PlanError> {
    let unsettled = past.unsettled.contains(host);
    let moved = past.moved.get(host).map_or(&[][..], Vec::as_slice);
    let mut installed: Vec<Nevra> = found.installed_of(&to.name).cloned().collect();
    let now = match installed.len() {
        0 | 1 => installed.pop(),
        // Only where the host is known to be out of the balancers, half done.
        _ if unsettled => installed.pop(),
        _ => return Err(PlanError::Duplicates { host: host.clone(), installed, manager: found.manager }),
    };
    let verb = match &now {
        None => Verb::Install,
        Some(_) if !installed.is_empty() => Verb::Repair,
        Some(now) if now == to => Verb::Nothing,
        Some(now) => match now.evr.compare(&to.evr) {
            Ordering::Less => Verb::Upgrade,
            Ordering::Greater => Verb::Downgrade,
            Ordering::Equal => {
                return Err(PlanError::SameVersion {
                    host: host.clone(),
                    from: Box::new(now.clone()),
                    to: Box::new(to.clone()),
                });
            }
        },
    };
    // A deployment that is resumed goes back to what was there before it, not to what it left.
    let from = match moved.iter().find(|change| change.to.name == to.name) {
        Some(change) => change.from.clone(),
        None => now,
    };
    let beyond = from.as_ref().and_then(|from| beyond(found, from, to));
    let is_back = from.as_ref().is_some_and(|from| from.evr.compare(&to.evr).is_gt());
    let way_back = match &from {
        None => WayBack::NothingBefore,
        Some(from) if !found.offered.contains(from) => WayBack::NotOffered,
        Some(_) if beyond.is_some() && !is_back => WayBack::Refused,
        Some(_) => WayBack::Offered,
    };
    Ok(Change { from, to: to.clone(), verb, way_back, beyond })
}

/// The limit that the newer of two versions declares, if the older one lies beyond it.
fn beyond(found: &HostFacts, from: &Nevra, to: &Nevra) -> Option<OldestRollback> {
    let (older, newer) = if from.evr.compare(&to.evr).is_gt() { (to, from) } else { (from, to) };
    found.oldest_rollbacks.get(newer).filter(|oldest| !oldest.allows(&older.evr)).cloned()
}

macro_rules! display_as {
    ($type:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}

display_as!(Verb { Nothing => "nothing", Install => "install", Upgrade => "upgrade", Downgrade => "downgrade", Repair => "repair" });
display_as!(Step {
    Stage => "stage", Test => "test", Drain => "drain", Stop => "stop", Install => "install", Start => "start",
    Check => "check", PutBack => "put-back", TakeOut => "take-out", BringBack => "bring-back", Watch => "watch",
});
display_as!(WayBack {
    Offered => "offered",
    NothingBefore => "nothing was installed before",
    NotOffered => "the version before is no longer in the repositories",
    Refused => "the package says that it can't go back that far",
});

#[cfg(test)]
mod tests;
