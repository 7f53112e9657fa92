//! Writing to an environment's journal while its lease is held.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ledger::AppendError;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::entry::Entry;
use super::lease::{Journal, JournalError, catch_up};
use super::record::JournalState;

/// How often a store that fails is asked again, and how long after.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(250);
/// How many steps are written at once at most.
const STEPS_AT_ONCE: usize = 100;

/// What is to be written next, in this order. Whoever has the journal's state writes it, for others too.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<VecDeque<Waiting>>);

/// An entry that waits to be written, and who waits for that.
#[derive(Debug)]
struct Waiting {
    entry: Entry,
    told: oneshot::Sender<Result<(), JournalError>>,
}

impl Queue {
    fn push(&self, entry: Entry) -> oneshot::Receiver<Result<(), JournalError>> {
        let (told, outcome) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(Waiting { entry, told });
        outcome
    }

    /// What is to be written next at once: one entry, or steps that follow one another.
    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|waiting| !waiting.told.is_closed());
        let steps = waiting.iter().take(STEPS_AT_ONCE).take_while(|waiting| waiting.entry.is_step()).count();
        let count = steps.max(1).min(waiting.len());
        waiting.drain(..count).collect()
    }
}

impl Journal {
    /// Writes an entry, as long as the lease is still ours.
    ///
    /// A store may take a while, and hosts are many: steps that come while an entry is being written are written together.
    pub(crate) async fn write(&self, entry: Entry) -> Result<(), JournalError> {
        let mut outcome = self.waiting.push(entry.clone());
        let mut state = self.state.lock().await;
        loop {
            match outcome.try_recv() {
                Ok(outcome) => return outcome,
                Err(TryRecvError::Empty) => {}
                // Whoever wrote it was stopped at that: it may have been written.
                Err(TryRecvError::Closed) => outcome = self.waiting.push(entry.clone()),
            }
            let (entries, waiting): (Vec<Entry>, Vec<_>) =
                self.waiting.next().into_iter().map(|waiting| (waiting.entry, waiting.told)).unzip();
            let outcome = self.append(&mut state, entries).await;
            for told in waiting {
                // Whoever waited for it may be gone.
                let _ = told.send(outcome.clone());
            }
        }
    }

    async fn append(&self, state: &mut JournalState, mut entries: Vec<Entry>) -> Result<(), JournalError> {
        let mut attempt = 0;
        while let Some(entry) = Entry::together(entries.clone()) {
            match state.deployments.last() {
                Some(record) if record.token == self.token => {}
                Some(record) => return Err(JournalError::TakenOver { id: record.id, by: record.holder.clone() }),
                None => return Err(JournalError::NothingToResume("the ledger is empty")),
            }
            match self.ledger.append(&state.position, self.author.clone(), entry).await {
                Ok(commit) => {
                    state.apply(&commit);
                    return Ok(());
                }
                Err(AppendError::Lost { .. }) => {
                    // Some may have been made at an earlier attempt, whose answer was lost.
                    let own = catch_up(&self.ledger, state).await?;
                    entries.retain(|entry| !own.iter().flat_map(Entry::parts).any(|made| made == entry));
                }
                Err(AppendError::Ledger(error)) if error.is_passing() && attempt < ATTEMPTS => {
                    tracing::warn!(%error, attempt, "an entry of the journal could not be written and is tried again");
                    tokio::time::sleep(PAUSE * 2u32.pow(attempt)).await;
                    attempt += 1;
                }
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
