//! Reading blobs: whole, in ranges, and those that consist of others.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, GetResult, GetResultPayload, ObjectStore, ObjectStoreExt};

use crate::composite::Part;
use crate::store::{StoreError, failed};
use crate::{Composite, Digest, Store, file_reader, key};

/// A blob, or a range of it, about to be read.
pub struct BlobReader {
    /// The size of the whole blob, bytes.
    pub size: u64,
    content: Content,
}

enum Content {
    File { file: std::fs::File, range: Range<u64>, key: Path },
    Stream(BoxStream<'static, Result<Bytes, StoreError>>),
}

impl BlobReader {
    /// Gives the bytes of the range asked for, as they come.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, StoreError>> {
        match self.content {
            Content::File { file, range, key } => file_chunks(file, range, key),
            Content::Stream(stream) => stream,
        }
    }

    /// Gives the file that holds it, and the bytes asked for within the file, where that is how the store holds it.
    #[must_use]
    pub fn as_file(&self) -> Option<(&std::fs::File, Range<u64>)> {
        match &self.content {
            Content::File { file, range, .. } => Some((file, range.clone())),
            Content::Stream(_) => None,
        }
    }
}

impl Store {
    /// Reads a whole blob into memory; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        if let Some(bytes) = self.get(&key::blob(digest)).await? {
            return Ok(Some(bytes));
        }
        let Some(composite) = self.composite(digest).await? else { return Ok(None) };
        let mut whole = BytesMut::with_capacity(usize::try_from(composite.size()).unwrap_or_default());
        let mut stream = self.open_parts(&composite, 0..composite.size());
        while let Some(bytes) = stream.try_next().await? {
            whole.extend_from_slice(&bytes);
        }
        Ok(Some(whole.freeze()))
    }

    /// Opens a blob, or a range of its bytes, to be streamed; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or the range lies outside of the blob.
    pub async fn open_blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Option<BlobReader>, StoreError> {
        if let Some(reader) = self.open_stored(digest, range.clone()).await? {
            return Ok(Some(reader));
        }
        let Some(composite) = self.composite(digest).await? else { return Ok(None) };
        let size = composite.size();
        let range = range.unwrap_or(0..size);
        if range.end > size || range.start > range.end {
            return Err(StoreError::Range { blob: *digest, size, range });
        }
        Ok(Some(BlobReader { size, content: Content::Stream(self.open_parts(&composite, range)) }))
    }

    /// Gives a blob's size in bytes; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        if let Some(meta) = self.head(&key::blob(digest)).await? {
            return Ok(Some(meta.size));
        }
        Ok(self.composite(digest).await?.map(|composite| composite.size()))
    }

    /// Gives what a composite blob consists of; `None` where there is no such composite.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails, or what it holds is no composite.
    pub async fn composite(&self, digest: &Digest) -> Result<Option<Composite>, StoreError> {
        let key = key::composite(digest);
        let Some(bytes) = self.get(&key).await? else { return Ok(None) };
        let broken = |source| StoreError::Composite { object: key.to_string(), source };
        let composite: Composite = serde_json::from_slice(&bytes).map_err(|error| broken(Some(error)))?;
        if composite.digest() == *digest && composite.holds() { Ok(Some(composite)) } else { Err(broken(None)) }
    }

    /// Stores what a composite blob consists of; its parts are blobs that are in the store already.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn put_composite(&self, composite: &Composite) -> Result<(), StoreError> {
        let key = key::composite(&composite.digest());
        let bytes = serde_json::to_vec(composite);
        let bytes = bytes.map_err(|source| StoreError::Composite { object: key.to_string(), source: Some(source) })?;
        self.put(&key, bytes.into()).await
    }

    fn open_parts(&self, composite: &Composite, range: Range<u64>) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let store = self.clone();
        let pieces = stream::iter(composite.pieces(&range));
        // Two pieces are opened ahead, so that a store far away is asked while the one before is sent.
        let opened = pieces.map(move |piece| open_part(store.clone(), piece)).buffered(2);
        opened.try_flatten().boxed()
    }

    async fn open_stored(&self, digest: &Digest, range: Option<Range<u64>>) -> Result<Option<BlobReader>, StoreError> {
        let key = key::blob(digest);
        match self.objects.get_opts(&key, GetOptions::new().with_range(range)).await {
            Ok(result) => Ok(Some(BlobReader { size: result.meta.size, content: content(result, key) })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed("read", &key, source)),
        }
    }

    pub(crate) async fn head(&self, key: &Path) -> Result<Option<object_store::ObjectMeta>, StoreError> {
        match self.objects.head(key).await {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed("read", key, source)),
        }
    }

    pub(crate) async fn get(&self, key: &Path) -> Result<Option<Bytes>, StoreError> {
        match self.objects.get(key).await {
            Ok(result) => result.bytes().await.map(Some).map_err(|source| failed("read", key, source)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed("read", key, source)),
        }
    }
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BlobReader").field("size", &self.size).finish_non_exhaustive()
    }
}

async fn open_part(
    store: Store,
    (part, range): (Part, Range<u64>),
) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
    let opened = store.open_stored(&part.digest, Some(range)).await?;
    opened.map(BlobReader::into_stream).ok_or(StoreError::MissingPart { part: part.digest })
}

fn content(result: GetResult, key: Path) -> Content {
    match result.payload {
        GetResultPayload::File(file, _) => Content::File { file, range: result.range, key },
        GetResultPayload::Stream(stream) => {
            Content::Stream(stream.map_err(move |source| failed("read", &key, source)).boxed())
        }
    }
}

/// The bytes of a file in large chunks, since the crate's own are of 8 KiB.
fn file_chunks(file: std::fs::File, range: Range<u64>, key: Path) -> BoxStream<'static, Result<Bytes, StoreError>> {
    let failure = move |error: std::io::Error| {
        failed("read", &key, object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(error) })
    };
    file_reader::chunks(file, range).map_err(failure).boxed()
}
