//! A store of blobs and ledgers: an object store behind the few operations that the design needs.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::location::Location;
use crate::write::Created;
use crate::{Digest, Ledger, key, sweep};

/// How much of a blob is kept in memory on its way into a file, bytes.
const PART_OF_FILE: usize = 1 << 20;
/// How much on its way into a bucket: S3 wants parts of 5 MiB at least, and has no more than 10,000 of them.
pub(crate) const PART_OF_OBJECT: usize = 8 << 20;

/// Blobs named by their sha256, and ledgers, in one place. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    directory: Option<Arc<std::path::Path>>,
    pub(crate) part: usize,
}

/// Says why a store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The location is of a kind that is not known.
    #[error(
        "`{0}` is not a store: allowed are a directory, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX and az://CONTAINER/PREFIX"
    )]
    Location(String),
    /// The directory can't be made or reached.
    #[error("store directory `{directory}` can't be used")]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The bucket can't be reached, or not with these settings.
    #[error("bucket `{location}` can't be used; its settings come from {settings}")]
    Bucket {
        /// The location.
        location: String,
        /// The environment variables that it is configured by.
        settings: &'static str,
        /// What is wrong.
        #[source]
        source: object_store::Error,
    },
    /// The store overwrites where it was asked to create: two writers would destroy each other's commits.
    #[error("store `{0}` ignores create-if-absent, so concurrent writers would lose commits: use another store")]
    Unconditional(String),
    /// What stands for a composite blob is none.
    #[error("`{object}` does not say what a composite blob consists of")]
    Composite {
        /// The object's key.
        object: String,
        /// What is wrong with it, where it is not of the right shape.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// A part of a composite blob is gone.
    #[error("blob `{part}`, of which another consists, is missing")]
    MissingPart {
        /// The part.
        part: Digest,
    },
    /// A range lies outside of its blob.
    #[error("blob `{blob}` has {size} bytes, and no bytes {} to {}", range.start, range.end)]
    Range {
        /// The blob.
        blob: Digest,
        /// Its size, bytes.
        size: u64,
        /// What was asked for.
        range: Range<u64>,
    },
    /// An operation on an object failed.
    #[error("store failed to {operation} `{object}`")]
    Object {
        /// `read`, `write`, `create` or `delete`.
        operation: &'static str,
        /// The object's key.
        object: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
}

impl Store {
    /// Opens the store at a location: a directory, which is made where it does not exist, or `s3://BUCKET/PREFIX`,
    /// `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` with the usual environment variables.
    ///
    /// # Errors
    /// [`StoreError`] for a location that is of no known kind, can't be used, or ignores create-if-absent.
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        let parsed = Location::parse(location)?;
        let (directory, part) = match &parsed {
            Location::Directory(directory) => (Some(directory.as_path().into()), PART_OF_FILE),
            Location::Bucket { .. } => (None, PART_OF_OBJECT),
        };
        let store = Self { objects: parsed.open()?, directory, part };
        match (store.probe().await, &parsed) {
            (Ok(true), _) => Ok(store),
            (Ok(false), _) => Err(StoreError::Unconditional(location.to_owned())),
            (Err(StoreError::Object { source, .. }), Location::Bucket { cloud, .. }) => {
                Err(StoreError::Bucket { location: location.to_owned(), settings: cloud.settings(), source })
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Opens a store like [`Store::open`], but makes no directory: a mistyped one is to be noticed.
    ///
    /// # Errors
    /// [`StoreError`] for all that [`Store::open`] refuses, and for a directory that does not exist.
    pub async fn open_existing(location: &str) -> Result<Self, StoreError> {
        if let Location::Directory(directory) = Location::parse(location)? {
            let listed = std::fs::read_dir(&directory).map(drop);
            listed.map_err(|source| StoreError::Directory { directory, source })?;
        }
        Self::open(location).await
    }

    /// Uses an object store of any kind, once it was asked whether it honours create-if-absent.
    ///
    /// # Errors
    /// [`StoreError`] where it fails, or ignores create-if-absent.
    pub async fn on(objects: Arc<dyn ObjectStore>) -> Result<Self, StoreError> {
        let name = objects.to_string();
        let store = Self { objects, directory: None, part: PART_OF_OBJECT };
        if store.probe().await? { Ok(store) } else { Err(StoreError::Unconditional(name)) }
    }

    /// The file of a blob in a store that is a directory, if the blob is there and does not consist of others. Its bytes
    /// never change; whoever links it has to leave them.
    #[must_use]
    pub fn file_of_blob(directory: &std::path::Path, digest: &Digest) -> PathBuf {
        directory.join(key::blob(digest).as_ref())
    }

    /// Removes what writers that were killed left half-written in a directory, where nothing was added to it for as long
    /// as given. Gives how many files that were. Nothing else in the store is touched, and nothing that is visible.
    ///
    /// Blocks, and looks at the name of every file.
    ///
    /// # Errors
    /// [`StoreError::Directory`] where a directory can't be read or a file can't be removed.
    pub fn sweep(&self, older_than: Duration) -> Result<usize, StoreError> {
        let Some(directory) = &self.directory else { return Ok(0) };
        let unusable = |source| StoreError::Directory { directory: directory.to_path_buf(), source };
        sweep::staged_files(directory, older_than).map_err(unusable)
    }

    /// Gives the ledger of a name, such as `repository` or `environments/prod`; it need not exist yet.
    #[must_use]
    pub fn ledger<T: Serialize + DeserializeOwned>(&self, name: &str) -> Ledger<T> {
        Ledger::new(self.clone(), name.to_owned())
    }

    /// Whether the store refuses to create what exists.
    async fn probe(&self) -> Result<bool, StoreError> {
        let key = key::probe();
        let first = self.create(&key, Bytes::from_static(b"1")).await?;
        let second = self.create(&key, Bytes::from_static(b"2")).await;
        self.delete(&key).await?;
        Ok(matches!((first, second?), (Created::New, Created::Exists)))
    }
}

pub(crate) fn failed(operation: &'static str, key: &Path, source: object_store::Error) -> StoreError {
    StoreError::Object { operation, object: key.to_string(), source }
}

#[cfg(test)]
mod tests {
    use futures::{Stream, TryStreamExt, stream};

    use super::*;
    use crate::{Composite, Part, ReceiveError, ReceivedBlob};

    async fn open() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().to_str().unwrap()).await.unwrap();
        (directory, store)
    }

    fn chunks(texts: &'static [&'static str]) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        stream::iter(texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))))
    }

    fn files(directory: &tempfile::TempDir) -> usize {
        fn count(path: &std::path::Path) -> usize {
            fs_err::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(directory.path())
    }

    #[tokio::test]
    async fn stores_and_reads_blobs() {
        let (_directory, store) = open().await;
        let digest = store.put_blob(Bytes::from_static(b"hello")).await.unwrap();
        assert_eq!(store.put_blob(Bytes::from_static(b"hello")).await.unwrap(), digest);
        assert_eq!(store.blob(&digest).await.unwrap().unwrap(), "hello");
        assert_eq!(store.blob_size(&digest).await.unwrap(), Some(5));
        let reader = store.open_blob(&digest, Some(1..3)).await.unwrap().unwrap();
        assert_eq!(reader.size, 5);
        let parts: Vec<Bytes> = reader.into_stream().try_collect().await.unwrap();
        assert_eq!(parts.concat(), b"el");
        let missing = Digest::of(b"never stored");
        assert!(store.blob(&missing).await.unwrap().is_none());
        assert!(store.open_blob(&missing, None).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn composites_read_like_other_blobs() {
        let (_directory, store) = open().await;
        let mut parts = Vec::new();
        for text in ["hello, ", "", "world"] {
            let digest = store.put_blob(text.into()).await.unwrap();
            parts.push(Part { digest, size: text.len() as u64 });
        }
        let composite = Composite::new(Digest::of(b"hello, world"), parts);
        assert!(store.blob(&composite.digest()).await.unwrap().is_none());
        store.put_composite(&composite).await.unwrap();
        let digest = Digest::of(b"hello, world");
        assert_eq!(store.blob(&digest).await.unwrap().unwrap(), "hello, world");
        assert_eq!(store.blob_size(&digest).await.unwrap(), Some(12));
        for range in [0..12, 5..9, 7..12, 3..3, 12..12] {
            let reader = store.open_blob(&digest, Some(range.clone())).await.unwrap().unwrap();
            let parts: Vec<Bytes> = reader.into_stream().try_collect().await.unwrap();
            assert_eq!(parts.concat(), &b"hello, world"[range.start as usize..range.end as usize], "{range:?}");
        }
        assert!(matches!(store.open_blob(&digest, Some(5..13)).await, Err(StoreError::Range { .. })));
    }

    #[tokio::test]
    async fn receives_what_was_announced() {
        let (_directory, store) = open().await;
        let digest = Digest::of(b"hello, world");
        let received = store.receive_blob(Some(digest), chunks(&["hello, ", "world"]), 100).await.unwrap();
        assert_eq!(received, ReceivedBlob { digest, size: 12 });
        let unannounced = store.receive_blob(None, chunks(&["hello, world"]), 100).await.unwrap();
        assert_eq!(unannounced.digest, digest);
        assert_eq!(store.blob(&digest).await.unwrap().unwrap(), "hello, world");
    }

    #[tokio::test]
    async fn a_refused_blob_leaves_nothing() {
        let (directory, store) = open().await;
        let digest = Digest::of(b"hello");
        let other = store.receive_blob(Some(digest), chunks(&["goodbye"]), 100).await.unwrap_err();
        assert!(matches!(other, ReceiveError::Mismatch { .. }), "{other}");
        let large = store.receive_blob(Some(digest), chunks(&["hel", "lo"]), 4).await.unwrap_err();
        assert!(matches!(large, ReceiveError::TooLarge { limit: 4 }), "{large}");
        let broken = stream::iter([Ok(Bytes::from_static(b"hel")), Err(std::io::Error::other("gone"))]);
        let broken = store.receive_blob(Some(digest), broken, 100).await.unwrap_err();
        assert!(matches!(broken, ReceiveError::Body(_)), "{broken}");
        assert!(store.blob(&digest).await.unwrap().is_none());
        assert_eq!(files(&directory), 0);
    }

    #[tokio::test]
    async fn refuses_locations_it_does_not_know() {
        for location in ["", "ftp://bucket/prefix"] {
            assert!(matches!(Store::open(location).await, Err(StoreError::Location(_))), "{location}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Store::open(file.path().to_str().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("can't be used"), "{error}");
    }
}
