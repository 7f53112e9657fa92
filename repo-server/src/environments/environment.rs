//! One environment: its ledger, which controllers write, and what it comes to.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Author, Commit, Digest, Extent, Ledger, Standing, Store};
use nevra::Nevra;
use repo_api::{
    DeploymentInfo, DeploymentList, EnvironmentInfo, EnvironmentSettings, EnvironmentSummary, HostInfo, SeenHost,
    StepInfo, TagName,
};
use serde_json::Value;
use tokio::sync::{Mutex, watch};

use super::approvals::Signed;
use super::entry::Entry;
use super::error::EnvironmentError;
use super::gate::{Controller, Gate};
use super::projection::Projection;
use super::sightings::Sightings;
use super::story;

/// How many commits are given at a time, and from how many bytes on no more are added.
const COMMITS: usize = 1000;
const BYTES: usize = 4 << 20;
const READ_AHEAD: usize = 16;
/// How many deployments' stories are kept at hand.
const STORIES: usize = 4;
/// How many deployments are given at a time.
const DEPLOYMENTS: usize = 100;

/// An environment whose ledger is in the server's store.
#[derive(Debug)]
pub(crate) struct Environment {
    name: TagName,
    ledger: Ledger<Value>,
    sightings: Sightings,
    /// Held by who takes commits in.
    turn: Mutex<()>,
    projection: RwLock<Projection>,
    newest: watch::Sender<u64>,
    /// The stories that were asked for last: a running one goes on where it was, and one that ended is not read again.
    told: Mutex<Vec<Told>>,
}

/// The story of a deployment, as far as it was read.
#[derive(Debug)]
struct Told {
    /// The commit that began it.
    first: u64,
    /// The last commit that was read.
    newest: u64,
    steps: Arc<Vec<StepInfo>>,
}

/// What came of a commit that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It was made.
    New {
        /// What is needed from now on, where that may have changed.
        needs: Option<BTreeSet<Nevra>>,
    },
    /// It had been made by the same request before.
    Known,
}

impl Environment {
    pub(super) fn new(store: &Store, name: TagName) -> Self {
        Self {
            ledger: store.ledger(&format!("environments/{name}")),
            sightings: Sightings::new(store.ledger(&format!("sightings/{name}"))),
            name,
            turn: Mutex::default(),
            projection: RwLock::default(),
            newest: watch::Sender::new(0),
            told: Mutex::default(),
        }
    }

    /// Tells of every new commit.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Whether what others write should be seen at once: somebody watches, or a deployment runs.
    pub(super) fn is_lively(&self) -> bool {
        self.newest.receiver_count() > 0 || self.projection().unfinished().is_some()
    }

    /// The number of the newest commit that is known.
    pub(crate) fn position(&self) -> u64 {
        self.projection().position.number
    }

    /// What no repository may lose.
    pub(crate) fn needs(&self) -> BTreeSet<Nevra> {
        self.projection().needs()
    }

    /// Takes in what other servers, and controllers with the store at hand, wrote since.
    pub(crate) async fn refresh(&self) -> Result<(), EnvironmentError> {
        let _turn = self.turn.lock().await;
        self.sightings.refresh().await?;
        self.take_in().await
    }

    async fn take_in(&self) -> Result<(), EnvironmentError> {
        let position = self.projection().position;
        let before = self.projection().clean_end();
        let mut commits = pin!(self.ledger.follow(position, Extent::Abridged));
        while let Some(commit) = commits.try_next().await? {
            self.apply(&commit);
        }
        self.abridge(before).await;
        Ok(())
    }

    /// Notes what of the ledger still matters, where it ended cleanly once more. It is a hint: without it, the next to
    /// read the ledger takes longer.
    async fn abridge(&self, before: u64) {
        let Some(abridgement) = self.projection().abridgement().filter(|new| new.until.number > before) else { return };
        if let Err(error) = self.ledger.put_abridgement(&abridgement).await {
            tracing::warn!(%error, environment = %self.name, "what of its ledger still matters could not be noted");
        }
    }

