//! The OpenPGP key that signs packages.

use std::io;
use std::path::{Path, PathBuf};

use pgp::composed::{Deserializable, SignedPublicKey, SignedSecretKey};
use pgp::types::KeyDetails;
use rpm::Timestamp;
use rpm::signature::pgp::{Signer, Verifier};
use rpm::signature::{Signing, Verifying};
use rpm_header::Signature;

use crate::SourceDate;

/// A private key that signs, and its public half, which checks.
#[derive(Debug)]
pub struct SigningKey {
    signer: Signer,
    verifier: Verifier,
    /// When the newest of the key's parts was made, seconds since 1970: no signature may be older.
    created: u32,
}

/// An OpenPGP signature packet, by the tag that it stands under.
#[derive(Debug)]
pub(crate) enum HeaderSignature {
    Rsa(Vec<u8>),
    Other(Vec<u8>),
}

/// Says why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The file could not be read.
    #[error("could not read the signing key")]
    Read(#[source] io::Error),
    /// It holds no private key that can sign.
    #[error("`{}` holds no armored OpenPGP private key that can sign; allowed are RSA, ECDSA and Ed25519", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The key could not be used, most often for want of the right passphrase.
    #[error("the signing key `{}` could not be used; is its passphrase right?", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// What the signer says.
        source: rpm::Error,
    },
    /// Signing failed, or what was signed does not verify.
    #[error("the signature could not be made")]
    Sign(#[from] rpm::Error),
}

impl SigningKey {
    /// Loads an armored private key and tries it.
    ///
    /// # Errors
    /// [`SigningKeyError`] when there is no usable key in the file or the passphrase is wrong.
    pub fn load(path: &Path, passphrase: Option<&str>) -> Result<Self, SigningKeyError> {
        let text = fs_err::read_to_string(path).map_err(SigningKeyError::Read)?;
        let refused = |source| SigningKeyError::NoKey { path: path.to_owned(), source };
        let (certificate, _) = SignedSecretKey::from_string(&text).map_err(|error| refused(error.into()))?;
        let signer = Signer::from_asc(&text).map_err(|error| refused(error.into()))?;
        let signer = match passphrase {
            Some(passphrase) => signer.with_key_passphrase(passphrase),
            None => signer,
        };
        let created = newest_part(&certificate);
        let public = SignedPublicKey::from(certificate).to_armored_string(None.into());
        let public = public.map_err(|error| refused(error.into()))?;
        let verifier = Verifier::from_asc(&public).map_err(|error| refused(error.into()))?;
        let key = Self { signer, verifier, created };
        key.prove().map_err(|source| SigningKeyError::Locked { path: path.to_owned(), source })?;
        Ok(key)
    }

    /// Signs a package's header as of the date of its sources, so that the same sources give the same bytes; of a
    /// younger key, as of the key's own date.
    pub(crate) fn sign(&self, header: &[u8], date: SourceDate) -> Result<HeaderSignature, SigningKeyError> {
        let time = Timestamp(date.seconds().max(self.created));
        let packet = self.signer.sign(header, time)?;
        let signature = Signature { tag: "RSAHEADER", packet };
        let is_rsa = signature.info().is_some_and(|info| info.algorithm == "RSA");
        let packet = signature.packet;
        Ok(if is_rsa { HeaderSignature::Rsa(packet) } else { HeaderSignature::Other(packet) })
    }

    pub(crate) fn check_target(&self, _target: crate::Target) -> Result<(), SigningKeyError> {
        Ok(())
    }

    /// Verifies a signature packet of this key.
    pub(crate) fn verify(&self, header: &[u8], packet: &[u8]) -> Result<(), SigningKeyError> {
        Ok(self.verifier.verify(header, packet)?)
    }

    /// Signs something, so that a wrong passphrase shows before anything is built.
    fn prove(&self) -> Result<(), rpm::Error> {
        let packet = self.signer.sign(&b"proof"[..], Timestamp(self.created))?;
        self.verifier.verify(&b"proof"[..], &packet)
    }
}

fn newest_part(certificate: &SignedSecretKey) -> u32 {
    let subkeys = certificate.secret_subkeys.iter().map(|subkey| subkey.key.created_at().as_secs());
    subkeys.chain([certificate.primary_key.created_at().as_secs()]).max().unwrap_or_default()
}
