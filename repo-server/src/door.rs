//! The door of a channel: what is asked of a package's signature before it comes in.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Digest, ReceiveError, Store};
use openpgp::TrustedKeys;
use repo_api::ChannelName;
use rpm_header::PackageHeader;
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::admission::Upload;
use crate::error::RepositoryError;
use crate::policy::{Intake, PolicyError};
use crate::signing::{
    KeyDirectoryError, PackageHead, PackageSignatureError, SigningKeys, check_payload, signed_prefix, verify_package,
};
use crate::state::PackageRecord;

/// The door of a channel.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) channel: ChannelName,
    pub(crate) intake: Intake,
    pub(crate) keys: Arc<SigningKeys>,
    /// Seconds since 1970.
    pub(crate) now: u32,
}

/// A package that came through.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) header: PackageHeader,
    /// The file with the server's signature, and its size, where it had to be signed.
    pub(crate) signed: Option<(Digest, u64)>,
}

/// What is found in a file.
struct Found {
    header: PackageHeader,
    /// What the file is to begin with instead, up to its payload, and where that begins now.
    signed: Option<(Vec<u8>, u64)>,
}

impl Door {
    /// Lets an uploaded file through, signed where that is asked for.
    pub(crate) async fn pass(
        &self,
        store: &Store,
        upload: &Upload,
        missing: impl Fn() -> RepositoryError,
    ) -> Result<Passed, RepositoryError> {
        let blob = store.open_blob(&upload.sha256, None).await?.ok_or_else(&missing)?;
        let size = blob.size;
        let reader = SyncIoBridge::new(StreamReader::new(blob.into_stream().map_err(io::Error::other)));
        let (door, file_name) = (self.clone(), upload.file_name.clone());
        let look = move || door.look(reader, &file_name);
        let found = tokio::task::spawn_blocking(look).await.map_err(|_| RepositoryError::Stopping)??;
        let signed = match found.signed {
            None => None,
            Some((prefix, payload_start)) => {
                let rest = store.open_blob(&upload.sha256, Some(payload_start..size)).await?.ok_or_else(missing)?;
                let pieces =
                    stream::iter([Ok(Bytes::from(prefix))]).chain(rest.into_stream().map_err(io::Error::other));
                let received = store.receive_blob(None, pieces, u64::MAX).await.map_err(not_stored)?;
                Some((received.digest, received.size))
            }
        };
        Ok(Passed { header: found.header, signed })
    }

    /// Checks a package that is in the repository already: its bytes don't change.
    pub(crate) async fn check(&self, store: &Store, package: &PackageRecord) -> Result<(), RepositoryError> {
        let trusted = match &self.intake {
            Intake::Any => return Ok(()),
            Intake::Signed(trusted) => trusted.clone(),
            Intake::Door => self.keys.all(),
        };
        let damaged = || RepositoryError::Damaged { digest: package.sha256, what: "missing" };
        let blob = store.open_blob(&package.sha256, None).await?.ok_or_else(damaged)?;
        let mut reader = SyncIoBridge::new(StreamReader::new(blob.into_stream().map_err(io::Error::other)));
        let look = move || {
            let head = PackageHead::read(&mut reader)?;
            verify_package(&head, &mut reader, &trusted).map(drop)
        };
        let verdict = tokio::task::spawn_blocking(look).await.map_err(|_| RepositoryError::Stopping)?;
        verdict.map_err(|source| self.refusal(&package.nevra.to_string(), source).into())
    }

    fn look(&self, mut reader: impl Read, file_name: &str) -> Result<Found, RepositoryError> {
        let not_an_rpm = |source| RepositoryError::NotAnRpm { file_name: file_name.to_owned(), source };
        if matches!(self.intake, Intake::Any) {
            let header = PackageHeader::read(&mut reader).map_err(not_an_rpm)?;
            return Ok(Found { header, signed: None });
        }
        let head = PackageHead::read(&mut reader).map_err(not_an_rpm)?;
        let refusal = |source| RepositoryError::from(self.refusal(file_name, source));
        match &self.intake {
            Intake::Signed(trusted) => {
                verify_package(&head, &mut reader, trusted).map_err(refusal)?;
            }
            Intake::Door if !self.is_signed_here(&head) => {
                check_payload(&head, &mut reader).map_err(refusal)?;
                let prefix = signed_prefix(&head, self.keys.signs(), self.now).map_err(KeyDirectoryError::Sign)?;
                let header = PackageHeader::read(&mut prefix.as_slice()).map_err(not_an_rpm)?;
                return Ok(Found { header, signed: Some((prefix, head.parsed.header_end)) });
            }
            Intake::Door => check_payload(&head, &mut reader).map_err(refusal)?,
            Intake::Any => {}
        }
        Ok(Found { header: head.parsed, signed: None })
    }

    /// Tells whether the server signed it before: it comes back from a download, say.
    fn is_signed_here(&self, head: &PackageHead) -> bool {
        let trusted: TrustedKeys = self.keys.all();
        head.signed_by(&trusted)
    }

    fn refusal(&self, package: &str, source: PackageSignatureError) -> PolicyError {
        PolicyError::Signature { channel: self.channel.clone(), package: package.to_owned(), source }
    }
}

/// The bytes come from the store, too.
fn not_stored(error: ReceiveError<io::Error>) -> RepositoryError {
    match error {
        ReceiveError::Store(error) => error.into(),
        ReceiveError::Body(error) => RepositoryError::Render(error),
        ReceiveError::Mismatch { .. } | ReceiveError::TooLarge { .. } => RepositoryError::Stopping,
    }
}
