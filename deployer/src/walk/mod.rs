//! Carrying a plan out: steps on hosts, batches, and the way back.

mod back_out;
mod batches;
mod clusters;
mod decisions;
mod error;
mod service;
mod stages;
mod steps;
mod transaction;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub(crate) use batches::Setback;
pub(crate) use decisions::Halt;
pub use error::StepError;
pub use transaction::TransactionError;

use crate::environment::{HookPoint, Host};
use crate::facts::Facts;
use crate::fence::Fence;
use crate::hooks::Hooks;
use crate::journal::{Direction, Entry, Journal, StepResult};
use crate::observer::{Event, Happening};
use crate::plan::{HostPlan, Plan, Step};
use crate::site::Site;
use crate::{ClusterName, HostName, Script};

/// One run of a plan, under a lease.
pub(crate) struct Walk<'a> {
    site: Site<'a>,
    journal: &'a Journal,
    plan: &'a Plan,
    facts: &'a Facts,
    /// The hosts on which a step that changes something was begun, in that order.
    touched: Mutex<Vec<HostName>>,
    /// The clusters that were taken out and are not back.
    out: Mutex<BTreeSet<ClusterName>>,
    /// The hosts that are passed over.
    skipped: Mutex<Vec<HostName>>,
    /// In which direction hosts finished their walk.
    finished: Mutex<BTreeMap<HostName, Direction>>,
    /// Since when hosts are out of the balancers, as far as this run took them out.
    absent: Mutex<BTreeMap<HostName, Instant>>,
}

