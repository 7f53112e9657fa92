//! Why the repository did not do what was asked.

use std::sync::Arc;

use ledger::{Digest, LedgerError, StoreError};
use nevra::{Nevra, PackageQuery};
use repo_api::ChannelName;
use rpm_header::ReadHeaderError;

use crate::environments::EnvironmentError;
use crate::policy::PolicyError;
use crate::signing::KeyDirectoryError;
use crate::state::FoldError;

/// Says why the repository did not do what was asked. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is no such channel.
    #[error("there is no channel `{channel}`; there are {}", listing(known))]
    UnknownChannel {
        /// The name.
        channel: ChannelName,
        /// The channels that exist.
        known: Vec<String>,
    },
    /// A query names nothing that the channel lists.
    #[error("channel `{channel}` lists no `{query}`{}", near(candidates))]
    UnknownPackage {
        /// The query.
        query: PackageQuery,
        /// The channel.
        channel: ChannelName,
        /// What it lists of a like name, the newest first.
        candidates: Vec<String>,
    },
    /// A query names several packages, or a package without a version.
    #[error("`{query}` does not name one version of one package; channel `{channel}` lists {}", listing(candidates))]
    AmbiguousPackage {
        /// The query.
        query: PackageQuery,
        /// The channel.
        channel: ChannelName,
        /// What the query could mean, the newest first.
        candidates: Vec<String>,
    },
    /// No package was named.
    #[error("no package is named: name at least one")]
    NothingNamed,
    /// A file was named that has not been uploaded.
    #[error("`{file_name}` (sha256 `{sha256}`) has not been uploaded")]
    MissingUpload {
        /// What the uploader calls it.
        file_name: String,
        /// Its sha256.
        sha256: Digest,
    },
    /// A file is no RPM that can be read.
    #[error("`{file_name}` is no RPM that can be read")]
    NotAnRpm {
        /// What the uploader calls it.
        file_name: String,
        /// Why.
        #[source]
        source: ReadHeaderError,
    },
    /// A file is not what it was said to be.
    #[error("`{file_name}` can't be used as {what}")]
    NotAnAttachment {
        /// What the uploader calls it.
        file_name: String,
        /// `updateinfo`, `group` or `modules`.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A NEVRA is known with other bytes.
    #[error("`{nevra}` is known with sha256 `{known}` and can't become `{given}`: the bytes of a version never change")]
    OtherBytes {
        /// The package.
        nevra: Nevra,
        /// Its sha256.
        known: Digest,
        /// The sha256 of the file that was given.
        given: Digest,
    },
    /// A file name is taken by a package with another epoch; publishing answers it with another name.
    #[error("`{nevra}` would need the file name `{file_name}`, which is that of `{owner}`")]
    FileNameTaken {
        /// The package.
        nevra: Nevra,
        /// The file name.
        file_name: String,
        /// The package that has it.
        owner: Nevra,
    },
    /// Other writers were faster too often.
    #[error("other writers were faster {attempts} times in a row")]
    Busy {
        /// How often it was tried.
        attempts: u32,
    },
    /// The key is not the one that signed what the channels show.
    #[error("the channels are signed by key {signed_by}, but `{path}` holds key {found}")]
    OtherKey {
        /// The fingerprint of the key that signed.
        signed_by: String,
        /// The file of the key that was found.
        path: String,
        /// Its fingerprint.
        found: String,
    },
    /// A blob that a commit names is gone or broken.
    #[error("blob `{digest}`, which the repository's ledger names, is {what}")]
    Damaged {
        /// The blob.
        digest: Digest,
        /// `missing`, or what is wrong with it.
        what: &'static str,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The ledger failed.
    #[error("the repository's ledger failed")]
    Ledger(#[from] LedgerError),
    /// What hosts run can't be told.
    #[error("the environments' ledgers can't be read")]
    Environments(#[from] Box<EnvironmentError>),
    /// The ledger contradicts itself.
    #[error("the repository's ledger contradicts itself")]
    Fold(#[from] FoldError),
    /// Signing failed.
    #[error("the signing key failed")]
    Key(#[from] KeyDirectoryError),
    /// Compressing failed.
    #[error("a metadata document can't be rendered")]
    Render(#[source] std::io::Error),
    /// There is no key that may have signed.
    #[error("`{}` holds no public key, so no signature can be checked", directory.display())]
    NoKeys {
        /// The directory.
        directory: std::path::PathBuf,
    },
    /// Blobs were deleted while packages were looked at.
    #[error("unused files were deleted at the same time; nothing was changed")]
    Collected,
    /// What several requests wanted to commit together failed.
    #[error(transparent)]
    Together(Arc<RepositoryError>),
    /// A channel's settings are against it.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A task of the server was stopped.
    #[error("the server is stopping")]
    Stopping,
}

impl RepositoryError {
    /// Tells whether it would befall every other request just as well.
    pub(crate) fn is_of_the_store(&self) -> bool {
        matches!(
            self,
            Self::Store(_) | Self::Ledger(_) | Self::Fold(_) | Self::Key(_) | Self::Busy { .. } | Self::Stopping
        )
    }
}

fn listing(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let quoted: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 if names.is_empty() => "none".to_owned(),
        0 => quoted.join(", "),
        more => format!("{} and {more} more", quoted.join(", ")),
    }
}

fn near(candidates: &[String]) -> String {
    if candidates.is_empty() { String::new() } else { format!("; it lists {}", listing(candidates)) }
}
