//! A store of blobs and ledgers: an object store behind the few operations that the design needs.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Digest, DigestBuilder, Ledger, key, sweep};

/// How much of a blob is kept in memory on its way in, bytes.
const PART: usize = 1 << 20;

/// Blobs named by their sha256, and ledgers, in one place. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    directory: Arc<std::path::Path>,
}

/// Says why a store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The location is of a kind that is not known.
    #[error("`{0}` is not a store: allowed is a directory")]
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

/// Says why a blob was not received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError<E: std::error::Error + 'static> {
    /// The bytes are not those that were announced.
    #[error("the bytes received have sha256 `{received}`, announced was `{expected}`")]
    Mismatch {
        /// What was announced.
        expected: Digest,
        /// What came.
        received: Digest,
    },
    /// More bytes came than allowed.
    #[error("more than the {limit} bytes came that are allowed")]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
    },
    /// The sender failed.
    #[error("the bytes stopped coming")]
    Body(#[source] E),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A blob that is now in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedBlob {
    /// Its sha256.
    pub digest: Digest,
    /// Its size, bytes.
    pub size: u64,
}

/// What came of creating an object.
pub(crate) enum Created {
    New,
    Exists,
}

impl Store {
    /// Opens the store at a location, which is a directory and is made where it does not exist, and asks it whether it
    /// honours create-if-absent.
    ///
    /// # Errors
    /// [`StoreError`] for a location that is of no known kind, can't be used, or ignores conditions.
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        if location.contains("://") || location.is_empty() {
            return Err(StoreError::Location(location.to_owned()));
        }
        let unusable = |source| StoreError::Directory { directory: PathBuf::from(location), source };
        std::fs::create_dir_all(location).map_err(unusable)?;
        let objects = LocalFileSystem::new_with_prefix(location)
            .map_err(|error| unusable(std::io::Error::other(error)))?
            .with_fsync(true);
        let store = Self { objects: Arc::new(objects), directory: PathBuf::from(location).into() };
        store.probe(location).await?;
        Ok(store)
    }

    /// Removes what writers that were killed left half-written, where nothing was added to it for as long as given.
    /// Gives how many files that were. Nothing else in the store is touched, and nothing that is visible.
    ///
    /// Blocks, and looks at the name of every file.
    ///
    /// # Errors
    /// [`StoreError::Directory`] where a directory can't be read or a file can't be removed.
    pub fn sweep(&self, older_than: Duration) -> Result<usize, StoreError> {
        let unusable = |source| StoreError::Directory { directory: self.directory.to_path_buf(), source };
        sweep::staged_files(&self.directory, older_than).map_err(unusable)
    }

    /// Gives the ledger of a name, such as `repository` or `environments/prod`; it need not exist yet.
    #[must_use]
    pub fn ledger<T: Serialize + DeserializeOwned>(&self, name: &str) -> Ledger<T> {
        Ledger::new(self.clone(), name.to_owned())
    }

    /// Stores a small blob; storing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        let digest = Digest::of(&bytes);
        let key = key::blob(&digest);
        self.put(&key, bytes).await?;
        Ok(digest)
    }

    /// Stores a blob as its bytes come, in constant memory; one that stops half-way, is too large or is not what was
    /// announced leaves nothing.
    ///
    /// # Errors
    /// [`ReceiveError`] for each of these, and where the store fails.
    pub async fn receive_blob<E>(
        &self,
        expected: Option<Digest>,
        stream: impl Stream<Item = Result<Bytes, E>>,
        limit: u64,
    ) -> Result<ReceivedBlob, ReceiveError<E>>
    where
        E: std::error::Error + 'static,
    {
        let key = expected.map_or_else(key::incoming, |digest| key::blob(&digest));
        let mut upload = self.objects.put_multipart(&key).await.map_err(|source| failed("write", &key, source))?;
        match fill(upload.as_mut(), &key, stream, limit).await.and_then(|received| received.checked(expected)) {
            Ok(received) => {
                upload.complete().await.map_err(|source| failed("write", &key, source))?;
                if expected.is_none() {
                    self.settle(&key, &received.digest).await?;
                }
                Ok(received)
            }
            Err(error) => {
                // What is left of an upload that can't even be aborted is invisible and swept later.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    pub(crate) async fn create(&self, key: &Path, bytes: Bytes) -> Result<Created, StoreError> {
        let options = PutOptions::from(PutMode::Create);
        match self.objects.put_opts(key, PutPayload::from_bytes(bytes), options).await {
            Ok(_) => Ok(Created::New),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Created::Exists),
            Err(source) => Err(failed("create", key, source)),
        }
    }

    pub(crate) async fn put(&self, key: &Path, bytes: Bytes) -> Result<(), StoreError> {
        let written = self.objects.put(key, PutPayload::from_bytes(bytes)).await;
        written.map(drop).map_err(|source| failed("write", key, source))
    }

    async fn settle(&self, from: &Path, digest: &Digest) -> Result<(), StoreError> {
        let to = key::blob(digest);
        self.objects.rename(from, &to).await.map_err(|source| failed("write", &to, source))
    }

    async fn probe(&self, location: &str) -> Result<(), StoreError> {
        let key = key::probe();
        let first = self.create(&key, Bytes::from_static(b"1")).await?;
        let second = self.create(&key, Bytes::from_static(b"2")).await?;
        self.objects.delete(&key).await.map_err(|source| failed("delete", &key, source))?;
        match (first, second) {
            (Created::New, Created::Exists) => Ok(()),
            _ => Err(StoreError::Unconditional(location.to_owned())),
        }
    }
}

