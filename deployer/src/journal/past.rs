//! Which versions came before the ones that run: what a rollback goes back to.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Name, Nevra};

use super::record::{DeploymentRecord, JournalState};
use crate::{DeploymentId, HostName};

/// The journal knows no version before the ones that run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal knows no version before what runs now: {0}")]
pub struct NoEarlierVersion(String);

/// Finds what a rollback goes back to, per host.
///
/// The deployment that is undone is the latest of those that first brought a version that runs now. Each host goes back
/// to what it had before that. So a second rollback goes back one further, and a deployment that failed, or was rolled
/// back already, plays no part. A host that had nothing before goes where the others go.
///
/// # Errors
/// [`NoEarlierVersion`] where no host that is left had an earlier version.
pub fn earlier_versions(
    state: &JournalState,
    running: &BTreeMap<HostName, BTreeSet<Nevra>>,
) -> Result<BTreeMap<HostName, Vec<Nevra>>, NoEarlierVersion> {
    let arrivals = running
        .iter()
        .flat_map(|(host, packages)| packages.iter().filter_map(move |package| first_arrival(state, host, package)));
    let arrivals: Vec<Arrival> = arrivals.collect();
    let Some(latest) = arrivals.iter().map(|arrival| arrival.deployment).max() else {
        return Err(NoEarlierVersion("none of it was deployed from here".to_owned()));
    };
    let mut targets: BTreeMap<HostName, Vec<Nevra>> = BTreeMap::new();
    let undone: Vec<Arrival> = arrivals.into_iter().filter(|arrival| arrival.deployment == latest).collect();
    for arrival in &undone {
        let elsewhere =
            || undone.iter().filter(|other| other.name == arrival.name).find_map(|other| other.before.clone());
        if let Some(before) = arrival.before.clone().or_else(elsewhere) {
            targets.entry(arrival.host.clone()).or_default().push(before);
        }
    }
    if targets.is_empty() {
        return Err(NoEarlierVersion(format!("{latest} was the first deployment")));
    }
    Ok(targets)
}

impl JournalState {
    /// What a host was last left with, by the packages' names, and by which deployment: each is about some packages, and
    /// leaves the others as they are.
    pub(crate) fn left_with(&self, host: &HostName) -> BTreeMap<Name, (DeploymentId, Left)> {
        let mut left = BTreeMap::new();
        for record in &self.deployments {
            let Some(report) = record.hosts.iter().find(|report| report.host == *host) else { continue };
            for name in record.names() {
                let of_name = |packages: &BTreeSet<Nevra>| -> BTreeSet<Nevra> {
                    packages.iter().filter(|package| package.name == name).cloned().collect()
                };
                let now = match &report.now {
                    Some(now) => Left::Seen(of_name(now)),
                    None => {
                        let to = record.changes(host).iter().map(|change| change.to.clone()).collect();
                        Left::Either(&of_name(&report.before) | &of_name(&to))
                    }
                };
                left.insert(name, (record.id, now));
            }
        }
        left
    }

    /// The packages that hosts were left with last, and those that a rollback would bring back: no repository may lose
    /// them.
    #[must_use]
    pub fn needed(&self) -> BTreeSet<Nevra> {
        let hosts: BTreeSet<&HostName> =
            self.deployments.iter().flat_map(|record| &record.hosts).map(|report| &report.host).collect();
        let running: BTreeMap<HostName, BTreeSet<Nevra>> = hosts
            .into_iter()
            .map(|host| {
                (host.clone(), self.left_with(host).into_values().flat_map(|(_, left)| left.packages()).collect())
            })
            .collect();
        let earlier = earlier_versions(self, &running).unwrap_or_default();
        running.into_values().flatten().chain(earlier.into_values().flatten()).collect()
    }
}

/// What a host was left with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Left {
    /// It was seen to have this.
    Seen(BTreeSet<Nevra>),
    /// It could not be seen: it has what it had before, or what it was to get.
    Either(BTreeSet<Nevra>),
}

impl Left {
    /// All that it may have.
    pub(crate) fn packages(self) -> BTreeSet<Nevra> {
        match self {
            Self::Seen(packages) | Self::Either(packages) => packages,
        }
    }
}

/// How a version that runs came to a host for the first time.
struct Arrival {
    deployment: DeploymentId,
    host: HostName,
    name: Name,
    before: Option<Nevra>,
}

/// Gives nothing for a version that was there before anything was deployed, even if a rollback brought it again.
fn first_arrival(state: &JournalState, host: &HostName, package: &Nevra) -> Option<Arrival> {
    for record in &state.deployments {
        for change in record.changes(host).iter().filter(|change| change.moves()) {
            if change.from.as_ref() == Some(package) {
                return None;
            }
            if change.to == *package && arrived(record, host, package) {
                let (host, name, before) = (host.clone(), package.name.clone(), change.from.clone());
                return Some(Arrival { deployment: record.id, host, name, before });
            }
        }
    }
    None
}

/// Whether a deployment left the host with the package.
fn arrived(record: &DeploymentRecord, host: &HostName, package: &Nevra) -> bool {
    record.hosts.iter().any(|report| report.host == *host && report.now.iter().flatten().any(|now| now == package))
}
