//! The OpenPGP key that signs packages.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use pgp::packet::{Packet, PacketParser, PacketTrait, Signature};

use super::SigningKeyError;
use super::certificate::{KeyAlgorithm, Part};
use super::gpg::{self, GpgKey};
use super::key_file::{self, KeyFile};
use crate::{SourceDate, Target};

/// A private key that signs, and its public half, which checks.
#[derive(Debug)]
pub struct SigningKey {
    private: Private,
    part: Part,
}

/// Where the private half is.
#[derive(Debug)]
enum Private {
    File(KeyFile),
    Gpg(GpgKey),
}

/// An OpenPGP signature packet, by the tag that it stands under.
#[derive(Debug)]
pub(crate) enum HeaderSignature {
    Rsa(Vec<u8>),
    Other(Vec<u8>),
}

impl SigningKey {
    /// Loads a private key, armored or not, chooses the part of it that signs (the newest subkey made for it, else the
    /// primary key), and tries it.
    ///
    /// # Errors
    /// [`SigningKeyError`] when there is no key in the file that can sign, when it is expired or revoked, or when the
    /// passphrase is wrong.
    pub fn load(path: &Path, passphrase: Option<&str>) -> Result<Self, SigningKeyError> {
        let (file, part) = key_file::read(path, passphrase, now())?;
        let key = Self { private: Private::File(file), part };
        key.prove().map_err(|error| match error {
            SigningKeyError::Sign(source) => SigningKeyError::Locked { key: path.display().to_string(), source },
            error => error,
        })?;
        Ok(key)
    }

    /// Finds a private key that gpg holds, in its agent, on a card or in a security module, by its fingerprint, its id or
    /// its owner, and tries it. gpg's home is that of its environment, `GNUPGHOME`, where none is given; it is the agent
    /// that asks for a passphrase or a PIN.
    ///
    /// # Errors
    /// [`SigningKeyError`] when gpg does not sign by that name.
    pub fn of_gpg(name: &str, home: Option<&Path>) -> Result<Self, SigningKeyError> {
        let (key, part) = gpg::find(name, home, now())?;
        let key = Self { private: Private::Gpg(key), part };
        key.prove()?;
        Ok(key)
    }

    /// The fingerprint of the part that signs, 40 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.part.fingerprint
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.part.algorithm
    }

    /// Refuses a target whose rpm could not verify this key's signatures: subkeys since rpm 4.13, Ed25519 since 4.16,
    /// ECDSA since 4.19.
    ///
    /// # Errors
    /// [`SigningKeyError::Algorithm`] and [`SigningKeyError::Subkey`].
    pub fn check_target(&self, target: Target) -> Result<(), SigningKeyError> {
        let since = match self.part.algorithm {
            KeyAlgorithm::Rsa => Target::El7,
            KeyAlgorithm::EdDsa => Target::El9,
            KeyAlgorithm::Ecdsa => Target::El10,
        };
        if target < since {
            return Err(SigningKeyError::Algorithm { target, algorithm: self.part.algorithm });
        }
        if target == Target::El7 && self.part.is_subkey() {
            return Err(SigningKeyError::Subkey { target, fingerprint: self.part.fingerprint.clone() });
        }
        Ok(())
    }

    /// Signs a package's header as of the date of its sources, so that the same sources give the same bytes; of a
    /// younger key, as of the key's own date.
    pub(crate) fn sign(&self, header: &[u8], date: SourceDate) -> Result<HeaderSignature, SigningKeyError> {
        let packet = self.packet(header, date.seconds().max(self.part.created))?;
        Ok(match self.part.algorithm {
            KeyAlgorithm::Rsa => HeaderSignature::Rsa(packet),
            KeyAlgorithm::EdDsa | KeyAlgorithm::Ecdsa => HeaderSignature::Other(packet),
        })
    }

    /// Verifies a signature packet of this key.
    pub(crate) fn verify(&self, header: &[u8], packet: &[u8]) -> Result<(), SigningKeyError> {
        let signature = parse(packet).map_err(SigningKeyError::Sign)?;
        self.part.verify(&signature, header).map_err(SigningKeyError::Sign)
    }

    /// Signs something, so that a wrong passphrase shows before anything is built.
    fn prove(&self) -> Result<(), SigningKeyError> {
        let packet = self.packet(b"proof", self.part.created)?;
        self.verify(b"proof", &packet)
    }

    fn packet(&self, data: &[u8], time: u32) -> Result<Vec<u8>, SigningKeyError> {
        match &self.private {
            Private::Gpg(key) => key.sign(data, time),
            Private::File(key) => {
                let signature = key.sign(data, time).map_err(SigningKeyError::Sign)?;
                let mut packet = Vec::new();
                signature.to_writer_with_header(&mut packet).map_err(SigningKeyError::Sign)?;
                Ok(packet)
            }
        }
    }
}

fn parse(packet: &[u8]) -> pgp::errors::Result<Signature> {
    match PacketParser::new(packet).next() {
        Some(Ok(Packet::Signature(signature))) => Ok(signature),
        Some(Err(error)) => Err(error),
        _ => Err(pgp::errors::Error::NoMatchingPacket { backtrace: None }),
    }
}

fn now() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