    fn apply(&self, commit: &Commit<Value>) {
        self.projection.write().unwrap_or_else(PoisonError::into_inner).apply(commit);
        self.newest.send_replace(commit.number);
    }

    /// Makes a commit that a controller put together, if it may.
    pub(crate) async fn append(
        &self,
        number: u64,
        bytes: Bytes,
        controller: &Controller,
        settings: &EnvironmentSettings,
    ) -> Result<Appended, EnvironmentError> {
        let _turn = self.turn.lock().await;
        if number != self.position() + 1 {
            self.take_in().await?;
        }
        let position = self.projection().position;
        if number <= position.number {
            let stored = self.ledger.stored(number).await?;
            let is_same = stored.is_some_and(|stored| Digest::of(&stored) == Digest::of(&bytes));
            return if is_same { Ok(Appended::Known) } else { Err(EnvironmentError::Taken(number)) };
        }
        if number > position.number + 1 {
            return Err(EnvironmentError::Gap { number, newest: position.number });
        }
        let commit = self.parse(number, &bytes)?;
        if commit.previous != position.digest {
            return Err(EnvironmentError::Chain(number));
        }
        let now = Utc::now();
        let signed = {
            let projection = self.projection();
            let gate = Gate { environment: &self.name, projection: &projection, settings, controller, now };
            let entry = gate.judge(&commit)?;
            // A deployment that is resumed was agreed to already.
            let is_first = projection.unfinished().is_some_and(|running| running.plan.is_none());
            is_first.then(|| Signed::of(&entry, &commit.payload, &self.name, settings)).flatten()
        };
        if let Some(signed) = signed {
            let checked = tokio::task::spawn_blocking(move || signed.check()).await;
            checked.unwrap_or(Err(EnvironmentError::Busy))?;
        }
        match self.ledger.adopt(number, bytes).await? {
            Standing::Ours => {
                let before = self.projection().clean_end();
                self.apply(&commit);
                self.abridge(before).await;
            }
            Standing::Theirs => {
                self.take_in().await?;
                return Err(EnvironmentError::Taken(number));
            }
        }
        let changes_needs = matches!(Entry::kind(&commit.payload), "planned" | "finished");
        Ok(Appended::New { needs: changes_needs.then(|| self.needs()) })
    }

    fn parse(&self, number: u64, bytes: &Bytes) -> Result<Commit<Value>, EnvironmentError> {
        let unreadable =
            |source: Box<dyn std::error::Error + Send + Sync>| EnvironmentError::Unreadable { number, source };
        if bytes.contains(&b'\n') {
            return Err(unreadable("it has more than one line".into()));
        }
        self.ledger.parse(number, bytes).map_err(|error| unreadable(error.into()))
    }

    /// Reads a commit as it was written.
    pub(crate) async fn commit(&self, number: u64) -> Result<Option<Bytes>, EnvironmentError> {
        Ok(self.ledger.stored(number).await?)
    }

    /// Reads commits after a number as they were written, one to a line; some of those that are asked for, and none only at
    /// the end.
    pub(crate) async fn commits(&self, after: u64, extent: Extent) -> Result<Bytes, EnvironmentError> {
        let numbers: Vec<u64> = match extent {
            Extent::Whole => (after.saturating_add(1)..=self.position()).take(COMMITS).collect(),
            Extent::Abridged => self.projection().abridged(after).take(COMMITS).collect(),
        };
        Ok(self.ledger.lines(numbers.into_iter(), BYTES).await?)
    }

    /// Writes how hosts were seen; tells whether that was news, and the newest commit.
    pub(crate) async fn tell(&self, hosts: Vec<SeenHost>, author: Author) -> Result<(bool, u64), EnvironmentError> {
        self.sightings.tell(hosts, author).await
    }

    /// What a list says of it.
    pub(crate) fn summary(&self, settings: EnvironmentSettings) -> EnvironmentSummary {
        let projection = self.projection();
        let hosts = self.hosts(&projection, None);
        let packages: BTreeSet<&Nevra> = hosts.iter().flat_map(|host| &host.packages).collect();
        EnvironmentSummary {
            name: self.name.clone(),
            commit: projection.position.number,
            hosts: hosts.len(),
            drifting: hosts.iter().filter(|host| is_drifting(host)).count(),
            packages: packages.into_iter().cloned().collect(),
            running: projection.unfinished().map(|running| running.summary.clone()),
            last: projection.last_finished().map(|last| last.summary.clone()),
            settings,
        }
    }

