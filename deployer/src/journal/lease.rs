//! Taking, keeping and releasing an environment's lease.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use ledger::{AppendError, Author, Extent, Ground, Ledger, LedgerError, Refused};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::entry::{Action, Ending, Entry, HostReport};
use super::record::{DeploymentRecord, JournalState};
use super::writing::Queue;
use crate::{DeploymentId, Target};

/// How long a lease holds without a sign of life; it is extended three times as often.
pub const LEASE: Duration = Duration::from_secs(60);
/// By how much the clocks of two controllers may differ and be believed.
const SKEW: Duration = Duration::from_secs(30);

/// Who deploys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person or the job.
    pub who: String,
    /// The machine, and the process on it.
    pub from: String,
}

/// Says why the journal can't be written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// Another deployment holds the lease.
    #[error(
        "deployment {id} by {} from {} holds the lease since {}, until {} at the earliest",
        holder.who, holder.from, time(since), time(until)
    )]
    Held {
        /// The deployment.
        id: DeploymentId,
        /// Who holds it.
        holder: Author,
        /// Since when.
        since: DateTime<Utc>,
        /// Until when, if it is not extended.
        until: DateTime<Utc>,
    },
    /// A deployment was interrupted and has to be resumed first.
    #[error(
        "deployment {id} by {} from {} was interrupted: its lease ended at {} with steps begun",
        holder.who, holder.from, time(until)
    )]
    Interrupted {
        /// The deployment.
        id: DeploymentId,
        /// Who held it.
        holder: Author,
        /// When its lease ended.
        until: DateTime<Utc>,
    },
    /// There is nothing to resume.
    #[error("there is nothing to resume: {0}")]
    NothingToResume(&'static str),
    /// Another controller took the lease over.
    #[error("the lease of {id} was taken over by {} from {}; nothing more is changed from here", by.who, by.from)]
    TakenOver {
        /// The deployment.
        id: DeploymentId,
        /// Who took it.
        by: Author,
    },
    /// The ledger can't be read or written.
    #[error(transparent)]
    Ledger(Arc<LedgerError>),
}

impl From<LedgerError> for JournalError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Arc::new(error))
    }
}

impl JournalError {
    /// The no of the server that keeps the ledger, if it is that.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refused> {
        match self {
            Self::Ledger(error) => error.refusal(),
            _ => None,
        }
    }

    /// Whether the server that keeps the ledger asks for an approval that was not given, or has the environment frozen.
    pub(crate) fn is_approval(&self) -> bool {
        self.refusal().is_some_and(|refused| matches!(refused.ground, Ground::Approval | Ground::Frozen))
    }
}

fn time(at: &DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// An environment's journal while this controller holds its lease.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(super) ledger: Ledger<Entry>,
    pub(super) author: Author,
    id: DeploymentId,
    pub(super) token: u64,
    pub(super) state: Mutex<JournalState>,
    pub(super) waiting: Queue,
}

impl Journal {
    /// Reads an environment's ledger: all of it, or what still matters.
    pub(crate) async fn read(ledger: &Ledger<Entry>, extent: Extent) -> Result<JournalState, LedgerError> {
        let mut state = JournalState::default();
        let mut commits = pin!(ledger.follow(state.position, extent));
        while let Some(commit) = commits.try_next().await? {
            state.apply(&commit);
        }
        Ok(state)
    }

    /// Reads all that the ledger says of a deployment.
    pub(crate) async fn story(
        ledger: &Ledger<Entry>,
        record: &DeploymentRecord,
    ) -> Result<DeploymentRecord, LedgerError> {
        let (position, newest) = record.span();
        let mut state = JournalState::after(position);
        let mut commits = pin!(ledger.follow(position, Extent::Whole));
        while state.position.number < newest
            && let Some(commit) = commits.try_next().await?
        {
            state.apply(&commit);
        }
        Ok(state.deployments.into_iter().find(|found| found.id == record.id).unwrap_or_else(|| record.clone()))
    }

    /// Takes the lease for a new deployment.
    ///
    /// A lease that has ended can be taken only where its deployment had not yet agreed on a plan: otherwise hosts may
    /// be in any state, and what is left of it has to be resumed first.
    pub(crate) async fn begin(
        ledger: Ledger<Entry>,
        author: Author,
        action: Action,
        target: Target,
    ) -> Result<Self, JournalError> {
        let mut state = Self::read(&ledger, Extent::Abridged).await?;
        loop {
            let ended = has_ended(&ledger, &mut state).await?;
            if let Some(record) = state.unfinished() {
                if !ended {
                    return Err(held(record));
                }
                if record.plan.is_some() {
                    let (id, holder, until) = (record.id, record.holder.clone(), record.until);
                    return Err(JournalError::Interrupted { id, holder, until });
                }
            }
            let count = u32::try_from(state.deployments.len()).unwrap_or(u32::MAX - 1);
            let deployment = DeploymentId::after(count);
            let entry = Entry::Begun { deployment, action, target: target.clone(), until: lease_end() };
            if let Some(token) = take(&ledger, &author, &mut state, entry).await? {
                return Ok(Self::new(ledger, author, (deployment, token), state));
            }
        }
    }

