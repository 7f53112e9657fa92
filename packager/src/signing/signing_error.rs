//! Why a key does not sign.

use std::io;
use std::path::PathBuf;

use super::certificate::{KeyAlgorithm, UnusablePart};
use crate::Target;

/// Says why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
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
    /// The target's rpm does not verify such signatures.
    #[error("the rpm of target `{target}` verifies no signatures by {algorithm} keys; {}", allowed(*.target))]
    Algorithm {
        /// The target.
        target: Target,
        /// What the key signs with.
        algorithm: KeyAlgorithm,
    },
    /// The target's rpm knows no subkeys.
    #[error(
        "the rpm of target `{target}` verifies no signatures by subkeys, as `{fingerprint}` is; allowed are primary keys"
    )]
    Subkey {
        /// The target.
        target: Target,
        /// The subkey's.
        fingerprint: String,
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
    /// A signature could not be made, or does not verify.
    #[error("the signature could not be made")]
    Sign(#[source] pgp::errors::Error),
}

fn list(parts: &[(String, UnusablePart)]) -> String {
    let parts: Vec<_> = parts.iter().map(|(fingerprint, why)| format!("`{fingerprint}` {why}")).collect();
    parts.join(", ")
}

fn allowed(target: Target) -> &'static str {
    match target {
        Target::El7 | Target::El8 => "allowed are RSA keys, or a newer `target`",
        Target::El9 => "allowed are RSA and Ed25519 keys, or a newer `target`",
        Target::El10 => "allowed are RSA, Ed25519 and ECDSA keys",
    }
}
