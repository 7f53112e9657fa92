//! Why a key does not sign.

use std::io;
use std::path::PathBuf;

use crate::certificate::UnusablePart;

/// Says why a private key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum PrivateKeyError {
    /// The file could not be read.
    #[error("could not read the signing key")]
    Read(#[source] io::Error),
    /// It holds no private key.
    #[error("`{}` holds no OpenPGP private key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: pgp::errors::Error,
    },
    /// No part of the key can sign.
    #[error("no part of the signing key `{key}` can sign: {}", list(parts))]
    Unusable {
        /// The file, or the name that gpg knows it by.
        key: String,
        /// Each part's fingerprint, and what is the matter with it.
        parts: Vec<(String, UnusablePart)>,
    },
    /// The key could not be used, most often for want of the right passphrase.
    #[error("the signing key `{key}` could not be used; is its passphrase right?")]
    Locked {
        /// The file.
        key: String,
        /// What the signer says.
        source: pgp::errors::Error,
    },
    /// gpg could not be run.
    #[error("could not run gpg, which `gpg:{key}` asks for")]
    GpgMissing {
        /// What was asked for.
        key: String,
        /// Why.
        source: io::Error,
    },
    /// gpg failed.
    #[error("gpg did not {task} for `gpg:{key}`: {message}")]
    Gpg {
        /// What was asked for.
        key: String,
        /// What it was to do.
        task: &'static str,
        /// What it said.
        message: String,
    },
    /// gpg knows several keys by that name.
    #[error("gpg knows {count} private keys by `{key}`; name one by its fingerprint")]
    Ambiguous {
        /// What was asked for.
        key: String,
        /// How many.
        count: usize,
    },
    /// A key could not be made.
    #[error("a key could not be made: {0}")]
    Make(String),
    /// A signature could not be made, or does not verify.
    #[error("the signature could not be made")]
    Sign(#[source] pgp::errors::Error),
}

fn list(parts: &[(String, UnusablePart)]) -> String {
    let parts: Vec<_> = parts.iter().map(|(fingerprint, why)| format!("`{fingerprint}` {why}")).collect();
    parts.join(", ")
}
