//! What blobs there are: listed, verified, deleted.

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::store::failed;
use crate::{Digest, DigestBuilder, Store, StoreError, key};

/// A blob as it lies in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its sha256.
    pub digest: Digest,
    /// How much it takes, bytes: of a composite, what names its parts.
    pub size: u64,
    /// When it was last written.
    pub modified: DateTime<Utc>,
}

/// What a look at a blob's bytes showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobStanding {
    /// They are those of its digest.
    Whole,
    /// There is no such blob, or a part of it is missing.
    Missing,
    /// They are others.
    Broken,
}

impl Store {
    /// All blobs, composite ones too, in no order.
    #[must_use]
    pub fn blobs(&self) -> BoxStream<'static, Result<StoredBlob, StoreError>> {
        let of = |folder: &str| {
            let folder = Path::from(folder);
            let failure = failed_in(folder.clone());
            self.objects.list(Some(&folder)).map_err(failure).try_filter_map(|meta| async move { Ok(blob(&meta)) })
        };
        of("blobs").chain(of("composites")).boxed()
    }

    /// Reads a blob and compares its bytes with its digest.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn verify_blob(&self, digest: &Digest) -> Result<BlobStanding, StoreError> {
        let opened = match self.open_blob(digest, None).await {
            Err(StoreError::Composite { .. }) => return Ok(BlobStanding::Broken),
            opened => opened?,
        };
        let Some(reader) = opened else { return Ok(BlobStanding::Missing) };
        let mut stream = reader.into_stream();
        let mut builder = DigestBuilder::new();
        loop {
            match stream.try_next().await {
                Ok(Some(bytes)) => builder.update(&bytes),
                Ok(None) => break,
                Err(StoreError::MissingPart { .. }) => return Ok(BlobStanding::Missing),
                Err(error) => return Err(error),
            }
        }
        Ok(if builder.finish() == *digest { BlobStanding::Whole } else { BlobStanding::Broken })
    }

    /// Tells when a blob was last written; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn blob_modified(&self, digest: &Digest) -> Result<Option<DateTime<Utc>>, StoreError> {
        let stored = self.head(&key::blob(digest)).await?;
        let meta = if stored.is_some() { stored } else { self.head(&key::composite(digest)).await? };
        Ok(meta.map(|meta| meta.last_modified))
    }

    /// Deletes a blob, composite or not; one that is not there is as good as deleted.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn delete_blob(&self, digest: &Digest) -> Result<(), StoreError> {
        self.delete(&key::blob(digest)).await?;
        self.delete(&key::composite(digest)).await
    }

    /// The names of all ledgers below a folder, such as `environments`.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn ledgers(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let all = Path::from_iter(["ledgers", folder]);
        let failure = failed_in(all.clone());
        let listed = self.objects.list_with_delimiter(Some(&all)).await.map_err(failure)?;
        let name = |path: &Path| path.as_ref().strip_prefix("ledgers/").map(str::to_owned);
        Ok(listed.common_prefixes.iter().filter_map(name).collect())
    }
}

fn blob(meta: &ObjectMeta) -> Option<StoredBlob> {
    let name = meta.location.filename()?;
    let digest = name.strip_suffix(".json").unwrap_or(name).parse().ok()?;
    Some(StoredBlob { digest, size: meta.size, modified: meta.last_modified })
}

fn failed_in(folder: Path) -> impl Fn(object_store::Error) -> StoreError {
    move |source| failed("list", &folder, source)
}
