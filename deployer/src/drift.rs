//! Drift: in what hosts differ from how the last deployment left them, and from one another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use nevra::{Name, Nevra};

use crate::facts::HostFacts;
use crate::health::HealthError;
use crate::journal::{DeploymentRecord, Ending, JournalState, Left};
use crate::site::Sight;
use crate::{DeploymentId, HostName};

/// One thing on a host that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// A deployment works on it at this moment, or left it in the middle.
    MidWalk {
        /// Which.
        deployment: DeploymentId,
        /// Whether it goes on.
        goes_on: bool,
    },
    /// Somebody else installed another version.
    ByHand {
        /// What is there.
        has: BTreeSet<Nevra>,
        /// What was left there.
        left: BTreeSet<Nevra>,
        /// By which deployment.
        deployment: DeploymentId,
    },
    /// Somebody else removed it.
    Removed {
        /// What was left there.
        left: BTreeSet<Nevra>,
        /// By which deployment.
        deployment: DeploymentId,
    },
    /// It missed a deployment, as it was dead or left out, and runs what it ran before.
    Behind {
        /// What is there.
        has: BTreeSet<Nevra>,
        /// What the others were brought.
        brought: Nevra,
        /// By which deployment.
        deployment: DeploymentId,
    },
    /// It has something else than most hosts, and nothing says why.
    Differs {
        /// What is there.
        has: BTreeSet<Nevra>,
        /// What most have.
        most: BTreeSet<Nevra>,
    },
    /// Configuration was edited since it was installed.
    Edited(Vec<String>),
    /// Other files of the packages are not as they were installed.
    Changed(Vec<String>),
    /// rpm left `.rpmnew`, `.rpmsave` or `.rpmorig` beside configuration, and nobody has merged it.
    Beside(Vec<String>),
    /// The service does not run.
    Service(String),
    /// The application does not answer as it should with what is installed.
    Unwell(String),
    /// A balancer sends nothing there.
    OutOfBalancer(Vec<String>),
}

impl Drift {
    /// Its kind, as a word for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MidWalk { .. } => "mid-walk",
            Self::ByHand { .. } => "by-hand",
            Self::Removed { .. } => "removed",
            Self::Behind { .. } => "behind",
            Self::Differs { .. } => "differs",
            Self::Edited(_) => "edited",
            Self::Changed(_) => "changed",
            Self::Beside(_) => "beside",
            Self::Service(_) => "service",
            Self::Unwell(_) => "unwell",
            Self::OutOfBalancer(_) => "out-of-balancer",
        }
    }

    /// Whether it is about which packages are installed.
    fn is_about_packages(&self) -> bool {
        matches!(self, Self::ByHand { .. } | Self::Removed { .. } | Self::Behind { .. } | Self::Differs { .. })
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MidWalk { deployment, goes_on: true } => write!(formatter, "{deployment} works on it"),
            Self::MidWalk { deployment, goes_on: false } => {
                write!(formatter, "{deployment} left it in the middle: `pkg resume`, or a deployment, finishes it")
            }
            Self::ByHand { has, left, deployment } => {
                write!(formatter, "changed by hand: has {}, {deployment} left {}", packages(has), packages(left))
            }
            Self::Removed { left, deployment } => {
                write!(formatter, "removed by hand: {deployment} left {}", packages(left))
            }
            Self::Behind { has, brought, deployment } => {
                write!(formatter, "has {}: it missed {deployment}, which brought {brought} to others", packages(has))
            }
            Self::Differs { has, most } => {
                write!(formatter, "has {}, most hosts have {}", packages(has), packages(most))
            }
            Self::Edited(files) => write!(formatter, "edited configuration: {}", Files(files)),
            Self::Changed(files) => write!(formatter, "not as it was installed: {}", Files(files)),
            Self::Beside(files) => write!(formatter, "left beside configuration: {}", Files(files)),
            Self::Service(state) => write!(formatter, "the service is {state}"),
            Self::Unwell(error) => write!(formatter, "it does not answer as it should: {error}"),
            Self::OutOfBalancer(states) => {
                write!(formatter, "out of service: the balancer says {}", states.join(", "))
            }
        }
    }
}

fn packages(packages: &BTreeSet<Nevra>) -> String {
    let names: Vec<String> = packages.iter().map(ToString::to_string).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" ") }
}

/// A few of many files.
pub(crate) struct Files<'a>(pub(crate) &'a [String]);

impl fmt::Display for Files<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        write!(formatter, "{}", self.0[..self.0.len().min(SHOWN)].join(", "))?;
        if self.0.len() > SHOWN { write!(formatter, " and {} more", self.0.len() - SHOWN) } else { Ok(()) }
    }
}

