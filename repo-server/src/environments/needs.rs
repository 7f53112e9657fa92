//! Which packages no repository may lose: what hosts run, and what they would go back to.

use std::collections::BTreeSet;

use nevra::Nevra;

use super::projection::{Deployment, Projection};

impl Projection {
    /// What hosts were left with last, what each of these versions replaced when it first came, and all that a
    /// deployment which is under way moves.
    pub(super) fn needs(&self) -> BTreeSet<Nevra> {
        let mut needs = BTreeSet::new();
        for (host, names) in self.running(None) {
            for package in names.into_values().flat_map(|running| running.packages) {
                needs.extend(self.replaced_by(host, &package));
                needs.insert(package);
            }
        }
        let left = self.deployments.last().filter(|last| {
            last.summary.ending.is_none() || last.hosts.iter().any(|(_, host)| !host.settled || host.now.is_none())
        });
        let changes =
            left.iter().flat_map(|left| &left.plan).flat_map(|plan| plan.iter()).flat_map(|(_, changes)| changes);
        for change in changes {
            needs.extend(change.from.iter().chain([&change.to]).cloned());
        }
        needs
    }

    /// What a version replaced when it came to a host for the first time; nothing for one that was there before anything
    /// was deployed.
    fn replaced_by(&self, host: &str, package: &Nevra) -> Option<Nevra> {
        for deployment in &self.deployments {
            for change in deployment.changes(host).iter().filter(|change| change.moves()) {
                if change.from.as_ref() == Some(package) {
                    return None;
                }
                if change.to == *package && arrived(deployment, host, package) {
                    return change.from.clone();
                }
            }
        }
        None
    }
}

/// Whether a deployment left the host with the package.
fn arrived(deployment: &Deployment, host: &str, package: &Nevra) -> bool {
    let outcome = deployment.hosts.get(host);
    outcome.is_some_and(|outcome| outcome.now.iter().flatten().any(|now| now == package))
}
