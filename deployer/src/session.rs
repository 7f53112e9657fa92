//! A deployment from the lease to the report: deploy, roll back, resume.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use async_trait::async_trait;
use chrono::Utc;
use futures::future::{Either, select};
use ledger::{Author, Ledger, Store, StoreError};
use nevra::{Name, Nevra, PackageQuery};

use crate::approval::Agreement;
use crate::environment::{Environment, HookPoint};
use crate::facts::Facts;
use crate::hooks::Hooks;
use crate::journal::{
    Action, DeploymentRecord, Ending, Entry, HostReport, Identity, Journal, JournalError, JournalState, NoEarlierVersion,
    earlier_versions,
};
use crate::observer::{Event, Happening};
use crate::plan::{Past, Plan, PlanError, plan};
use crate::site::{FactsError, Offers, Sight, Site, Tools};
use crate::transport::ScriptError;
use crate::walk::{Setback, StepError, Walk};
use crate::{DeploymentId, HostName, Report, Target};

/// Agrees to a plan, or does not.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Whether the plan may be carried out, by the environment's own rule (`Environment::approval`); the record says what
    /// it is for, and what was agreed to before it was interrupted. Gives why not, where it may not.
    async fn approve(
        &self,
        environment: &Environment,
        record: &DeploymentRecord,
        plan: &Plan,
    ) -> Result<Agreement, String>;
}

