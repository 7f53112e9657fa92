//! A deployment from the lease to the report: deploy, roll back, resume.

mod aftermath;
mod answers;
mod ending;
mod under_lease;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use futures::FutureExt;
use futures::future::{Either, select};
use ledger::{Author, Extent, Ledger, Store, StoreError};
use nevra::PackageQuery;

use self::under_lease::Wish;
use crate::approval::Agreement;
use crate::environment::{Environment, Host};
use crate::facts::Facts;
use crate::journal::{
    Action, DeploymentRecord, Entry, Identity, Journal, JournalError, JournalState, NoEarlierVersion, earlier_versions,
};
use crate::observer::{Event, Happening};
use crate::plan::{Past, Plan, PlanError, PlanFile};
use crate::site::{FactsError, Interrupt, Offers, Sight, Site, Tools};
use crate::walk::StepError;
use crate::{DeploymentId, HostName, Report, Target};

/// Agrees to a plan, or does not.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Whether the plan may be carried out, by the environment's own rule (`Environment::approval`); the record says what
    /// it is for, and what was agreed to before it was interrupted, the facts what the plan was made from. Gives why not,
    /// where it may not.
    async fn approve(
        &self,
        environment: &Environment,
        record: &DeploymentRecord,
        plan: &Plan,
        facts: &Facts,
    ) -> Result<Agreement, String>;
}

