//! From what is and what is wanted to what is to be done: a function from values to a value.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use nevra::{Nevra, PackageQuery};
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::facts::{Facts, HostFacts};
use crate::{HostName, Target};

/// What a deployment does: per host, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Every host of the environment, in its order.
    pub hosts: Vec<HostPlan>,
    /// The hosts that are worked on, batch after batch.
    pub batches: Vec<Vec<HostName>>,
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
    /// It has the packages, but was left in mid-walk: restart, check, put back.
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
}

/// What an earlier run left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Hosts that were left in mid-walk.
    pub unsettled: BTreeSet<HostName>,
    /// What the deployment that is resumed had planned, for the hosts that it touched.
    pub moved: BTreeMap<HostName, Vec<Change>>,
}

/// Says why there is no plan. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The repositories do not offer what was asked for.
    #[error("`{query}` is not offered to `{host}`; {}", Offered(offered))]
    NotOffered {
        /// What was asked for.
        query: PackageQuery,
        /// The host.
        host: HostName,
        /// What they do offer of that name, newest first.
        offered: Vec<Nevra>,
    },
    /// A query fits packages of more than one name.
    #[error("`{query}` fits `{first}` and `{second}`; write the whole `name-version-release.arch`")]
    Ambiguous {
        /// What was asked for.
        query: PackageQuery,
        /// One package.
        first: Box<Nevra>,
        /// Another package.
        second: Box<Nevra>,
    },
    /// Hosts are offered different versions for one query.
    #[error("`{query}` is `{}` for `{}` and `{}` for `{}`; name the version", .first.1, .first.0, .second.1, .second.0)]
    Disagree {
        /// What was asked for.
        query: PackageQuery,
        /// A host and its newest.
        first: Box<(HostName, Nevra)>,
        /// Another host and its newest.
        second: Box<(HostName, Nevra)>,
    },
    /// Two targets are versions of one package.
    #[error("`{first}` and `{second}` are the same package; name one version")]
    Conflict {
        /// One.
        first: Box<Nevra>,
        /// The other.
        second: Box<Nevra>,
    },
    /// More than one version is installed, as an interrupted transaction leaves it.
    #[error("`{host}` has {} installed at once; repair it with `dnf remove --duplicates`", list(installed))]
    Duplicates {
        /// The host.
        host: HostName,
        /// The versions.
        installed: Vec<Nevra>,
    },
    /// Two different packages that rpm takes for the same version.
    #[error("`{from}` on `{host}` and `{to}` are the same version to rpm; build it with a higher release")]
    SameVersion {
        /// The host.
        host: HostName,
        /// What is installed.
        from: Box<Nevra>,
        /// What was asked for.
        to: Box<Nevra>,
    },
}

struct Offered<'a>(&'a [Nevra]);

impl fmt::Display for Offered<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => formatter.write_str("the repositories have no package of that name"),
            offered => write!(formatter, "offered are {}", list(&offered[..offered.len().min(8)])),
        }
    }
}

fn list(packages: &[Nevra]) -> String {
    packages.iter().map(|package| format!("`{package}`")).collect::<Vec<_>>().join(", ")
}

impl Plan {
    /// Whether nothing is to be done on any host.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// What is done on a host.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&HostPlan> {
        self.hosts.iter().find(|plan| plan.host == *name)
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
    let resolved = match target {
        Target::Packages(queries) => resolve_queries(environment, facts, queries)?,
        Target::Hosts(hosts) => resolve_exact(facts, hosts)?,
    };
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
        } else if past.unsettled.contains(name) {
            Work::Restart
        } else {
            Work::Nothing
        };
        hosts.push(HostPlan { host: name.clone(), work, changes });
    }
    // What is out of the balancers already comes first: that costs nobody anything.
    let mut order: Vec<&HostPlan> = hosts.iter().filter(|plan| plan.work != Work::Nothing).collect();
    order.sort_by_key(|plan| !past.unsettled.contains(&plan.host));
    let batches = order
        .chunks(environment.strategy.batch_size.of(environment.hosts.len()))
        .map(|batch| batch.iter().map(|plan| plan.host.clone()).collect())
        .collect();
    Ok(Plan { hosts, batches })
}

