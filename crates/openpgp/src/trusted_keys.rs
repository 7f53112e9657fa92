//! Certificates that somebody trusts, and the signatures that hold by them.

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use pgp::composed::{ArmorOptions, Deserializable, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};

use crate::certificate::{self, VerifyingPart};
use crate::private_key::parse;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// Certificates that somebody trusts.
#[derive(Clone)]
pub struct TrustedKeys {
    keys: Vec<TrustedKey>,
}

#[derive(Clone)]
struct TrustedKey {
    fingerprint: String,
    owner: String,
    certificate: SignedPublicKey,
}

/// Who made a signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The fingerprint of the whole key, 40 hexadecimal digits, upper case.
    pub fingerprint: String,
    /// When it was made, seconds since 1970.
    pub created: u32,
}

/// Says why a text holds no certificates.
#[derive(Debug, thiserror::Error)]
pub enum ParseKeysError {
    /// There is none.
    #[error("no OpenPGP public key in it: it has to hold `{BEGIN}`")]
    None,
    /// One can't be read.
    #[error("public key {number} in it can't be read")]
    Damaged {
        /// Which one, counted from 1.
        number: usize,
        /// What the reader says.
        source: pgp::errors::Error,
    },
    /// None of a key's parts can sign.
    #[error("public key `{0}` has no part that can sign")]
    NotForSigning(String),
}

/// Says why a signature does not hold.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is no signature.
    #[error("the signature can't be read")]
    Damaged(#[source] pgp::errors::Error),
    /// It says something else of the bytes than that they are signed.
    #[error("the signature is no signature of a file")]
    Kind,
    /// Its hash can be forged.
    #[error("the signature is made with {0}, which can be forged")]
    Hash(HashAlgorithm),
    /// It was made by a key that nobody trusts here.
    #[error("the signature is by key `{issuer}`, which is not trusted here")]
    Untrusted {
        /// The fingerprint or the id that it names, or `unknown`.
        issuer: String,
    },
    /// The key did not sign at that time.
    #[error("the signature is by key `{fingerprint}`, which {why}")]
    Unfit {
        /// The part's fingerprint.
        fingerprint: String,
        /// What is the matter with it.
        why: certificate::UnusablePart,
    },
    /// The signature is not of these bytes.
    #[error("the signature by key `{fingerprint}` is not of these bytes")]
    Bad {
        /// The part's fingerprint.
        fingerprint: String,
        /// What the verifier says.
        source: pgp::errors::Error,
    },
}

impl TrustedKeys {
    /// The fingerprints of the keys, in their order.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<&str> {
        self.keys.iter().map(|key| key.fingerprint.as_str()).collect()
    }

    /// The keys' fingerprints and first owners.
    pub fn owners(&self) -> impl Iterator<Item = (&str, &str)> {
        self.keys.iter().map(|key| (key.fingerprint.as_str(), key.owner.as_str()))
    }

    /// The key of a fingerprint, alone.
    #[must_use]
    pub fn one(&self, fingerprint: &str) -> Option<Self> {
        let key = self.keys.iter().find(|key| key.fingerprint == fingerprint)?;
        Some(Self { keys: vec![key.clone()] })
    }

    /// Adds the keys of others that are not here yet.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        for key in others.keys {
            if self.keys.iter().all(|own| own.fingerprint != key.fingerprint) {
                self.keys.push(key);
            }
        }
        self
    }

    /// The keys, armored: one block for each, which rpm 4.18 and zypper take and EL7's rpm needs.
    ///
    /// # Errors
    /// The writer's, which has none in memory.
    pub fn armored(&self) -> Result<String, pgp::errors::Error> {
        self.keys.iter().map(|key| key.certificate.to_armored_string(ArmorOptions::default())).collect()
    }

    /// Verifies an armored detached signature.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub fn verify_armored(&self, armored: &[u8], data: impl Read) -> Result<Signer, VerifyError> {
        let mut packet = Vec::new();
        let read = pgp::armor::Dearmor::new(armored).read_to_end(&mut packet);
        read.map_err(|error| VerifyError::Damaged(error.into()))?;
        self.verify(&packet, data)
    }

    /// Verifies a signature packet: it holds when one of these keys made it, of these bytes, while it was to sign.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub fn verify(&self, packet: &[u8], data: impl Read) -> Result<Signer, VerifyError> {
        let signature = parse(packet).map_err(VerifyError::Damaged)?;
        if signature.typ() != Some(SignatureType::Binary) {
            return Err(VerifyError::Kind);
        }
        let hash = signature.hash_alg().unwrap_or(HashAlgorithm::None);
        let strong = [
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha512,
            HashAlgorithm::Sha224,
            HashAlgorithm::Sha3_256,
            HashAlgorithm::Sha3_512,
        ];
        if !strong.contains(&hash) {
            return Err(VerifyError::Hash(hash));
        }
        let issuers = issuers(&signature);
        let by = |part: &VerifyingPart| issuers.iter().any(|issuer| part.fingerprint.ends_with(issuer.as_str()));
        let found = self.keys.iter().find_map(|key| {
            let part = certificate::verifying_parts(&key.certificate).into_iter().find(&by)?;
            Some((key, part))
        });
        let Some((key, part)) = found else {
            let issuer = issuers.into_iter().next().unwrap_or_else(|| "unknown".to_owned());
            return Err(VerifyError::Untrusted { issuer });
        };
        let created = signature.created().map_or(0, |time| time.as_secs());
        let fingerprint = part.fingerprint.clone();
        if let Some(why) = part.unfit_at(created) {
            return Err(VerifyError::Unfit { fingerprint, why });
        }
        part.verify(&signature, data).map_err(|source| VerifyError::Bad { fingerprint, source })?;
        Ok(Signer { fingerprint: key.fingerprint.clone(), created })
    }
}

/// The fingerprints and the key ids that a signature names, upper case.
fn issuers(signature: &Signature) -> Vec<String> {
    let fingerprints = signature.issuer_fingerprint().into_iter().map(|one| hex::encode_upper(one.as_bytes()));
    let ids = signature.issuer_key_id().into_iter().map(|id| hex::encode_upper(id.as_ref()));
    fingerprints.chain(ids).filter(|issuer| issuer.len() >= 16).collect()
}

impl FromStr for TrustedKeys {
    type Err = ParseKeysError;

    /// Reads armored blocks, one after the other, of one or several keys each.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys: Vec<TrustedKey> = Vec::new();
        for block in text.split(BEGIN).skip(1) {
            let block = format!("{BEGIN}{block}");
            let damaged = |number: usize| move |source| ParseKeysError::Damaged { number, source };
            let (found, _) = SignedPublicKey::from_armor_many(block.as_bytes()).map_err(damaged(keys.len() + 1))?;
            for certificate in found {
                let certificate = certificate.map_err(damaged(keys.len() + 1))?;
                let fingerprint = certificate::fingerprint(&certificate.primary_key);
                if !certificate::verifying_parts(&certificate).iter().any(VerifyingPart::may_sign) {
                    return Err(ParseKeysError::NotForSigning(fingerprint));
                }
                let owner = certificate.details.users.first();
                let owner = owner.map(|user| String::from_utf8_lossy(user.id.id()).into_owned()).unwrap_or_default();
                keys.push(TrustedKey { fingerprint, owner, certificate });
            }
        }
        if keys.is_empty() { Err(ParseKeysError::None) } else { Ok(Self { keys }) }
    }
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.fingerprints()).finish()
    }
}
