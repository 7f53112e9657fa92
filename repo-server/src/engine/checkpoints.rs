//! Checkpoints of the state: read at the start, written off the way of those who publish.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger::{Checkpoint, Ledger, Store};

use super::repository::Repository;
use crate::error::RepositoryError;
use crate::state::{Change, RepositoryState};

/// After how many commits a checkpoint is written, at least.
const EVERY: u64 = 100;
/// And for how many packages one commit more: writing costs what there is.
const PACKAGES_PER_COMMIT: usize = 64;

/// The number of the commit as of which the last checkpoint was written or begun.
#[derive(Debug, Default)]
pub(super) struct LastCheckpoint(Arc<AtomicU64>);

impl Repository {
    /// Begins with the newest checkpoint; without one that can be read, with nothing.
    pub(super) async fn begin(&self) -> Result<(), RepositoryError> {
        let Some(checkpoint) = self.ledger.checkpoint().await? else { return Ok(()) };
        match read(&self.store, &checkpoint).await {
            Ok(Some(state)) => {
                self.checkpoint.0.store(checkpoint.position.number, Ordering::Relaxed);
                self.start_with(state);
            }
            Ok(None) => tracing::warn!("the checkpoint is gone; every commit is read instead"),
            Err(error) => tracing::warn!(%error, "the checkpoint can't be read; every commit is read instead"),
        }
        Ok(())
    }

    /// Writes a checkpoint of a state where enough commits were made since the last one.
    pub(super) fn offer_checkpoint(&self, state: &Arc<RepositoryState>) {
        let number = state.position().number;
        let last = self.checkpoint.0.load(Ordering::Relaxed);
        let due = EVERY + (state.packages().len() / PACKAGES_PER_COMMIT) as u64;
        if number < last.saturating_add(due) {
            return;
        }
        if self.checkpoint.0.compare_exchange(last, number, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let (store, ledger, state) = (self.store.clone(), self.ledger.clone(), Arc::clone(state));
        tokio::spawn(async move {
            match write(&store, &ledger, state).await {
                Ok(()) => tracing::info!(commit = number, "checkpoint written"),
                Err(error) => tracing::warn!(commit = number, %error, "the checkpoint can't be written"),
            }
        });
    }
}

/// Writes a checkpoint of a state.
pub(crate) async fn write(
    store: &Store,
    ledger: &Ledger<Change>,
    state: Arc<RepositoryState>,
) -> Result<(), RepositoryError> {
    let position = *state.position();
    let encoded = tokio::task::spawn_blocking(move || state.encode());
    let encoded = encoded.await.map_err(|_| RepositoryError::Stopping)?.map_err(RepositoryError::Render)?;
    let state = store.put_blob(encoded.into()).await?;
    Ok(ledger.put_checkpoint(&Checkpoint { position, state }).await?)
}

/// Reads the state of a checkpoint; `None` where its blob is gone.
pub(crate) async fn read(store: &Store, checkpoint: &Checkpoint) -> Result<Option<RepositoryState>, RepositoryError> {
    let Some(bytes) = store.blob(&checkpoint.state).await? else { return Ok(None) };
    let position = checkpoint.position;
    let decoded = tokio::task::spawn_blocking(move || RepositoryState::decode(&bytes, position));
    decoded.await.map_err(|_| RepositoryError::Stopping)?.map(Some).map_err(RepositoryError::Render)
}