/// A host with what is planned for it.
#[derive(Clone, Copy)]
struct Station<'a> {
    host: &'a Host,
    plan: &'a HostPlan,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(site: Site<'a>, journal: &'a Journal, plan: &'a Plan, facts: &'a Facts) -> Self {
        Self {
            site,
            journal,
            plan,
            facts,
            touched: Mutex::default(),
            out: Mutex::default(),
            skipped: Mutex::default(),
            finished: Mutex::default(),
            absent: Mutex::default(),
        }
    }

    /// Counts what an earlier run of the same deployment touched as touched, and what it took out as out.
    pub(crate) async fn remember(&self, touched: Vec<HostName>, out: BTreeSet<ClusterName>) {
        self.touched.lock().await.extend(touched);
        self.out.lock().await.extend(out);
    }

    /// The clusters that were taken out and are not back.
    pub(crate) async fn out(&self) -> BTreeSet<ClusterName> {
        self.out.lock().await.clone()
    }

    /// Whether nothing has to be taken back.
    pub(crate) async fn is_untouched(&self) -> bool {
        self.touched.lock().await.is_empty() && self.out.lock().await.is_empty()
    }

    /// The hosts that are passed over.
    pub(crate) async fn skipped(&self) -> Vec<HostName> {
        self.skipped.lock().await.clone()
    }

    /// Passes hosts over: they stay out of service as they are.
    async fn skip(&self, hosts: impl Iterator<Item = HostName>) {
        self.skipped.lock().await.extend(hosts);
    }

    /// The hosts on which a step that changes something was begun, in that order.
    pub(crate) async fn touched(&self) -> Vec<HostName> {
        self.touched.lock().await.clone()
    }

    /// The journal that it writes to.
    pub(crate) fn journal(&self) -> &'a Journal {
        self.journal
    }

    /// The plan that it carries out.
    pub(crate) fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// What was true when the plan was made.
    pub(crate) fn facts(&self) -> &'a Facts {
        self.facts
    }

    fn station(&self, name: &HostName) -> Option<Station<'a>> {
        let host = self.site.environment.host(name)?;
        Some(Station { host, plan: self.plan.host(name)? })
    }

    /// Makes one step on one host, journalled before and after.
    async fn step(&self, station: Station<'_>, step: Step, direction: Direction) -> Result<(), StepError> {
        let name = station.host.name();
        let work = self.with_hooks(station, step, direction);
        let outcome = self.journalled((name, None), step, direction, work.boxed()).await;
        if step == Step::PutBack && outcome.is_ok() {
            self.finished.lock().await.insert(name.clone(), direction);
        }
        outcome
    }

    /// Does the work of a step on a host, or on the cluster whose proxy the host is, journalled before and after.
    async fn journalled(
        &self,
        (host, cluster): (&HostName, Option<&ClusterName>),
        step: Step,
        direction: Direction,
        work: BoxFuture<'_, Result<Option<String>, StepError>>,
    ) -> Result<(), StepError> {
        if self.site.is_interrupted() {
            return Err(StepError::Interrupted);
        }
        let (deployment, host, cluster) = (self.journal.id(), host.clone(), cluster.cloned());
        let begun = Entry::StepBegun { deployment, host: host.clone(), cluster: cluster.clone(), step, direction };
        self.journal.write(begun).await?;
        self.begins(&host, cluster.as_ref(), step).await;
        self.tell(Happening::StepBegun { host: host.clone(), cluster: cluster.clone(), step, direction });
        let began = Instant::now();
        let outcome = work.await;
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let result = match &outcome {
            Ok(detail) => StepResult::Ok { detail: detail.clone() },
            Err(error) => StepResult::Failed { error: error.to_string(), log: error.log().to_vec() },
        };
        if let (Some(cluster), Step::BringBack, Ok(_)) = (&cluster, step, &outcome) {
            self.out.lock().await.remove(cluster);
        }
        let (told, of) = (result.clone(), cluster.clone());
        self.tell(Happening::StepEnded {
            host: host.clone(),
            cluster: of,
            step,
            direction,
            result: told,
            milliseconds,
        });
        self.journal
            .write(Entry::StepEnded { deployment, host, cluster, step, direction, result, milliseconds })
            .await?;
        outcome.map(drop)
    }

    /// Remembers what a step that begins may change.
    async fn begins(&self, host: &HostName, cluster: Option<&ClusterName>, step: Step) {
        if step.touches() {
            let mut touched = self.touched.lock().await;
            if !touched.contains(host) {
                touched.push(host.clone());
            }
        }
        if let (Some(cluster), Step::TakeOut) = (cluster, step) {
            self.out.lock().await.insert(cluster.clone());
        }
    }

    /// Performs a step between the hooks of its points.
    async fn with_hooks(
        &self,
        station: Station<'_>,
        step: Step,
        direction: Direction,
    ) -> Result<Option<String>, StepError> {
        let (before, after) = match step {
            Step::Drain => (Some(HookPoint::BeforeHost), None),
            Step::Stop => (None, Some(HookPoint::AfterStop)),
            Step::Start => (Some(HookPoint::BeforeStart), None),
            Step::PutBack => (None, Some(HookPoint::AfterHost)),
            Step::Stage | Step::Test | Step::Install | Step::Check => (None, None),
            Step::TakeOut | Step::BringBack | Step::Watch => (None, None),
        };
        if let Some(point) = before {
            self.hook(point, station, direction).await?;
        }
        let detail = self.perform(station, step, direction).await?;
        if let Some(point) = after {
            self.hook(point, station, direction).await?;
        }
        Ok(detail)
    }

    /// Runs the hooks of a point for a host; on the way back their failure is told, and holds nothing up.
    async fn hook(&self, point: HookPoint, station: Station<'_>, direction: Direction) -> Result<(), StepError> {
        match (self.hooks().at(point, Some(station.host)).await, direction) {
            (Err(error), Direction::Onward) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The hooks of the deployment.
    pub(crate) fn hooks(&self) -> Hooks<'_> {
        Hooks { site: self.site, journal: self.journal, plan: Some(self.plan) }
    }

    /// Tells what is seen of a step that goes on.
    fn seen(&self, (host, cluster): (&HostName, Option<&ClusterName>), step: Step, seen: String) {
        self.tell(Happening::StepSeen { host: host.clone(), cluster: cluster.cloned(), step, seen });
    }

    fn tell(&self, happening: Happening) {
        self.site.tools.observer.observe(&Event { at: Utc::now(), deployment: self.journal.id(), happening });
    }

    /// Makes a script that the host refuses once it has seen a newer fencing token.
    fn fenced(&self, name: &'static str, parts: &[&'static str]) -> Script {
        self.fence().script(name, parts)
    }

    fn fence(&self) -> Fence<'_> {
        Fence { environment: &self.site.environment.name, token: self.journal.token() }
    }
}
