//! Abridgements: which commits of a long ledger still matter to who asks how things stand.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Digest, Ledger, LedgerError, Position, StoreError, key};

/// The version of the stored form that this program writes, and the newest that it reads.
const SCHEMA: u32 = 1;

/// The numbers of those commits up to a position that still matter. It is a hint: without it, or with one that is older
/// than another, a reader takes longer and comes to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abridgement {
    /// Up to where it goes; its own number is kept.
    pub until: Position,
    /// The numbers, in order.
    pub kept: Vec<u64>,
}

/// Which commits of a ledger are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All.
    Whole,
    /// Those that still matter, as far as the ledger's keeper knows, and all that follow them.
    Abridged,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    schema: u32,
    number: u64,
    digest: Digest,
    kept: Vec<u64>,
}

impl<T: Serialize + DeserializeOwned> Ledger<T> {
    /// Gives the newest abridgement; `None` where there is none that fits the ledger: a store that was put back from a
    /// copy may hold a later one.
    ///
    /// # Errors
    /// [`LedgerError`] where the store fails or the commit can't be read.
    pub async fn abridgement(&self) -> Result<Option<Abridgement>, LedgerError> {
        let Some(store) = self.store() else { return Ok(None) };
        let bytes = store.get(&key::abridgement(self.name())).await.map_err(|source| self.unreachable(source))?;
        let Some(Stored { schema, number, digest, kept }) =
            bytes.and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok())
        else {
            return Ok(None);
        };
        let until = Position { number, digest };
        let is_in_order = kept.is_sorted_by(|left, right| left < right) && kept.last() == Some(&number);
        let fits = schema <= SCHEMA
            && is_in_order
            && self.read(number).await?.is_some_and(|commit| commit.position() == until);
        Ok(fits.then_some(Abridgement { until, kept }))
    }

    /// Says which commits still matter. Of a ledger that a server keeps, it is the server who does that.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn put_abridgement(&self, abridgement: &Abridgement) -> Result<(), StoreError> {
        let Some(store) = self.store() else { return Ok(()) };
        let Position { number, digest } = abridgement.until;
        let key = key::abridgement(self.name());
        let stored = Stored { schema: SCHEMA, number, digest, kept: abridgement.kept.clone() };
        let bytes = serde_json::to_vec(&stored);
        let bytes = bytes.map_err(|source| StoreError::Composite { object: key.to_string(), source: Some(source) })?;
        store.put(&key, Bytes::from(bytes)).await
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;
    use crate::{Author, Store};

    #[tokio::test]
    async fn an_abridgement_counts_where_it_fits() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().to_str().unwrap()).await.unwrap();
        let ledger = store.ledger::<u64>("environments/qa");
        let author = Author { who: "ana".to_owned(), from: "ci".to_owned(), why: None };
        let mut positions = vec![Position::start()];
        for number in 1..=9 {
            let commit = ledger.append(positions.last().unwrap(), author.clone(), number).await.unwrap();
            positions.push(commit.position());
        }
        let read = async |after: u64, extent| {
            let commits: Vec<_> = ledger.follow(positions[after as usize], extent).try_collect().await.unwrap();
            commits.into_iter().map(|commit| commit.number).collect::<Vec<_>>()
        };
        let all: Vec<u64> = (1..=9).collect();
        assert_eq!(read(0, Extent::Abridged).await, all, "there is none yet");
        let good = Abridgement { until: positions[7], kept: vec![1, 2, 6, 7] };
        ledger.put_abridgement(&good).await.unwrap();
        assert_eq!(ledger.abridgement().await.unwrap(), Some(good.clone()));
        assert_eq!(read(0, Extent::Abridged).await, [1, 2, 6, 7, 8, 9]);
        assert_eq!(read(2, Extent::Abridged).await, [6, 7, 8, 9]);
        assert_eq!(read(8, Extent::Abridged).await, [9]);
        assert_eq!(read(9, Extent::Abridged).await, [0; 0]);
        assert_eq!(read(0, Extent::Whole).await, all);

        let other = Position { number: 7, digest: Digest::of(b"other") };
        let beyond = Position { number: 10, digest: Digest::of(b"beyond") };
        for bad in [
            Abridgement { until: other, kept: good.kept.clone() },
            Abridgement { until: beyond, kept: vec![1, 10] },
            Abridgement { until: good.until, kept: vec![2, 1, 7] },
            Abridgement { until: good.until, kept: vec![1, 2, 6] },
            Abridgement { until: good.until, kept: vec![] },
        ] {
            ledger.put_abridgement(&bad).await.unwrap();
            assert_eq!(ledger.abridgement().await.unwrap(), None, "{bad:?}");
            assert_eq!(read(0, Extent::Abridged).await, all, "{bad:?}");
        }
    }
}
