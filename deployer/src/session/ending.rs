//! How a deployment ends: done, taken back, or as it is; observed once more, written down and told.

use std::collections::BTreeSet;

use nevra::Name;

use super::aftermath::Aftermath;
use super::{DeployError, Deployer};
use crate::environment::HookPoint;
use crate::facts::Facts;
use crate::journal::{Ending, Entry, HostReport, Journal, JournalError};
use crate::observer::Happening;
use crate::policy::Decision;
use crate::transport::ScriptError;
use crate::walk::{Halt, StepError, Walk};
use crate::{HostName, Report};

impl Deployer {
    /// What follows a walk that does not come to its end.
    pub(super) async fn after_halt(
        &self,
        journal: &Journal,
        walk: &Walk<'_>,
        halt: Halt,
    ) -> Result<Outcome, StepError> {
        let untouched = walk.is_untouched().await;
        match halt {
            // A host that refuses before anything was changed may have seen the tokens of another ledger: the lease of
            // this one is given back, if it is still ours.
            Halt::End(error @ StepError::Script(ScriptError::Fenced { .. })) if untouched => {
                Ok((Ending::NothingChanged, Some(error.to_string())))
            }
            Halt::End(error) => Err(error),
            Halt::Interrupted if untouched => Ok((Ending::NothingChanged, Some("interrupted by a person".to_owned()))),
            Halt::Interrupted => Ok((Ending::PartlyChanged, Some("interrupted by a person".to_owned()))),
            Halt::Decided { because, .. } if untouched => Ok((Ending::NothingChanged, Some(because))),
            Halt::Decided { decision: Decision::BackOut, because, .. } => self.back_out(journal, walk, because).await,
            Halt::Decided { decision: Decision::BackOutBatch, because, batch } => {
                self.back_out_batch(journal, walk, (because, batch)).await
            }
            Halt::Decided { because, .. } => Ok((Ending::PartlyChanged, Some(format!("{because}; it stays paused")))),
        }
    }

    /// Takes the hosts of a batch back; what went before stays at the target.
    async fn back_out_batch(
        &self,
        journal: &Journal,
        walk: &Walk<'_>,
        (because, batch): (String, Vec<HostName>),
    ) -> Result<Outcome, StepError> {
        let (deployment, hosts) = (journal.id(), Some(batch.clone()));
        journal.write(Entry::BackingOut { deployment, because: because.clone(), hosts }).await?;
        self.tell(journal, Happening::BackingOut { because: because.clone() });
        let unsettled: Vec<HostName> = journal.state().await.unsettled().into_iter().collect();
        let outcome = walk.back_out(&unsettled, Some(&batch)).await;
        let mut reasons = vec![because];
        reasons.extend(outcome.left.iter().cloned());
        match outcome.ended_by {
            Some(error) if error.is_end() => return Err(error),
            Some(_) => reasons.push("interrupted by a person while hosts were taken back".to_owned()),
            None if outcome.left.is_empty() => {
                reasons.push("its hosts are back, those before them stay at the target; it stays paused".to_owned());
            }
            None => {}
        }
        Ok((Ending::PartlyChanged, Some(reasons.join("; "))))
    }

    /// Takes everything back that was touched.
    pub(super) async fn back_out(
        &self,
        journal: &Journal,
        walk: &Walk<'_>,
        because: String,
    ) -> Result<Outcome, StepError> {
        journal.write(Entry::BackingOut { deployment: journal.id(), because: because.clone(), hosts: None }).await?;
        self.tell(journal, Happening::BackingOut { because: because.clone() });
        let unsettled: Vec<HostName> = journal.state().await.unsettled().into_iter().collect();
        let outcome = walk.back_out(&unsettled, None).await;
        if outcome.is_whole() {
            if let Err(error) = walk.hooks().at(HookPoint::AfterRollback, None).await {
                tracing::warn!(%error, "a hook after the rollback failed");
            }
            return Ok((Ending::RolledBack, Some(because)));
        }
        let mut reasons = vec![because];
        reasons.extend(outcome.left.iter().cloned());
        match outcome.ended_by {
            Some(error) if error.is_end() => return Err(error),
            Some(_) => reasons.push("interrupted by a person while hosts were taken back".to_owned()),
            None => {}
        }
        Ok((Ending::PartlyChanged, Some(reasons.join("; "))))
    }

    /// Observes what the hosts were left with, releases the lease and tells.
    pub(super) async fn report(&self, walk: &Walk<'_>, (ending, reason): Outcome) -> Result<Report, DeployError> {
        let (journal, plan, before) = (walk.journal(), walk.plan(), walk.facts());
        let unsettled = journal.state().await.unsettled();
        let names: BTreeSet<&Name> =
            plan.hosts.iter().flat_map(|host| &host.changes).map(|change| &change.to.name).collect();
        let now = Aftermath::ask(self.site(), &names).await;
        let hosts = plan.hosts.iter().map(|plan| host_report(&plan.host, &names, (before, &now), &unsettled)).collect();
        let touched = walk.touched().await;
        let out: Vec<String> = walk.out().await.iter().map(|cluster| format!("cluster `{cluster}` is out")).collect();
        let reason = match (reason, out.is_empty()) {
            (reason, true) => reason,
            (Some(reason), false) => Some(format!("{reason}; {}", out.join(", "))),
            (None, false) => Some(out.join(", ")),
        };
        self.finish(journal, ending, reason, hosts).await.map_err(|error| cut_off(journal, touched, error.into()))
    }

    pub(super) async fn finish(
        &self,
        journal: &Journal,
        ending: Ending,
        reason: Option<String>,
        hosts: Vec<HostReport>,
    ) -> Result<Report, JournalError> {
        let deployment = journal.id();
        journal.finish(ending, reason.clone(), hosts.clone()).await?;
        let left_out = self.environment.left_out.clone();
        let report = Report { deployment, ending, reason, hosts, left_out };
        self.tell(journal, Happening::Finished { report: report.clone() });
        Ok(report)
    }
}

/// How it ended, and why.
pub(super) type Outcome = (Ending, Option<String>);

pub(super) fn cut_off(journal: &Journal, hosts: Vec<HostName>, error: StepError) -> DeployError {
    match error {
        StepError::Journal(error) if hosts.is_empty() => error.into(),
        error => DeployError::CutOff { deployment: journal.id(), hosts, source: Box::new(error) },
    }
}

fn host_report(
    host: &HostName,
    names: &BTreeSet<&Name>,
    (before, now): (&Facts, &Aftermath),
    unsettled: &BTreeSet<HostName>,
) -> HostReport {
    let before = before.hosts.get(host);
    let found = now.hosts.get(host);
    let views = now.views.get(host).map(Vec::as_slice).unwrap_or_default();
    HostReport {
        host: host.clone(),
        before: names
            .iter()
            .flat_map(|name| before.into_iter().flat_map(|facts| facts.installed_of(name)))
            .cloned()
            .collect(),
        now: found.map(|found| found.installed.clone()),
        service: found.map(|found| found.service.clone()),
        balancers: views.iter().map(ToString::to_string).collect(),
        out_of_balancer: views.iter().filter(|state| !state.serving).map(ToString::to_string).collect(),
        settled: !unsettled.contains(host),
    }
}
