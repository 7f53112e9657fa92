//! Carrying a plan out: steps on hosts, batches, and the way back.

mod back_out;
mod batches;
mod error;
mod steps;
mod transaction;

use chrono::Utc;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub(crate) use batches::Setback;
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
use crate::{HostName, Script};

/// One run of a plan, under a lease.
pub(crate) struct Walk<'a> {
    site: Site<'a>,
    journal: &'a Journal,
    plan: &'a Plan,
    facts: &'a Facts,
    /// The hosts on which a step that changes something was begun, in that order.
    touched: Mutex<Vec<HostName>>,
}

/// A host with what is planned for it.
#[derive(Clone, Copy)]
struct Station<'a> {
    host: &'a Host,
    plan: &'a HostPlan,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(site: Site<'a>, journal: &'a Journal, plan: &'a Plan, facts: &'a Facts) -> Self {
        Self { site, journal, plan, facts, touched: Mutex::default() }
    }

    /// Counts hosts that an earlier run of the same deployment touched as touched.
    pub(crate) async fn remember(&self, touched: Vec<HostName>) {
        self.touched.lock().await.extend(touched);
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
        if self.site.is_interrupted() {
            return Err(StepError::Interrupted);
        }
        let (deployment, host) = (self.journal.id(), station.host.name().clone());
        self.journal.write(Entry::StepBegun { deployment, host: host.clone(), step, direction }).await?;
        if step.touches() {
            let mut touched = self.touched.lock().await;
            if !touched.contains(&host) {
                touched.push(host.clone());
            }
        }
        self.tell(Happening::StepBegun { host: host.clone(), step, direction });
        let began = Instant::now();
        let outcome = self.with_hooks(station, step, direction).await;
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let result = match &outcome {
            Ok(detail) => StepResult::Ok { detail: detail.clone() },
            Err(error) => StepResult::Failed { error: error.to_string(), log: error.log().to_vec() },
        };
        self.tell(Happening::StepEnded { host: host.clone(), step, direction, result: result.clone(), milliseconds });
        self.journal.write(Entry::StepEnded { deployment, host, step, direction, result, milliseconds }).await?;
        outcome.map(drop)
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
        };
        if let Some(point) = before {
            self.hooks().at(point, Some(station.host)).await?;
        }
        let detail = self.perform(station, step, direction).await?;
        if let Some(point) = after {
            self.hooks().at(point, Some(station.host)).await?;
        }
        Ok(detail)
    }

    /// The hooks of the deployment.
    pub(crate) fn hooks(&self) -> Hooks<'_> {
        Hooks { site: self.site, journal: self.journal, plan: Some(self.plan) }
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