/// Says of each host that was seen in what it differs.
#[must_use]
pub fn drift(state: &JournalState, sight: &Sight) -> BTreeMap<HostName, Vec<Drift>> {
    let mid_walk = mid_walk(state);
    let hosts = sight.facts.hosts.iter();
    let mut drifts: BTreeMap<HostName, Vec<Drift>> = hosts
        .map(|(host, found)| match mid_walk.get(host) {
            // What a deployment has begun is for it to end: versions, service and balancer are on their way.
            Some(mid_walk) => (host.clone(), vec![mid_walk.clone()]),
            None => (host.clone(), host_drift(state, host, found, sight.unwell.get(host))),
        })
        .collect();
    say_who_differs(sight, &mut drifts);
    drifts
}

fn mid_walk(state: &JournalState) -> BTreeMap<HostName, Drift> {
    let goes_on = state.unfinished().is_some_and(|record| record.until > chrono::Utc::now());
    let last = |host: &HostName| {
        let touched =
            |record: &&DeploymentRecord| record.steps.iter().any(|step| step.host == *host && step.step.touches());
        state.deployments.iter().rev().find(touched).map(|record| record.id)
    };
    let unsettled = state.unsettled().into_iter();
    unsettled
        .filter_map(|host| {
            let deployment = last(&host)?;
            let goes_on = goes_on && state.unfinished().is_some_and(|record| record.id == deployment);
            Some((host, Drift::MidWalk { deployment, goes_on }))
        })
        .collect()
}

fn host_drift(state: &JournalState, host: &HostName, found: &HostFacts, unwell: Option<&HealthError>) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut left = state.left_with(host);
    for name in state.deployments.iter().flat_map(DeploymentRecord::names).collect::<BTreeSet<_>>() {
        let has: BTreeSet<Nevra> = found.installed_of(&name).cloned().collect();
        drifts.extend(match left.remove(&name) {
            Some((deployment, Left::Seen(left))) if has != left => Some(if has.is_empty() {
                Drift::Removed { left, deployment }
            } else {
                Drift::ByHand { has, left, deployment }
            }),
            Some((deployment, Left::Seen(_))) => behind(state, host, (&name, &has), Some(deployment)),
            _ => behind(state, host, (&name, &has), None),
        });
    }
    let condition = &found.condition;
    let files = [
        (Drift::Edited as fn(Vec<String>) -> Drift, &condition.edited),
        (Drift::Changed, &condition.changed),
        (Drift::Beside, &condition.beside),
    ];
    drifts.extend(files.into_iter().filter(|(_, files)| !files.is_empty()).map(|(drift, files)| drift(files.clone())));
    if !found.is_running() {
        drifts.push(Drift::Service(found.service.clone()));
    }
    drifts.extend(unwell.map(|error| Drift::Unwell(error.to_string())));
    if !found.is_serving() {
        let out = found.balancers.iter().filter(|state| !state.serving);
        drifts.push(Drift::OutOfBalancer(out.map(ToString::to_string).collect()));
    }
    drifts
}

/// Whether the last deployment of a package came to other hosts only, after this one was last seen at the end of one.
fn behind(
    state: &JournalState,
    host: &HostName,
    (name, has): (&Name, &BTreeSet<Nevra>),
    since: Option<DeploymentId>,
) -> Option<Drift> {
    let later = state.deployments.iter().rev().take_while(|record| Some(record.id) != since);
    let mut later = later.filter(|record| record.names().contains(name));
    let (deployment, brought) = later.find_map(|record| {
        let others = record.hosts.iter().filter(|report| report.host != *host);
        let brought = others.flat_map(|report| report.now.iter().flatten()).find(|package| package.name == *name)?;
        Some((record.id, brought.clone()))
    })?;
    (!has.contains(&brought)).then(|| Drift::Behind { has: has.clone(), brought, deployment })
}

/// The latest deployment that brought a package to a host.
#[must_use]
pub fn brought<'a>(state: &'a JournalState, host: &HostName, package: &Nevra) -> Option<&'a DeploymentRecord> {
    let changed = |record: &&DeploymentRecord| matches!(record.ending, Some(Ending::Done | Ending::PartlyChanged));
    state
        .deployments
        .iter()
        .rev()
        .filter(changed)
        .find(|record| record.changes(host).iter().any(|change| change.moves() && change.to == *package))
}

/// Adds to those that run something else than most; where no version is on most, they differ from one another.
fn say_who_differs(sight: &Sight, drifts: &mut BTreeMap<HostName, Vec<Drift>>) {
    let seen: Vec<&BTreeSet<Nevra>> = sight.facts.hosts.values().map(|found| &found.installed).collect();
    let count = |packages: &BTreeSet<Nevra>| seen.iter().filter(|other| **other == packages).count();
    let Some(most) = seen.iter().find(|packages| count(packages) * 2 > seen.len()) else { return };
    for (host, found) in sight.facts.hosts.iter().filter(|(_, found)| found.installed != **most) {
        let drift = drifts.entry(host.clone()).or_default();
        let is_explained = |drift: &Drift| drift.is_about_packages() || matches!(drift, Drift::MidWalk { .. });
        if !drift.iter().any(is_explained) {
            drift.insert(0, Drift::Differs { has: found.installed.clone(), most: (**most).clone() });
        }
    }
}
