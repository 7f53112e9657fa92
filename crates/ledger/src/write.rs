//! Storing blobs: small ones at once, large ones as their bytes come.

use bytes::Bytes;
use futures::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::store::{Store, StoreError, failed};
use crate::{Digest, DigestBuilder, key};

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

/// Bytes on their way in: what has come since the last part, and the upload that the parts before went to.
struct Arriving<'a> {
    store: &'a Store,
    key: Path,
    digest: DigestBuilder,
    size: u64,
    part: Vec<u8>,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Store {
    /// Stores a small blob; storing it again changes nothing but its age.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        let digest = Digest::of(&bytes);
        self.put(&key::blob(&digest), bytes).await?;
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
        let digest = DigestBuilder::new();
        let mut arriving = Arriving { store: self, key, digest, size: 0, part: Vec::new(), upload: None };
        let received = match arriving.take_in(stream, limit).await {
            Ok(()) => arriving.received().checked(expected),
            Err(error) => Err(error),
        };
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                arriving.abort().await;
                return Err(error);
            }
        };
        let key = arriving.finish().await?;
        if expected.is_none() {
            let to = key::blob(&received.digest);
            self.objects.rename(&key, &to).await.map_err(|source| failed("write", &to, source))?;
        }
        Ok(received)
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

    pub(crate) async fn delete(&self, key: &Path) -> Result<(), StoreError> {
        match self.objects.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("delete", key, source)),
        }
    }
}

impl Arriving<'_> {
    async fn take_in<E: std::error::Error + 'static>(
        &mut self,
        stream: impl Stream<Item = Result<Bytes, E>>,
        limit: u64,
    ) -> Result<(), ReceiveError<E>> {
        let mut stream = std::pin::pin!(stream);
        while let Some(bytes) = stream.next().await {
            let bytes = bytes.map_err(ReceiveError::Body)?;
            self.size += bytes.len() as u64;
            if self.size > limit {
                return Err(ReceiveError::TooLarge { limit });
            }
            self.digest.update(&bytes);
            self.part.extend_from_slice(&bytes);
            if self.part.len() >= self.store.part {
                self.pass_on().await?;
            }
        }
        Ok(())
    }

    fn received(&self) -> ReceivedBlob {
        ReceivedBlob { digest: self.digest.clone().finish(), size: self.size }
    }

    /// Writes what has come as a part.
    async fn pass_on(&mut self) -> Result<(), StoreError> {
        let part = std::mem::take(&mut self.part);
        if self.upload.is_none() {
            let begun = self.store.objects.put_multipart(&self.key).await;
            self.upload = Some(begun.map_err(|source| failed("write", &self.key, source))?);
        }
        match &mut self.upload {
            Some(upload) => upload.put_part(part.into()).await.map_err(|source| failed("write", &self.key, source)),
            None => Ok(()),
        }
    }

    async fn finish(mut self) -> Result<Path, StoreError> {
        if self.upload.is_none() {
            self.store.put(&self.key, std::mem::take(&mut self.part).into()).await?;
            return Ok(self.key);
        }
        let passed_on = if self.part.is_empty() { Ok(()) } else { self.pass_on().await };
        if let Err(error) = passed_on {
            self.abort().await;
            return Err(error);
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await.map_err(|source| failed("write", &self.key, source))?;
        }
        Ok(self.key)
    }

    /// Gives an upload up. What is left of one that can't even be given up is invisible, and swept later.
    async fn abort(&mut self) {
        if let Some(upload) = &mut self.upload {
            let _ = upload.abort().await;
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
