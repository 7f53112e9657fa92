//! The client's part for plain files: what yum clients fetch, of this server or of any other.

use std::io::Write;
use std::path::Path;

use reqwest::{Method, Response};
use sha2::{Digest as _, Sha256};

use crate::FileDigest;
use crate::client::{Client, ClientError};

impl Client {
    /// Reads a file at a path below the server's address into memory.
    ///
    /// # Errors
    /// [`ClientError`], also where it has more than `limit` bytes.
    pub async fn read_file(&self, path: &str, limit: usize) -> Result<Vec<u8>, ClientError> {
        let mut response = self.open(path).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            if bytes.len() + chunk.len() > limit {
                let too_large = format!("`{path}` has more than the {limit} bytes that are allowed");
                return Err(ClientError::File(std::io::Error::other(too_large)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Reads no more than the first `count` bytes of a file at a path below the server's address.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn read_beginning(&self, path: &str, count: usize) -> Result<Vec<u8>, ClientError> {
        let mut response = self.open(path).await?;
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let Some(chunk) = self.chunk(&mut response).await? else { break };
            bytes.extend_from_slice(&chunk);
        }
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Writes a file at a path below the server's address to the disk, in constant memory, and gives its sha256.
    ///
    /// # Errors
    /// [`ClientError`]; what was written until then is there still.
    pub async fn download(&self, path: &str, to: &Path) -> Result<FileDigest, ClientError> {
        let mut response = self.open(path).await?;
        let mut file = fs_err::File::create(to).map_err(ClientError::File)?;
        let mut digest = Sha256::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            digest.update(&chunk);
            file.write_all(&chunk).map_err(ClientError::File)?;
        }
        file.sync_all().map_err(ClientError::File)?;
        Ok(FileDigest::from_bytes(digest.finalize().into()))
    }

    async fn open(&self, path: &str) -> Result<Response, ClientError> {
        let url = format!("{}/{}", self.server(), path.trim_start_matches('/'));
        self.send(|| Ok(self.request(Method::GET, &url))).await
    }

    async fn chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>>, ClientError> {
        let unreachable = |source| ClientError::Unreachable { server: self.server().to_owned(), source };
        response.chunk().await.map_err(unreachable)
    }
}