    /// What its hosts run, or ran at a time.
    pub(crate) fn info(&self, settings: EnvironmentSettings, at: Option<DateTime<Utc>>) -> EnvironmentInfo {
        let projection = self.projection();
        EnvironmentInfo {
            name: self.name.clone(),
            commit: projection.position.number,
            at: at.unwrap_or_else(Utc::now),
            hosts: self.hosts(&projection, at),
            running: projection.unfinished().map(|running| running.summary.clone()),
            needs: projection.needs().into_iter().collect(),
            settings,
        }
    }

    fn hosts(&self, projection: &Projection, at: Option<DateTime<Utc>>) -> Vec<HostInfo> {
        let seen = self.sightings.hosts();
        let hosts = projection.running(at).into_iter().filter_map(|(host, names)| {
            let last = names.values().max_by_key(|running| running.deployment.first)?;
            let summary = &last.deployment.summary;
            let news = |sighting: &&repo_api::Sighting| at.is_none() && sighting.at > summary.last;
            Some(HostInfo {
                host: host.to_owned(),
                packages: names.values().flat_map(|running| running.packages.clone()).collect(),
                seen: names.values().all(|running| running.seen),
                deployment: summary.id.clone(),
                since: summary.last,
                settled: last.settled,
                sighting: seen.get(host).filter(news).cloned(),
            })
        });
        hosts.collect()
    }

    /// A part of the history, the newest first: what came before a deployment.
    pub(crate) fn deployments(&self, before: Option<&str>) -> Result<DeploymentList, EnvironmentError> {
        let projection = self.projection();
        let all = &projection.deployments;
        let end = match before {
            None => all.len(),
            Some(id) => all.iter().position(|one| one.summary.id == id).ok_or_else(|| self.unknown(id))?,
        };
        let begin = end.saturating_sub(DEPLOYMENTS);
        let deployments = all[begin..end].iter().rev().map(|one| one.summary.clone()).collect();
        Ok(DeploymentList { deployments, before: (begin > 0).then(|| all[begin].summary.id.clone()) })
    }

    /// The whole story of a deployment.
    pub(crate) async fn deployment(&self, id: &str) -> Result<DeploymentInfo, EnvironmentError> {
        let (summary, hosts, first, newest) = {
            let projection = self.projection();
            let found = projection.deployments.iter().find(|one| one.summary.id == id);
            let found = found.ok_or_else(|| self.unknown(id))?;
            (found.summary.clone(), found.outcomes(), found.first, found.newest)
        };
        let mut told = self.told.lock().await;
        let known = told.iter().position(|told| told.first == first).map(|known| told.remove(known));
        let mut story = known.unwrap_or(Told { first, newest: first.saturating_sub(1), steps: Arc::default() });
        if story.newest < newest {
            let numbers = story.newest + 1..=newest;
            let read = stream::iter(numbers).map(|number| self.ledger.read(number)).buffered(READ_AHEAD);
            let commits: Vec<_> = read.try_collect().await?;
            let commits: Vec<Commit<Value>> = commits.into_iter().flatten().collect();
            story::tell(Arc::make_mut(&mut story.steps), id, &commits);
            story.newest = newest;
        }
        let steps = story.steps.to_vec();
        told.insert(0, story);
        told.truncate(STORIES);
        Ok(DeploymentInfo { summary, steps, hosts })
    }

    fn unknown(&self, id: &str) -> EnvironmentError {
        EnvironmentError::UnknownDeployment { environment: self.name.to_string(), id: id.to_owned() }
    }

    fn projection(&self) -> RwLockReadGuard<'_, Projection> {
        self.projection.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_drifting(host: &HostInfo) -> bool {
    !host.settled || host.sighting.as_ref().is_some_and(|sighting| sighting.drift.is_some())
}