type Resolved = BTreeMap<HostName, Vec<Nevra>>;

fn resolve_queries(environment: &Environment, facts: &Facts, queries: &[PackageQuery]) -> Result<Resolved, PlanError> {
    let mut resolved = Resolved::new();
    for query in queries {
        let mut first: Option<(HostName, Nevra)> = None;
        for host in environment.hosts.iter().map(crate::environment::Host::name) {
            let Some(found) = facts.hosts.get(host) else { continue };
            let package = newest(query, host, &found.offered)?;
            match &first {
                Some((first_host, other)) if (&other.name, &other.evr) != (&package.name, &package.evr) => {
                    return Err(PlanError::Disagree {
                        query: query.clone(),
                        first: Box::new((first_host.clone(), other.clone())),
                        second: Box::new((host.clone(), package)),
                    });
                }
                Some(_) => {}
                None => first = Some((host.clone(), package.clone())),
            }
            let wanted = resolved.entry(host.clone()).or_default();
            match wanted.iter().find(|other| other.name == package.name) {
                Some(other) if *other == package => {}
                Some(other) => {
                    return Err(PlanError::Conflict { first: Box::new(other.clone()), second: Box::new(package) });
                }
                None => wanted.push(package),
            }
        }
    }
    Ok(resolved)
}

/// The newest package that a query names.
fn newest(query: &PackageQuery, host: &HostName, offered: &BTreeSet<Nevra>) -> Result<Nevra, PlanError> {
    let fitting = || offered.iter().filter(|package| query.matches(package) && package.arch.as_str() != "src");
    let Some(package) = fitting().max_by(|left, right| left.evr.cmp(&right.evr)) else {
        return Err(not_offered(query.clone(), host, offered));
    };
    match fitting().find(|other| other.name != package.name) {
        Some(other) => Err(PlanError::Ambiguous {
            query: query.clone(),
            first: Box::new(package.clone()),
            second: Box::new(other.clone()),
        }),
        None => Ok(package.clone()),
    }
}

/// Says what there is of the longest name that the query begins with.
fn not_offered(query: PackageQuery, host: &HostName, offered: &BTreeSet<Nevra>) -> PlanError {
    let fits = |package: &&Nevra| {
        let rest = query.as_str().strip_prefix(package.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let longest = offered.iter().filter(fits).map(|package| package.name.as_str().len()).max();
    let mut offered: Vec<Nevra> =
        offered.iter().filter(fits).filter(|package| Some(package.name.as_str().len()) == longest).cloned().collect();
    offered.sort_by(|left, right| right.evr.cmp(&left.evr));
    PlanError::NotOffered { query, host: host.clone(), offered }
}

fn resolve_exact(facts: &Facts, hosts: &Resolved) -> Result<Resolved, PlanError> {
    for (host, packages) in hosts {
        let Some(found) = facts.hosts.get(host) else { continue };
        for package in packages {
            if !found.offered.contains(package) && !found.installed.contains(package) {
                return Err(not_offered(PackageQuery::from(package), host, &found.offered));
            }
        }
    }
    Ok(hosts.clone())
}

fn change(host: &HostName, found: &HostFacts, to: &Nevra, past: &Past) -> Result<Change, PlanError> {
    let unsettled = past.unsettled.contains(host);
    let moved = past.moved.get(host).map_or(&[][..], Vec::as_slice);
    let mut installed: Vec<Nevra> = found.installed_of(&to.name).cloned().collect();
    let now = match installed.len() {
        0 | 1 => installed.pop(),
        // Only where the host is known to be out of the balancers, half done.
        _ if unsettled => installed.pop(),
        _ => return Err(PlanError::Duplicates { host: host.clone(), installed }),
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
    let way_back = match &from {
        None => WayBack::NothingBefore,
        Some(from) if found.offered.contains(from) => WayBack::Offered,
        Some(_) => WayBack::NotOffered,
    };
    Ok(Change { from, to: to.clone(), verb, way_back })
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
    Check => "check", PutBack => "put-back",
});
display_as!(WayBack {
    Offered => "offered",
    NothingBefore => "nothing was installed before",
    NotOffered => "the version before is no longer in the repositories",
});

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
