//! Hooks: what an environment wants done at named points of a deployment.

mod variables;

use std::collections::BTreeSet;

use chrono::Utc;
use futures::FutureExt;
use futures::future::join_all;
use tokio::time::Instant;

use crate::command::{self, Command, CommandOutcome, run_here};
use crate::environment::{Hook, HookPoint, Host, On};
use crate::fence::Fence;
use crate::journal::{Entry, HookRecord, Journal};
use crate::observer::{Event, Happening};
use crate::plan::Plan;
use crate::site::Site;

/// How much of what a hook printed goes into the journal.
const LINES_KEPT: usize = 40;

/// Says why a hook stops a deployment.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HookError {
    /// Its command failed.
    #[error("hook `{point}` failed: {reason}")]
    Failed {
        /// At which point.
        point: HookPoint,
        /// Why.
        reason: String,
    },
}

/// The hooks of a deployment that goes on.
#[derive(Clone, Copy)]
pub(crate) struct Hooks<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) journal: &'a Journal,
    /// `None` before there is one.
    pub(crate) plan: Option<&'a Plan>,
}

impl Hooks<'_> {
    /// Runs the hooks of a point, for a host where the point is about one: in the file's order, the hosts of one hook side
    /// by side. The first required one that fails is the last.
    pub(crate) async fn at(&self, point: HookPoint, host: Option<&Host>) -> Result<(), HookError> {
        let hooks: Vec<&Hook> = self.site.environment.hooks.iter().filter(|hook| hook.at == point).collect();
        for hook in hooks {
            let outcomes = match hook.place.on {
                On::Controller if hook.place.fits_some(host) => vec![self.here(hook, host).await],
                On::Controller => Vec::new(),
                On::Host | On::One => {
                    let runs: Vec<_> =
                        self.hosts(hook, host).into_iter().map(|host| self.there(hook, host).boxed()).collect();
                    join_all(runs).await
                }
            };
            if let Some(reason) = outcomes.into_iter().find_map(Result::err).filter(|_| hook.required) {
                return Err(HookError::Failed { point, reason });
            }
        }
        Ok(())
    }

    /// The hosts that a hook runs on: the one at hand, or those of the plan.
    fn hosts<'h>(&'h self, hook: &Hook, host: Option<&'h Host>) -> Vec<&'h Host> {
        let planned: Option<BTreeSet<_>> = self.plan.map(|plan| plan.hosts.iter().map(|plan| &plan.host).collect());
        let all = self.site.environment.hosts.iter();
        let all = all.filter(|host| planned.as_ref().is_none_or(|planned| planned.contains(host.name())));
        let fitting = |host: &&Host| hook.place.fits(host);
        match (host, hook.place.on) {
            // What is to happen once happens with the first host that it fits.
            (Some(host), On::One) => all.filter(fitting).take(1).filter(|first| first.name() == host.name()).collect(),
            (Some(host), _) => Some(host).into_iter().filter(fitting).collect(),
            (None, On::One) => all.filter(fitting).take(1).collect(),
            (None, _) => all.filter(fitting).collect(),
        }
    }

    async fn here(&self, hook: &Hook, host: Option<&Host>) -> Result<(), String> {
        let variables = self.variables(hook.at, host).await;
        let command = Command { text: &hook.command, timeout: hook.timeout, variables: &variables };
        let began = Instant::now();
        let outcome = run_here(&command, None).await;
        self.tell(hook, host, outcome, began).await
    }

    async fn there(&self, hook: &Hook, host: &Host) -> Result<(), String> {
        let variables = self.variables(hook.at, Some(host)).await;
        let command = Command { text: &hook.command, timeout: hook.timeout, variables: &variables };
        let fence = Fence { environment: &self.site.environment.name, token: self.journal.token() };
        let script = command::script(fence.script("hook", &[]), &command);
        let began = Instant::now();
        let answer = self.site.tools.transport.run(&host.endpoint, &script).await;
        self.tell(hook, Some(host), CommandOutcome::of(answer, &command), began).await
    }

    /// Writes what came of it into the journal, and tells.
    async fn tell(
        &self,
        hook: &Hook,
        host: Option<&Host>,
        outcome: CommandOutcome,
        began: Instant,
    ) -> Result<(), String> {
        let deployment = self.journal.id();
        let record = HookRecord {
            point: hook.at,
            place: hook.place.to_string(),
            host: host.map(|host| host.name().clone()),
            command: hook.command.clone(),
            failed: (!outcome.is_ok()).then(|| outcome.reason()),
            required: hook.required,
            output: outcome.last_lines(LINES_KEPT),
            milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        let happening = Happening::HookEnded { hook: record.clone() };
        self.site.tools.observer.observe(&Event { at: Utc::now(), deployment, happening });
        let at = host.map(|host| format!(" on `{}`", host.name())).unwrap_or_default();
        let failed = record.failed.as_ref().map(|reason| match record.output.last() {
            Some(last) => format!("`{}`{at}: {reason}: {last}", hook.command),
            None => format!("`{}`{at}: {reason}", hook.command),
        });
        // A journal that can't be written is found out by the next step, before it changes anything.
        if let Err(error) = self.journal.write(Entry::HookEnded { deployment, hook: record }).await {
            tracing::warn!(%error, "a hook's end is not in the journal");
        }
        failed.map_or(Ok(()), Err)
    }
}
