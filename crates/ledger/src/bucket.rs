//! A bucket as a folder of plain files, for copies that somebody else serves.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
};

use crate::location::Location;
use crate::store::{PART_OF_OBJECT, StoreError, failed};

/// A bucket, or what stands under a prefix in it. Unlike in a store, files are replaced here.
#[derive(Debug, Clone)]
pub struct Bucket {
    objects: Arc<dyn ObjectStore>,
}

/// Says why a file did not get into a bucket.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The location is none of a bucket.
    #[error("`{0}` is not a bucket: allowed are s3://BUCKET/PREFIX, gs://BUCKET/PREFIX and az://CONTAINER/PREFIX")]
    Location(String),
    /// The bucket failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file can't be read.
    #[error("a file can't be read")]
    File(#[source] std::io::Error),
}

impl Bucket {
    /// Tells whether a text names a bucket rather than a directory.
    #[must_use]
    pub fn is_location(text: &str) -> bool {
        text.contains("://")
    }

    /// Takes the bucket at `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`, with the usual
    /// environment variables. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`BucketError`] for a location that is none of a bucket, or settings that are missing.
    pub fn open(location: &str) -> Result<Self, BucketError> {
        match Location::parse(location) {
            Ok(Location::Directory(_)) | Err(StoreError::Location(_)) => {
                Err(BucketError::Location(location.to_owned()))
            }
            Ok(bucket) => Ok(Self { objects: bucket.open()? }),
            Err(error) => Err(error.into()),
        }
    }

    /// Uses an object store of any kind.
    #[must_use]
    pub fn on(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// Gives the sizes of all files below a folder, by their paths.
    ///
    /// # Errors
    /// [`BucketError`] where the bucket fails.
    pub async fn list(&self, folder: &str) -> Result<BTreeMap<String, u64>, BucketError> {
        let folder = path(folder)?;
        let files = self.objects.list(Some(&folder)).map_ok(|file| (file.location.to_string(), file.size));
        Ok(files.try_collect().await.map_err(|source| failed("list", &folder, source))?)
    }

    /// Reads a small file; `None` where there is none.
    ///
    /// # Errors
    /// [`BucketError`] where the bucket fails.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>, BucketError> {
        let path = path(name)?;
        let read = match self.objects.get(&path).await {
            Ok(found) => found.bytes().await,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => Err(error),
        };
        Ok(Some(read.map_err(|source| failed("read", &path, source))?))
    }

    /// Writes a file, in the place of the one that may be there.
    ///
    /// # Errors
    /// [`BucketError`] where the bucket fails.
    pub async fn write(
        &self,
        name: &str,
        content_type: &'static str,
        bytes: impl Into<Bytes>,
    ) -> Result<(), BucketError> {
        let path = path(name)?;
        let options = PutOptions { attributes: of_type(content_type), ..PutOptions::default() };
        let written = self.objects.put_opts(&path, PutPayload::from_bytes(bytes.into()), options).await;
        Ok(written.map(drop).map_err(|source| failed("write", &path, source))?)
    }

    /// Writes a file that is read piece by piece; whoever asks for it sees the whole or what was there before.
    ///
    /// # Errors
    /// [`BucketError`] where the file can't be read or the bucket fails.
    pub async fn write_from(
        &self,
        name: &str,
        content_type: &'static str,
        mut file: impl Read,
    ) -> Result<(), BucketError> {
        let first = piece(&mut file)?;
        if first.len() < PART_OF_OBJECT {
            return self.write(name, content_type, first).await;
        }
        let path = path(name)?;
        let options = PutMultipartOptions { attributes: of_type(content_type), ..PutMultipartOptions::default() };
        let begun = self.objects.put_multipart_opts(&path, options).await;
        let mut upload = begun.map_err(|source| failed("write", &path, source))?;
        let sent = send(&mut *upload, &path, first, file).await;
        if sent.is_err() {
            // What can't even be given up is invisible, and the bucket's own rules remove it.
            let _ = upload.abort().await;
        }
        sent
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// [`BucketError`] where the bucket fails.
    pub async fn remove(&self, name: &str) -> Result<(), BucketError> {
        let path = path(name)?;
        match self.objects.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("delete", &path, source).into()),
        }
    }
}

async fn send(
    upload: &mut dyn MultipartUpload,
    path: &Path,
    mut bytes: Bytes,
    mut file: impl Read,
) -> Result<(), BucketError> {
    let failure = |source| failed("write", path, source);
    while !bytes.is_empty() {
        upload.put_part(bytes.into()).await.map_err(failure)?;
        bytes = piece(&mut file)?;
    }
    Ok(upload.complete().await.map(drop).map_err(failure)?)
}

/// Reads as much as is sent at a time.
fn piece(file: &mut impl Read) -> Result<Bytes, BucketError> {
    let mut bytes = Vec::new();
    file.take(PART_OF_OBJECT as u64).read_to_end(&mut bytes).map_err(BucketError::File)?;
    Ok(bytes.into())
}

/// Names of files stay as they are: clients ask for them by what the metadata says.
fn path(name: &str) -> Result<Path, BucketError> {
    Path::parse(name).map_err(|_| BucketError::Location(name.to_owned()))
}

fn of_type(content_type: &'static str) -> Attributes {
    Attributes::from_iter([(Attribute::ContentType, content_type)])
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn files_come_and_go() {
        let objects = Arc::new(InMemory::new());
        let bucket = Bucket::on(Arc::clone(&objects) as Arc<dyn ObjectStore>);
        let large: Vec<u8> = (0..2 * PART_OF_OBJECT + 5).map(|number| (number % 251) as u8).collect();
        let name = "a/b^c~d+1:e.rpm";
        bucket.write_from(name, "application/x-rpm", large.as_slice()).await.unwrap();
        assert_eq!(bucket.read(name).await.unwrap().unwrap(), large);
        let kept = objects.get(&Path::parse(name).unwrap()).await.unwrap();
        assert_eq!(kept.attributes.get(&Attribute::ContentType).unwrap().as_ref(), "application/x-rpm");
        bucket.write_from(name, "application/x-rpm", &b"small"[..]).await.unwrap();
        bucket.write("c", "text/xml", "hello").await.unwrap();
        assert_eq!(bucket.list("a").await.unwrap(), BTreeMap::from([(name.to_owned(), 5)]));
        bucket.remove(name).await.unwrap();
        bucket.remove(name).await.unwrap();
        assert_eq!(bucket.read(name).await.unwrap(), None);
        assert_eq!(bucket.read("c").await.unwrap().unwrap(), "hello");
    }

    #[test]
    fn only_buckets() {
        for location in ["/srv/www", "ftp://x", "s3://"] {
            assert!(matches!(Bucket::open(location), Err(BucketError::Location(_))), "{location}");
        }
        assert!(Bucket::is_location("s3://b/p") && !Bucket::is_location("/srv/s3"));
    }
}
