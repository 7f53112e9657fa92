//! The signature of a package's header: whose a target's rpm verifies, as of when it is made, and where it stands.

use openpgp::{KeyAlgorithm, PrivateKey, PrivateKeyError};

use crate::{SourceDate, Target};

/// Says why a target's rpm could not verify a key's signatures.
#[derive(Debug, thiserror::Error)]
pub enum UnverifiableSignature {
    /// It does not know the algorithm.
    #[error("the rpm of target `{target}` verifies no signatures by {algorithm} keys; {}", allowed(*.target))]
    Algorithm {
        /// The target.
        target: Target,
        /// What the key signs with.
        algorithm: KeyAlgorithm,
    },
    /// It knows no subkeys.
    #[error(
        "the rpm of target `{target}` verifies no signatures by subkeys, as `{fingerprint}` is; allowed are primary keys"
    )]
    Subkey {
        /// The target.
        target: Target,
        /// The subkey's.
        fingerprint: String,
    },
}

/// An OpenPGP signature packet, by the tag that it stands under.
#[derive(Debug)]
pub(crate) enum HeaderSignature {
    Rsa(Vec<u8>),
    Other(Vec<u8>),
}

/// Refuses a target whose rpm could not verify a key's signatures: subkeys since rpm 4.13, Ed25519 since 4.16, ECDSA
/// since 4.19.
pub(crate) fn check_target(key: &PrivateKey, target: Target) -> Result<(), UnverifiableSignature> {
    let algorithm = key.algorithm();
    let since = match algorithm {
        KeyAlgorithm::Rsa => Target::El7,
        KeyAlgorithm::EdDsa => Target::El9,
        KeyAlgorithm::Ecdsa => Target::El10,
    };
    if target < since {
        return Err(UnverifiableSignature::Algorithm { target, algorithm });
    }
    if target == Target::El7 && key.is_subkey() {
        return Err(UnverifiableSignature::Subkey { target, fingerprint: key.signing_fingerprint().to_owned() });
    }
    Ok(())
}

fn allowed(target: Target) -> &'static str {
    match target {
        Target::El7 | Target::El8 => "allowed are RSA keys, or a newer `target`",
        Target::El9 => "allowed are RSA and Ed25519 keys, or a newer `target`",
        Target::El10 => "allowed are RSA, Ed25519 and ECDSA keys",
    }
}

impl HeaderSignature {
    /// Signs a package's header as of the date of its sources, so that the same sources give the same bytes.
    pub(crate) fn make(header: &[u8], date: SourceDate, key: &PrivateKey) -> Result<Self, PrivateKeyError> {
        let packet = key.sign(header, date.seconds())?;
        Ok(match key.algorithm() {
            KeyAlgorithm::Rsa => Self::Rsa(packet),
            KeyAlgorithm::EdDsa | KeyAlgorithm::Ecdsa => Self::Other(packet),
        })
    }
}
