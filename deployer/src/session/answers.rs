//! Whether hosts answer with what is installed on them.

use std::collections::BTreeMap;

use futures::future::join_all;
use nevra::Name;

use super::Deployer;
use crate::HostName;
use crate::facts::Facts;
use crate::health::HealthError;
use crate::plan::{Plan, Work};

impl Deployer {
    /// Asks hosts whose service runs, and gives what is wrong with the answers: a service that was not restarted after its
    /// package changed still answers with the version before. `deployed` is what tells its version, unless the environment
    /// says it.
    pub(super) async fn unwell(
        &self,
        hosts: &[&HostName],
        deployed: Option<&Name>,
        facts: &Facts,
    ) -> BTreeMap<HostName, HealthError> {
        let health = &self.environment.health;
        let Some(package) = health.package.as_ref().or(deployed) else { return BTreeMap::new() };
        let site = self.site();
        let doctor = site.doctor();
        let looks = hosts.iter().filter_map(|name| {
            let host = self.environment.host(name)?;
            let found = facts.hosts.get(host.name()).filter(|found| found.is_running())?;
            let version = found.installed_of(package).last()?.evr.clone();
            Some(async move {
                let error = doctor.look(health, host, Some(&version)).await.err()?;
                Some((host.name().clone(), error))
            })
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    /// Marks the hosts for which there is nothing to do, but which answer with another version than they have; says
    /// whether there are any.
    pub(super) async fn find_stale(&self, facts: &mut Facts, plan: &Plan) -> bool {
        let idle = plan.hosts.iter().filter(|host| host.work == Work::Nothing && !host.changes.is_empty());
        let names: Vec<&HostName> = idle.clone().map(|host| &host.host).collect();
        let deployed = idle.flat_map(|host| &host.changes).map(|change| &change.to.name).next();
        let unwell = self.unwell(&names, deployed, facts).await;
        let mut any = false;
        for (host, _) in unwell.into_iter().filter(|(_, error)| error.is_about_content()) {
            if let Some(found) = facts.hosts.get_mut(&host) {
                found.stale = true;
                any = true;
            }
        }
        any
    }
}