/// Says why a deployment did not come to a report.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The store of the environment's ledger can't be opened.
    #[error("ledger of environment `{environment}` can't be opened")]
    Store {
        /// The environment.
        environment: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The lease can't be had, or the journal can't be written; nothing was changed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The lease or the journal was lost in the middle; hosts were changed.
    #[error("{deployment} was cut off with changes begun on {}", hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", "))]
    CutOff {
        /// The deployment.
        deployment: DeploymentId,
        /// The hosts on which something was changed.
        hosts: Vec<HostName>,
        /// Why.
        #[source]
        source: Box<StepError>,
    },
    /// The hosts could not be observed; nothing was changed.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// There is no plan for what is wanted; nothing was changed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// There is nothing to go back to.
    #[error(transparent)]
    NoEarlierVersion(#[from] NoEarlierVersion),
}

/// What is asked of an environment.
#[derive(Debug, Clone)]
pub enum Request {
    /// Run these packages.
    Deploy(Vec<PackageQuery>),
    /// Go back: to the version before, or to the one named.
    Rollback(Option<PackageQuery>),
    /// Finish what was interrupted or left half done.
    Resume,
}

/// An environment that can be deployed to.
pub struct Deployer {
    environment: Environment,
    tools: Tools,
    ledger: Ledger<Entry>,
}

impl Deployer {
    /// Uses a ledger that was opened elsewhere: that of the repository server, say.
    #[must_use]
    pub fn with_ledger(environment: Environment, ledger: Ledger<Entry>, tools: Tools) -> Self {
        Self { environment, tools, ledger }
    }

    /// Opens the environment's ledger in a store.
    ///
    /// # Errors
    /// [`DeployError::Store`] where it can't be.
    pub async fn open(environment: Environment, tools: Tools) -> Result<Self, DeployError> {
        let store = Store::open(&environment.ledger)
            .await
            .map_err(|source| DeployError::Store { environment: environment.name.to_string(), source })?;
        let ledger = store.ledger(&format!("environments/{}", environment.name));
        Ok(Self { environment, tools, ledger })
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Ends the connections to the hosts.
    pub async fn close(&self) {
        self.tools.transport.close().await;
    }

    /// Reads the journal.
    ///
    /// # Errors
    /// [`DeployError::Journal`] where it can't be read.
    pub async fn journal(&self) -> Result<JournalState, DeployError> {
        Ok(Journal::read(&self.ledger).await.map_err(JournalError::from)?)
    }

    /// Plans without a lease and without changing anything.
    ///
    /// # Errors
    /// [`DeployError`] where the hosts can't be observed or there is no plan.
    pub async fn plan(&self, queries: Vec<PackageQuery>) -> Result<Plan, DeployError> {
        let past = Past { unsettled: self.journal().await?.unsettled(), moved: BTreeMap::new() };
        let (_, plan) = self.observe_and_plan(&Target::Packages(queries), &past).await?;
        Ok(plan)
    }

    /// Observes all hosts: what of the packages that the journal knows is installed, and how they are seen.
    async fn observe(&self) -> Result<(JournalState, Facts), DeployError> {
        let state = self.journal().await?;
        let names = known_names(&state);
        let facts = self.site().facts(|_| names.clone(), Offers::Left).await?;
        Ok((state, facts))
    }

    /// Observes as much as can be observed: a host that does not answer hides no other.
    ///
    /// # Errors
    /// [`DeployError::Journal`] where the journal can't be read.
    pub async fn look(&self) -> Result<(JournalState, Sight), DeployError> {
        let state = self.journal().await?;
        let names = known_names(&state);
        let sight = self.site().look(|_| names.clone(), Offers::Left).await;
        Ok((state, sight))
    }

    /// Carries a request out and gives what came of it.
    ///
    /// # Errors
    /// [`DeployError`]; but for [`DeployError::CutOff`] nothing was changed.
    pub async fn run(
        &self,
        request: Request,
        who: Identity,
        why: Option<String>,
        approver: &dyn Approver,
    ) -> Result<Report, DeployError> {
        let author = Author { who: who.who, from: who.from, why };
        let journal = match request {
            Request::Deploy(packages) => self.begin(author, Action::Deploy, Target::Packages(packages)).await?,
            Request::Rollback(Some(package)) => {
                self.begin(author, Action::Rollback, Target::Packages(vec![package])).await?
            }
            Request::Rollback(None) => {
                let (state, facts) = self.observe().await?;
                let running = facts.hosts.into_iter().map(|(host, facts)| (host, facts.installed)).collect();
                let target = Target::Hosts(earlier_versions(&state, &running)?);
                self.begin(author, Action::Rollback, target).await?
            }
            Request::Resume => Journal::resume(self.ledger.clone(), author).await?,
        };
        let finished = {
            let work = pin!(self.work(&journal, approver));
            let heartbeat = pin!(journal.keep_alive());
            match select(work, heartbeat).await {
                Either::Left((finished, _)) => finished,
                // The work itself finds the journal closed at its next entry, and ends in good order.
                Either::Right((error, work)) => {
                    tracing::warn!(%error, "the lease can't be extended");
                    work.await
                }
            }
        };
        self.close().await;
        finished
    }

    async fn begin(&self, author: Author, action: Action, target: Target) -> Result<Journal, JournalError> {
        Journal::begin(self.ledger.clone(), author, action, target).await
    }

    fn site(&self) -> Site<'_> {
        Site { environment: &self.environment, tools: &self.tools }
    }

    /// Everything that happens under the lease. Whatever comes of it, the lease is released, if it is still ours.
    async fn work(&self, journal: &Journal, approver: &dyn Approver) -> Result<Report, DeployError> {
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
        let past = Past { unsettled: state.unsettled(), moved };
        let hooks = Hooks { site: self.site(), journal, plan: None };
        if let Err(error) = hooks.at(HookPoint::BeforePlan, None).await {
            let ending = if touched.is_empty() { Ending::NothingChanged } else { Ending::PartlyChanged };
            return Ok(self.finish(journal, ending, Some(error.to_string()), record.hosts.clone()).await?);
        }
        let (facts, plan) = match self.observe_and_plan(&record.target, &past).await {
            Ok(planned) => planned,
            Err(error) => {
                if !touched.is_empty() {
                    let (ending, reason) = (Ending::PartlyChanged, Some(error.to_string()));
                    return Ok(self.finish(journal, ending, reason, record.hosts.clone()).await?);
                }
                self.finish(journal, Ending::NothingChanged, Some(error.to_string()), Vec::new()).await?;
                return Err(error);
            }
        };
        self.tell(journal, Happening::Planned { plan: plan.clone() });
        let walk = Walk::new(self.site(), journal, &plan, &facts);
        walk.remember(touched).await;
        if plan.is_empty() && record.backing_out.is_none() {
            let ending = if record.touched().is_empty() { Ending::NothingToDo } else { Ending::Done };
            return self.report(&walk, (ending, None)).await;
        }
        let agreement = match approver.approve(&self.environment, record, &plan).await {
            Ok(agreement) => agreement,
            Err(reason) => {
                let ending = if record.touched().is_empty() { Ending::NotApproved } else { Ending::PartlyChanged };
                return self.report(&walk, (ending, Some(reason))).await;
            }
        };
        let (deployment, plan_agreed) = (journal.id(), plan.clone());
        let planned = Entry::Planned { deployment, plan: plan_agreed, agreement: agreement.clone() };
        if let Err(error) = journal.write(planned).await {
            if !error.is_approval() {
                return Err(error.into());
            }
            let ending = if record.touched().is_empty() { Ending::NotApproved } else { Ending::PartlyChanged };
            return self.report(&walk, (ending, error.refusal().map(|refused| refused.detail.clone()))).await;
        }
        self.tell(journal, Happening::Approved { agreement });
        let outcome = match &record.backing_out {
            Some(because) => self.back_out(journal, &walk, because.clone()).await,
            None => match walk.onward().await {
                Ok(()) => Ok((Ending::Done, None)),
                Err(setback) => self.after_setback(journal, &walk, setback).await,
            },
        };
        match outcome {
            Ok(outcome) => self.report(&walk, outcome).await,
            Err(error) => Err(cut_off(journal, walk.touched().await, error)),
        }
    }

    async fn observe_and_plan(&self, target: &Target, past: &Past) -> Result<(Facts, Plan), DeployError> {
        let health = self.environment.health.package.as_ref().map(ToString::to_string);
        let names = |host: &HostName| {
            let moved = past.moved.get(host).into_iter().flatten().map(|change| change.to.name.to_string());
            let mut names = target.possible_names(host);
            names.extend(moved.chain(health.clone()));
            names
        };
        let facts = self.site().facts(names, Offers::Asked).await?;
        let plan = plan(&self.environment, &facts, target, past)?;
        Ok((facts, plan))
    }

    /// What follows a step that failed.
    async fn after_setback(&self, journal: &Journal, walk: &Walk<'_>, setback: Setback) -> Result<Outcome, StepError> {
        let because = setback.to_string();
        // A host that refuses before anything was changed may have seen the tokens of another ledger: the lease of this
        // one is given back, if it is still ours.
        let refused = matches!(setback.error, StepError::Script(ScriptError::Fenced { .. }));
        if walk.touched().await.is_empty() && (refused || !setback.error.is_end()) {
            return Ok((Ending::NothingChanged, Some(because)));
        }
        if setback.error.is_end() {
            return Err(setback.error);
        }
        if matches!(setback.error, StepError::Interrupted) {
            return Ok((Ending::PartlyChanged, Some("interrupted by a person".to_owned())));
        }
        self.back_out(journal, walk, because).await
    }

    async fn back_out(&self, journal: &Journal, walk: &Walk<'_>, because: String) -> Result<Outcome, StepError> {
        journal.write(Entry::BackingOut { deployment: journal.id(), because: because.clone() }).await?;
        self.tell(journal, Happening::BackingOut { because: because.clone() });
        let unsettled: Vec<HostName> = journal.state().await.unsettled().into_iter().collect();
        let outcome = walk.back_out(&unsettled).await;
        if outcome.is_whole() {
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
    async fn report(&self, walk: &Walk<'_>, (ending, reason): Outcome) -> Result<Report, DeployError> {
        let (journal, plan, before) = (walk.journal(), walk.plan(), walk.facts());
        let unsettled = journal.state().await.unsettled();
        let names: BTreeSet<&Name> =
            plan.hosts.iter().flat_map(|host| &host.changes).map(|change| &change.to.name).collect();
        let now = self.look_again(&names).await;
        let hosts = plan.hosts.iter().map(|plan| host_report(&plan.host, &names, (before, &now), &unsettled)).collect();
        let touched = walk.touched().await;
        self.finish(journal, ending, reason, hosts).await.map_err(|error| cut_off(journal, touched, error.into()))
    }

    /// Observes each host anew; one that can't be is left out.
    async fn look_again(&self, names: &BTreeSet<&Name>) -> Facts {
        let names: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
        self.site().look(|_| names.clone(), Offers::Left).await.facts
    }

    async fn finish(
        &self,
        journal: &Journal,
        ending: Ending,
        reason: Option<String>,
        hosts: Vec<HostReport>,
    ) -> Result<Report, JournalError> {
        let deployment = journal.id();
        let entry = Entry::Finished { deployment, ending, reason: reason.clone(), hosts: hosts.clone() };
        journal.write(entry).await?;
        let report = Report { deployment, ending, reason, hosts };
        self.tell(journal, Happening::Finished { report: report.clone() });
        Ok(report)
    }

    fn tell(&self, journal: &Journal, happening: Happening) {
        self.tools.observer.observe(&Event { at: Utc::now(), deployment: journal.id(), happening });
    }
}

/// How it ended, and why.
type Outcome = (Ending, Option<String>);

fn cut_off(journal: &Journal, hosts: Vec<HostName>, error: StepError) -> DeployError {
    match error {
        StepError::Journal(error) if hosts.is_empty() => error.into(),
        error => DeployError::CutOff { deployment: journal.id(), hosts, source: Box::new(error) },
    }
}

fn host_report(
    host: &HostName,
    names: &BTreeSet<&Name>,
    (before, now): (&Facts, &Facts),
    unsettled: &BTreeSet<HostName>,
) -> HostReport {
    let of_names = |facts: &Facts| -> Option<BTreeSet<Nevra>> {
        let found = facts.hosts.get(host)?;
        Some(names.iter().flat_map(|name| found.installed_of(name)).cloned().collect())
    };
    let now_found = now.hosts.get(host);
    HostReport {
        host: host.clone(),
        before: of_names(before).unwrap_or_default(),
        now: of_names(now),
        service: now_found.map(|found| found.service.clone()),
        balancers: now_found.into_iter().flat_map(|found| &found.balancers).map(ToString::to_string).collect(),
        settled: !unsettled.contains(host),
    }
}

/// The names of all packages that were ever deployed from here.
fn known_names(state: &JournalState) -> BTreeSet<String> {
    let plans = state.deployments.iter().filter_map(|record| record.plan.as_ref());
    plans.flat_map(|plan| &plan.hosts).flat_map(|host| &host.changes).map(|change| change.to.name.to_string()).collect()
}