    /// Takes over the lease of the last deployment, if that was interrupted or left hosts changed.
    pub(crate) async fn resume(ledger: Ledger<Entry>, author: Author) -> Result<Self, JournalError> {
        let mut state = Self::read(&ledger, Extent::Abridged).await?;
        loop {
            let ended = has_ended(&ledger, &mut state).await?;
            let record = state.deployments.last().ok_or(JournalError::NothingToResume("nothing was ever deployed"))?;
            match record.ending {
                None if !ended => return Err(held(record)),
                None | Some(Ending::PartlyChanged) => {}
                Some(_) => return Err(JournalError::NothingToResume("the last deployment has come to its end")),
            }
            let deployment = record.id;
            let entry = Entry::Resumed { deployment, until: lease_end() };
            if let Some(token) = take(&ledger, &author, &mut state, entry).await? {
                return Ok(Self::new(ledger, author, (deployment, token), state));
            }
        }
    }

    fn new(ledger: Ledger<Entry>, author: Author, (id, token): (DeploymentId, u64), state: JournalState) -> Self {
        Self { ledger, author, id, token, state: Mutex::new(state), waiting: Queue::default() }
    }

    /// The deployment.
    pub(crate) fn id(&self) -> DeploymentId {
        self.id
    }

    /// The fencing token: no host obeys a lower one after it has seen this.
    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// The journal as far as it is known here.
    pub(crate) async fn state(&self) -> JournalState {
        self.state.lock().await.clone()
    }

    /// Ends the deployment, and notes for whoever reads the ledger later what of it still matters.
    pub(crate) async fn finish(
        &self,
        ending: Ending,
        reason: Option<String>,
        hosts: Vec<HostReport>,
    ) -> Result<(), JournalError> {
        let clean = self.state.lock().await.is_clean(ending);
        self.write(Entry::Finished { deployment: self.id, ending, reason, hosts, clean }).await?;
        if clean {
            let abridgement = self.state.lock().await.abridgement();
            if let Err(error) = self.ledger.put_abridgement(&abridgement).await {
                // It is a hint: the next reader takes longer.
                tracing::warn!(%error, "what of the journal still matters could not be noted");
            }
        }
        Ok(())
    }

    /// Extends the lease until the journal can't be written any more, and says why that is.
    pub(crate) async fn keep_alive(&self) -> JournalError {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            if let Err(error) = self.write(Entry::Extended { deployment: self.id, until: lease_end() }).await {
                return error;
            }
        }
    }
}

fn held(record: &DeploymentRecord) -> JournalError {
    JournalError::Held { id: record.id, holder: record.holder.clone(), since: record.held_since, until: record.until }
}

/// Whether no deployment holds the lease.
///
/// An end that no clock like ours can have written is not believed: that holder is seen to write, or the lease has ended.
async fn has_ended(ledger: &Ledger<Entry>, state: &mut JournalState) -> Result<bool, LedgerError> {
    let Some(until) = state.unfinished().map(|record| record.until) else { return Ok(true) };
    let now = Utc::now();
    if until <= now + TimeDelta::from_std(LEASE + SKEW).unwrap_or_default() {
        return Ok(until < now);
    }
    tracing::warn!(
        "the clock of the lease's holder is ahead of this one (its lease would hold until {}): it is watched for a sign of \
         life, a minute at most",
        time(&until)
    );
    let (began, known) = (Instant::now(), state.position);
    while began.elapsed() < LEASE {
        tokio::time::sleep(LEASE / 12).await;
        catch_up(ledger, state).await?;
        if state.position != known {
            return Ok(state.unfinished().is_none());
        }
    }
    Ok(true)
}

fn lease_end() -> DateTime<Utc> {
    Utc::now() + TimeDelta::from_std(LEASE).unwrap_or_default()
}

/// Writes the entry that takes the lease; gives its commit's number, or `None` where another writer was first.
async fn take(
    ledger: &Ledger<Entry>,
    author: &Author,
    state: &mut JournalState,
    entry: Entry,
) -> Result<Option<u64>, JournalError> {
    match ledger.append(&state.position, author.clone(), entry).await {
        Ok(commit) => {
            state.apply(&commit);
            Ok(Some(commit.number))
        }
        Err(AppendError::Lost { .. }) => {
            catch_up(ledger, state).await?;
            Ok(None)
        }
        Err(AppendError::Ledger(error)) => Err(error.into()),
    }
}

/// Takes in what came; gives what of it this process wrote.
pub(super) async fn catch_up(ledger: &Ledger<Entry>, state: &mut JournalState) -> Result<Vec<Entry>, LedgerError> {
    let mut own = Vec::new();
    for commit in ledger.since(&state.position).await? {
        state.apply(&commit);
        if ledger.is_own(&commit) {
            own.push(commit.payload);
        }
    }
    Ok(own)
}
