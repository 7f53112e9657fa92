//! Everything that happens while the lease is held: observe, plan, be agreed to, carry out.

use futures::FutureExt;

use super::ending::{Outcome, cut_off};
use super::{Approver, DeployError, Deployer};
use crate::environment::HookPoint;
use crate::facts::Facts;
use crate::hooks::Hooks;
use crate::journal::{Ending, Entry, Journal, JournalError};
use crate::observer::Happening;
use crate::plan::{Past, Plan, plan};
use crate::site::Offers;
use crate::walk::Walk;
use crate::{HostName, Report, Target};

impl Deployer {
    /// Everything that happens under the lease. Whatever comes of it, the lease is released, if it is still ours.
    pub(super) async fn work(&self, journal: &Journal, wish: Wish<'_>) -> Result<Report, DeployError> {
        let state = journal.state().await;
        let Some(record) = state.deployment(journal.id()) else {
            return Err(JournalError::NothingToResume("the ledger does not have it").into());
        };
        self.tell(
            journal,
            Happening::Begun {
                environment: self.environment.name.clone(),
                action: record.action,
                token: journal.token(),
            },
        );
        let touched = record.touched();
        let moved = touched.iter().map(|host| (host.clone(), record.changes(host).to_vec())).collect();
        let out = state.out();
        let untouched = touched.is_empty() && record.took_out_nothing();
        let past = Past { unsettled: state.unsettled(), moved, out: out.clone() };
        let hooks = Hooks { site: self.site(), journal, plan: None };
        if let Err(error) = hooks.at(HookPoint::BeforePlan, None).boxed().await {
            let ending = if untouched { Ending::NothingChanged } else { Ending::PartlyChanged };
            return Ok(self.finish(journal, ending, Some(error.to_string()), record.hosts.clone()).await?);
        }
        let (facts, plan) = match self.observe_and_plan(&record.target, &past).boxed().await {
            Ok(planned) => planned,
            Err(error) => {
                if !untouched {
                    let (ending, reason) = (Ending::PartlyChanged, Some(error.to_string()));
                    return Ok(self.finish(journal, ending, reason, record.hosts.clone()).await?);
                }
                self.finish(journal, Ending::NothingChanged, Some(error.to_string()), Vec::new()).await?;
                return Err(error);
            }
        };
        let broken = wish.expected.filter(|expected| expected.digest() != plan.digest());
        if let Some(expected) = broken {
            let changed = DeployError::PlanChanged { differences: expected.differences(&plan) };
            self.finish(journal, Ending::NothingChanged, Some(changed.to_string()), Vec::new()).await?;
            return Err(changed);
        }
        self.tell(journal, Happening::Planned { plan: plan.clone() });
        let walk = Walk::new(self.site(), journal, &plan, &facts);
        walk.remember(touched, out).await;
        let backing_out =
            record.backing_out.clone().or_else(|| wish.back_out.then(|| "a person wants it back".to_owned()));
        if plan.is_empty() && backing_out.is_none() {
            let ending = if untouched { Ending::NothingToDo } else { Ending::Done };
            return self.report(&walk, (ending, None)).await;
        }
        let agreement = match wish.approver.approve(&self.environment, record, &plan, &facts).await {
            Ok(agreement) => agreement,
            Err(reason) => {
                let ending = if untouched { Ending::NotApproved } else { Ending::PartlyChanged };
                return self.report(&walk, (ending, Some(reason))).await;
            }
        };
        let (deployment, plan_agreed) = (journal.id(), plan.clone());
        let planned = Entry::Planned { deployment, plan: plan_agreed, agreement: agreement.clone() };
        if let Err(error) = journal.write(planned).await {
            if !error.is_approval() {
                return Err(error.into());
            }
            let ending = if untouched { Ending::NotApproved } else { Ending::PartlyChanged };
            return self.report(&walk, (ending, error.refusal().map(|refused| refused.detail.clone()))).await;
        }
        self.tell(journal, Happening::Approved { agreement });
        let outcome = match backing_out {
            Some(because) => self.back_out(journal, &walk, because).boxed().await,
            None => match walk.onward().boxed().await {
                Ok(()) => Ok(arrived(&walk.skipped().await)),
                Err(halt) => self.after_halt(journal, &walk, halt).boxed().await,
            },
        };
        match outcome {
            Ok(outcome) => self.report(&walk, outcome).boxed().await,
            Err(error) => Err(cut_off(journal, walk.touched().await, error)),
        }
    }

    pub(super) async fn observe_and_plan(&self, target: &Target, past: &Past) -> Result<(Facts, Plan), DeployError> {
        let health = self.environment.health.package.as_ref().map(ToString::to_string);
        let names = |host: &HostName| {
            let moved = past.moved.get(host).into_iter().flatten().map(|change| change.to.name.to_string());
            let mut names = target.possible_names(host);
            names.extend(moved.chain(health.clone()));
            names
        };
        let mut facts = self.site().facts(names, Offers::Asked).await?;
        let mut planned = plan(&self.environment, &facts, target, past)?;
        if self.find_stale(&mut facts, &planned).await {
            planned = plan(&self.environment, &facts, target, past)?;
        }
        Ok((facts, planned))
    }
}

/// What is asked of a run under the lease.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// Who agrees to the plan.
    pub(super) approver: &'a dyn Approver,
    /// The plan that it has to come to.
    pub(super) expected: Option<&'a Plan>,
    /// Whether everything is to be taken back.
    pub(super) back_out: bool,
}

/// How a walk to its end ended.
fn arrived(skipped: &[HostName]) -> Outcome {
    if skipped.is_empty() {
        return (Ending::Done, None);
    }
    let names: Vec<String> = skipped.iter().map(|host| format!("`{host}`")).collect();
    (Ending::PartlyChanged, Some(format!("passed over, and out of service: {}", names.join(", "))))
}