/// What would be done, and what was seen of the hosts.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// What kind of change it is.
    pub action: Action,
    /// The plan.
    pub plan: Plan,
    /// What it was made from.
    pub facts: Facts,
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
    /// A person did not want to wait for the end of the current steps; hosts may have been changed.
    #[error("{deployment} was left to itself{}; what runs on hosts goes on there", in_mid_walk(hosts))]
    Detached {
        /// The deployment.
        deployment: DeploymentId,
        /// The hosts that are in mid-walk.
        hosts: Vec<HostName>,
    },
    /// The plan that was saved no longer holds; nothing was changed.
    #[error("the plan no longer holds: {}", differences.join("; "))]
    PlanChanged {
        /// What is different now.
        differences: Vec<String>,
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

fn in_mid_walk(hosts: &[HostName]) -> String {
    let names: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
    if names.is_empty() { String::new() } else { format!(" with {} in mid-walk", names.join(", ")) }
}

/// How long the lease may take to be let go.
const DETACH_LIMIT: Duration = Duration::from_secs(3);

/// What is asked of an environment.
#[derive(Debug, Clone)]
pub enum Request {
    /// Run these packages.
    Deploy(Vec<PackageQuery>),
    /// Go back: to the version before, or to the one named.
    Rollback(Option<PackageQuery>),
    /// Carry out a plan that was saved, if it still holds.
    Planned(Box<PlanFile>),
    /// Finish what was interrupted or left half done.
    Resume,
    /// Take back what was interrupted or left half done.
    BackOut,
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

    /// Reads what still matters of the journal: the steps of deployments that ended well may be missing.
    ///
    /// # Errors
    /// [`DeployError::Journal`] where it can't be read.
    pub async fn journal(&self) -> Result<JournalState, DeployError> {
        Ok(Journal::read(&self.ledger, Extent::Abridged).await.map_err(JournalError::from)?)
    }

    /// Reads the whole journal, with the steps of every deployment there was.
    ///
    /// # Errors
    /// [`DeployError::Journal`] where it can't be read.
    pub async fn whole_journal(&self) -> Result<JournalState, DeployError> {
        Ok(Journal::read(&self.ledger, Extent::Whole).await.map_err(JournalError::from)?)
    }

    /// Reads all that the journal says of a deployment.
    ///
    /// # Errors
    /// [`DeployError::Journal`] where it can't be read.
    pub async fn story(&self, record: &DeploymentRecord) -> Result<DeploymentRecord, DeployError> {
        Ok(Journal::story(&self.ledger, record).await.map_err(JournalError::from)?)
    }

    /// Plans without a lease and without changing anything.
    ///
    /// # Errors
    /// [`DeployError`] where the hosts can't be observed or there is no plan.
    pub async fn plan(&self, request: &Request) -> Result<Outlook, DeployError> {
        let state = self.journal().await?;
        let (action, target) = match request {
            Request::Resume | Request::BackOut => {
                let record = state.deployments.last();
                let record = record.ok_or(JournalError::NothingToResume("nothing was ever deployed"))?;
                (record.action, record.target.clone())
            }
            fresh => self.aim(fresh).boxed().await?,
        };
        let past = Past { unsettled: state.unsettled(), moved: BTreeMap::new(), out: state.out() };
        let (facts, plan) = self.observe_and_plan(&target, &past).await?;
        Ok(Outlook { action, plan, facts })
    }

    /// What a fresh request wants the environment to run.
    async fn aim(&self, request: &Request) -> Result<(Action, Target), DeployError> {
        Ok(match request {
            Request::Deploy(packages) => (Action::Deploy, Target::Packages(packages.clone())),
            Request::Rollback(Some(package)) => (Action::Rollback, Target::Packages(vec![package.clone()])),
            Request::Planned(file) => (file.action, file.plan.target()),
            Request::Rollback(None) | Request::Resume | Request::BackOut => {
                let (state, facts) = self.observe().await?;
                let running = facts.hosts.into_iter().map(|(host, facts)| (host, facts.installed)).collect();
                (Action::Rollback, Target::Hosts(earlier_versions(&state, &running)?))
            }
        })
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
        let (names, site) = (known_names(&state), self.site());
        let (mut sight, clusters) = futures::join!(site.look(|_| names.clone(), Offers::Left), site.cluster_views());
        match clusters {
            Ok(clusters) => sight.clusters = clusters,
            Err(error) => sight.balancers = Some(FactsError::join(sight.balancers.take(), error)),
        }
        let plans = state.deployments.iter().rev().filter_map(|record| record.plan.as_ref());
        let deployed = plans.flat_map(|plan| &plan.hosts).flat_map(|host| &host.changes).map(|change| &change.to.name);
        let hosts: Vec<&HostName> = self.environment.hosts.iter().map(Host::name).collect();
        sight.unwell = self.unwell(&hosts, deployed.into_iter().next(), &sight.facts).await;
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
        let journal = match &request {
            Request::Resume | Request::BackOut => Journal::resume(self.ledger.clone(), author).await?,
            fresh => {
                let (action, target) = self.aim(fresh).boxed().await?;
                Journal::begin(self.ledger.clone(), author, action, target).await?
            }
        };
        let expected = match &request {
            Request::Planned(file) => Some(&file.plan),
            _ => None,
        };
        let wish = Wish { approver, expected, back_out: matches!(request, Request::BackOut) };
        let finished = tokio::select! {
            finished = self.keeping_alive(&journal, wish).boxed() => finished,
            () = self.tools.wanted(Interrupt::Detach) => self.detach(&journal).await,
        };
        self.close().await;
        finished
    }

    async fn keeping_alive(&self, journal: &Journal, wish: Wish<'_>) -> Result<Report, DeployError> {
        let work = pin!(self.work(journal, wish));
        let heartbeat = pin!(journal.keep_alive());
        match select(work, heartbeat).await {
            Either::Left((finished, _)) => finished,
            // The work itself finds the journal closed at its next entry, and ends in good order.
            Either::Right((error, work)) => {
                tracing::warn!(%error, "the lease can't be extended");
                work.await
            }
        }
    }

    /// Lets go at once: what runs on hosts goes on, and whoever resumes need not wait for the lease's end.
    async fn detach(&self, journal: &Journal) -> Result<Report, DeployError> {
        let deployment = journal.id();
        let freed = journal.write(Entry::Extended { deployment, until: Utc::now() });
        let freed = tokio::time::timeout(DETACH_LIMIT, freed).await;
        tracing::debug!(?freed, "lease let go");
        let hosts = journal.state().await.unsettled().into_iter().collect();
        Err(DeployError::Detached { deployment, hosts })
    }

    fn site(&self) -> Site<'_> {
        Site { environment: &self.environment, tools: &self.tools }
    }

    fn tell(&self, journal: &Journal, happening: Happening) {
        self.tools.observer.observe(&Event { at: Utc::now(), deployment: journal.id(), happening });
    }
}

/// The names of all packages that were ever deployed from here.
fn known_names(state: &JournalState) -> BTreeSet<String> {
    let plans = state.deployments.iter().filter_map(|record| record.plan.as_ref());
    plans.flat_map(|plan| &plan.hosts).flat_map(|host| &host.changes).map(|change| change.to.name.to_string()).collect()
}
