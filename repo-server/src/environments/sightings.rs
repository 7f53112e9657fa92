//! How hosts were seen since they were deployed to: a small ledger beside each environment's own.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{TimeDelta, Utc};
use ledger::{AppendError, Author, Commit, Ledger, LedgerError, Position};
use repo_api::{SeenHost, Sighting};
use serde::{Deserialize, Serialize};

use super::error::EnvironmentError;

const ATTEMPTS: u32 = 20;
/// How long a sighting that says nothing new is not written again.
const NEWS: TimeDelta = TimeDelta::minutes(10);
/// How many hosts one sighting may be about.
const MOST: usize = 10_000;

/// What a commit of the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    hosts: Vec<SeenHost>,
}

/// How the hosts of an environment were last seen.
#[derive(Debug)]
pub(super) struct Sightings {
    ledger: Ledger<Seen>,
    known: RwLock<Known>,
}

#[derive(Debug, Clone)]
struct Known {
    position: Position,
    hosts: Arc<BTreeMap<String, Sighting>>,
}

impl Sightings {
    pub(super) fn new(ledger: Ledger<Seen>) -> Self {
        let known = Known { position: Position::start(), hosts: Arc::default() };
        Self { ledger, known: RwLock::new(known) }
    }

    /// How each host was last seen.
    pub(super) fn hosts(&self) -> Arc<BTreeMap<String, Sighting>> {
        self.known().hosts
    }

    /// Takes in what other processes wrote since.
    pub(super) async fn refresh(&self) -> Result<(), LedgerError> {
        let commits = self.ledger.since(&self.known().position).await?;
        self.adopt(&commits);
        Ok(())
    }

    /// Writes how hosts were seen, unless that is known; tells whether it was written, and the newest commit.
    pub(super) async fn tell(&self, hosts: Vec<SeenHost>, author: Author) -> Result<(bool, u64), EnvironmentError> {
        if hosts.len() > MOST {
            return Err(EnvironmentError::Settings(format!("at most {MOST} hosts are told of at a time")));
        }
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let known = self.known();
            let now = Utc::now();
            let is_old = |host: &SeenHost| {
                known.hosts.get(&host.host).is_some_and(|last| {
                    last.packages == host.packages && last.drift == host.drift && now - last.at < NEWS
                })
            };
            if hosts.iter().all(is_old) {
                return Ok((false, known.position.number));
            }
            match self.ledger.append(&known.position, author.clone(), Seen { hosts: hosts.clone() }).await {
                Ok(commit) => {
                    let number = commit.number;
                    self.adopt(&[commit]);
                    return Ok((true, number));
                }
                Err(AppendError::Lost { .. }) => {}
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
        Err(EnvironmentError::Busy)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn adopt(&self, commits: &[Commit<Seen>]) {
        if commits.is_empty() {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut hosts = BTreeMap::clone(&known.hosts);
        for commit in commits.iter().filter(|commit| commit.number > known.position.number) {
            for SeenHost { host, packages, drift } in commit.payload.hosts.clone() {
                hosts.insert(host, Sighting { at: commit.at, by: commit.author.who.clone(), packages, drift });
            }
        }
        if let Some(newest) = commits.last().filter(|newest| newest.number > known.position.number) {
            known.position = newest.position();
        }
        known.hosts = Arc::new(hosts);
    }
}