impl ReceivedBlob {
    fn checked<E: std::error::Error + 'static>(self, expected: Option<Digest>) -> Result<Self, ReceiveError<E>> {
        match expected {
            Some(expected) if expected != self.digest => {
                Err(ReceiveError::Mismatch { expected, received: self.digest })
            }
            _ => Ok(self),
        }
    }
}

/// Writes the stream into an upload, part after part.
async fn fill<E: std::error::Error + 'static>(
    upload: &mut dyn MultipartUpload,
    key: &Path,
    stream: impl Stream<Item = Result<Bytes, E>>,
    limit: u64,
) -> Result<ReceivedBlob, ReceiveError<E>> {
    let mut stream = std::pin::pin!(stream);
    let mut digest = DigestBuilder::new();
    let mut size = 0;
    let mut part = Vec::new();
    while let Some(bytes) = stream.next().await {
        let bytes = bytes.map_err(ReceiveError::Body)?;
        size += bytes.len() as u64;
        if size > limit {
            return Err(ReceiveError::TooLarge { limit });
        }
        digest.update(&bytes);
        part.extend_from_slice(&bytes);
        if part.len() >= PART {
            let full = std::mem::take(&mut part);
            upload.put_part(full.into()).await.map_err(|source| failed("write", key, source))?;
        }
    }
    upload.put_part(part.into()).await.map_err(|source| failed("write", key, source))?;
    Ok(ReceivedBlob { digest: digest.finish(), size })
}

pub(crate) fn failed(operation: &'static str, key: &Path, source: object_store::Error) -> StoreError {
    StoreError::Object { operation, object: key.to_string(), source }
}

#[cfg(test)]
mod tests {
    use futures::{TryStreamExt, stream};

    use super::*;
    use crate::{Composite, Part};

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
        let parts: Vec<Bytes> = reader.stream.try_collect().await.unwrap();
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
            let parts: Vec<Bytes> = reader.stream.try_collect().await.unwrap();
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
        for location in ["", "s3://bucket/prefix"] {
            assert!(matches!(Store::open(location).await, Err(StoreError::Location(_))), "{location}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Store::open(file.path().to_str().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("can't be used"), "{error}");
    }
}
