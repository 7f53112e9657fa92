//! Checkpoints: where a reader of a ledger may begin instead of at its first commit.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Digest, Ledger, LedgerError, Position, StoreError, key};

/// The version of the stored form that this program writes, and the newest that it reads.
const SCHEMA: u32 = 1;

/// A blob that holds what the commits up to a position come to. It is a hint: without it, or with one that is older than
/// another, a reader takes longer and comes to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last commit that went into it.
    pub position: Position,
    /// The blob.
    pub state: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    schema: u32,
    number: u64,
    digest: Digest,
    state: Digest,
}

impl<T: Serialize + DeserializeOwned> Ledger<T> {
    /// Gives the newest checkpoint; `None` where there is none that fits the ledger: a store that was put back from a
    /// copy may hold a later one.
    ///
    /// # Errors
    /// [`LedgerError`] where the store fails or the commit can't be read.
    pub async fn checkpoint(&self) -> Result<Option<Checkpoint>, LedgerError> {
        let Some(store) = self.store() else { return Ok(None) };
        let bytes = store.get(&key::checkpoint(self.name())).await.map_err(|source| self.unreachable(source))?;
        let Some(stored) = bytes.and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok()) else {
            return Ok(None);
        };
        let position = Position { number: stored.number, digest: stored.digest };
        let fits = stored.schema <= SCHEMA
            && self.read(stored.number).await?.is_some_and(|commit| commit.position() == position);
        Ok(fits.then_some(Checkpoint { position, state: stored.state }))
    }

    /// Says which blob holds what the commits up to a position come to. Of a ledger that a server keeps, it is the
    /// server who does that.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn put_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let Position { number, digest } = checkpoint.position;
        let key = key::checkpoint(self.name());
        let stored = Stored { schema: SCHEMA, number, digest, state: checkpoint.state };
        let bytes = serde_json::to_vec(&stored);
        let bytes = bytes.map_err(|source| StoreError::Composite { object: key.to_string(), source: Some(source) })?;
        match self.store() {
            Some(store) => store.put(&key, Bytes::from(bytes)).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Author, Checkpoint, Position, Store};

    #[tokio::test]
    async fn a_checkpoint_counts_where_it_fits() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().to_str().unwrap()).await.unwrap();
        let ledger = store.ledger::<String>("repository");
        assert_eq!(ledger.checkpoint().await.unwrap(), None);
        let author = Author { who: "ana".to_owned(), from: "ci".to_owned(), why: None };
        let commit = ledger.append(&Position::start(), author, "one".to_owned()).await.unwrap();
        let checkpoint = Checkpoint { position: commit.position(), state: crate::Digest::of(b"state") };
        ledger.put_checkpoint(&checkpoint).await.unwrap();
        assert_eq!(ledger.checkpoint().await.unwrap(), Some(checkpoint));
        let other = Position { number: 1, digest: crate::Digest::of(b"other") };
        ledger.put_checkpoint(&Checkpoint { position: other, ..checkpoint }).await.unwrap();
        assert_eq!(ledger.checkpoint().await.unwrap(), None);
        let later = Position { number: 2, digest: crate::Digest::of(b"later") };
        ledger.put_checkpoint(&Checkpoint { position: later, ..checkpoint }).await.unwrap();
        assert_eq!(ledger.checkpoint().await.unwrap(), None);
        assert_eq!(ledger.since(&Position::start()).await.unwrap().len(), 1, "it is no commit");
    }
}
