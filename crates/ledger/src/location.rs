//! From a store's location to the object store behind it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::store::StoreError;

/// How long one request may take, with all its bytes.
const REQUEST: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(5);
/// How often, and for how long in all, a request that failed is sent again.
const RETRIES: usize = 5;
const RETRY: Duration = Duration::from_secs(30);

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A directory.
    Directory(PathBuf),
    /// A bucket, or what stands under a prefix in it.
    Bucket { cloud: Cloud, bucket: String, prefix: String },
}

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    S3,
    Google,
    Azure,
}

impl Cloud {
    const ALL: [Self; 3] = [Self::S3, Self::Google, Self::Azure];

    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3://",
            Self::Google => "gs://",
            Self::Azure => "az://",
        }
    }

    /// Which settings it takes from the environment.
    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::S3 => {
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for a service other than Amazon's, \
                 AWS_ENDPOINT_URL"
            }
            Self::Google => "GOOGLE_APPLICATION_CREDENTIALS, the file of a service account's key",
            Self::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        }
    }
}

impl Location {
    /// Reads a location: a directory, or `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`.
    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        let unknown = || StoreError::Location(text.to_owned());
        let Some(cloud) = Cloud::ALL.into_iter().find(|cloud| text.starts_with(cloud.scheme())) else {
            let is_directory = !text.is_empty() && !text.contains("://");
            return if is_directory { Ok(Self::Directory(PathBuf::from(text))) } else { Err(unknown()) };
        };
        let rest = &text[cloud.scheme().len()..];
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        if bucket.is_empty() || Path::parse(prefix).is_err() {
            return Err(unknown());
        }
        Ok(Self::Bucket { cloud, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Makes the object store there; a directory is made where it does not exist.
    pub(crate) fn open(&self) -> Result<Arc<dyn ObjectStore>, StoreError> {
        match self {
            Self::Directory(directory) => {
                let unusable = |source| StoreError::Directory { directory: directory.clone(), source };
                std::fs::create_dir_all(directory).map_err(unusable)?;
                let objects = LocalFileSystem::new_with_prefix(directory);
                let objects = objects.map_err(|error| unusable(std::io::Error::other(error)))?;
                Ok(Arc::new(objects.with_fsync(true)))
            }
            Self::Bucket { cloud, bucket, prefix } => {
                // The client of object_store asks for a provider to be there; another one may have been chosen.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let objects = cloud.open(bucket).map_err(|source| StoreError::Bucket {
                    location: format!("{}{bucket}", cloud.scheme()),
                    settings: cloud.settings(),
                    source,
                })?;
                Ok(if prefix.is_empty() { objects } else { Arc::new(PrefixStore::new(objects, prefix.as_str())) })
            }
        }
    }
}

impl Cloud {
    fn open(self, bucket: &str) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY, ..RetryConfig::default() };
        Ok(match self {
            Self::S3 => {
                let client = client(&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"]);
                let builder = AmazonS3Builder::from_env().with_client_options(client).with_retry(retry);
                Arc::new(builder.with_bucket_name(bucket).build()?)
            }
            Self::Google => {
                let client = client(&["GOOGLE_BASE_URL"]);
                let builder = GoogleCloudStorageBuilder::from_env().with_client_options(client).with_retry(retry);
                Arc::new(builder.with_bucket_name(bucket).build()?)
            }
            Self::Azure => {
                let client = client(&["AZURE_ENDPOINT", "AZURE_STORAGE_ENDPOINT"]);
                let builder = MicrosoftAzureBuilder::from_env().with_client_options(client).with_retry(retry);
                Arc::new(builder.with_container_name(bucket).build()?)
            }
        })
    }
}

/// A client that speaks without TLS where one of these variables says so, and to nobody else.
fn client(endpoints: &[&str]) -> ClientOptions {
    let plain = endpoints.iter().filter_map(|name| std::env::var(name).ok()).any(|url| url.starts_with("http://"));
    ClientOptions::new().with_allow_http(plain).with_timeout(REQUEST).with_connect_timeout(CONNECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        let bucket = |cloud, bucket: &str, prefix: &str| Location::Bucket {
            cloud,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, expected) in [
            ("/srv/pkg", Location::Directory("/srv/pkg".into())),
            ("repository", Location::Directory("repository".into())),
            ("s3://packages", bucket(Cloud::S3, "packages", "")),
            ("s3://packages/team/a/", bucket(Cloud::S3, "packages", "team/a")),
            ("gs://packages/a", bucket(Cloud::Google, "packages", "a")),
            ("az://packages", bucket(Cloud::Azure, "packages", "")),
        ] {
            assert_eq!(Location::parse(text).unwrap(), expected, "{text}");
        }
        for text in ["", "s3://", "s3:///a", "ftp://a", "file:///srv", "s3://a/b//c", "s3://a/../b"] {
            assert!(matches!(Location::parse(text), Err(StoreError::Location(_))), "{text}");
        }
    }
}
