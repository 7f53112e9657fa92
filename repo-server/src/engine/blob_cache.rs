//! Small blobs that are read often, kept in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use ledger::{Digest, Store, StoreError};

/// The largest blob that is kept, bytes.
pub(crate) const LARGEST: u64 = 4 << 20;

/// Reads blobs of a store, keeping small ones. A blob never changes, so what is kept is never stale.
#[derive(Debug)]
pub(crate) struct BlobCache {
    store: Store,
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    size: usize,
    blobs: HashMap<Digest, Bytes>,
}

impl BlobCache {
    /// Keeps up to `limit` bytes of a store's blobs.
    pub(crate) fn new(store: Store, limit: usize) -> Self {
        Self { store, limit, kept: Mutex::default() }
    }

    /// Gives a whole blob; `None` where there is none. For blobs that fit in memory.
    pub(crate) async fn get(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        if let Some(bytes) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).blobs.get(digest) {
            return Ok(Some(bytes.clone()));
        }
        let bytes = self.store.blob(digest).await?;
        if let Some(bytes) = &bytes {
            self.keep(*digest, bytes.clone());
        }
        Ok(bytes)
    }

    /// Keeps a blob that has just been stored.
    pub(crate) fn keep(&self, digest: Digest, bytes: Bytes) {
        if bytes.len() as u64 > LARGEST {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.size + bytes.len() > self.limit {
            // What is in use comes back soon; a finer order would cost more than it saves.
            *kept = Kept::default();
        }
        let size = bytes.len();
        if kept.blobs.insert(digest, bytes).is_none() {
            kept.size += size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stays_within_its_limit() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().to_str().unwrap()).await.unwrap();
        let cache = BlobCache::new(store.clone(), 100);
        for number in 0..10_u8 {
            let digest = store.put_blob(Bytes::from(vec![number; 30])).await.unwrap();
            assert_eq!(cache.get(&digest).await.unwrap().unwrap(), vec![number; 30]);
            let kept = cache.kept.lock().unwrap();
            assert_eq!(kept.size, kept.blobs.values().map(Bytes::len).sum::<usize>());
            assert!(kept.size <= 100 && kept.blobs.contains_key(&digest));
        }
        assert_eq!(cache.get(&Digest::of(b"never stored")).await.unwrap(), None);
    }
}
