//! An OpenPGP certificate: which of its parts may sign, and whether it still does (RFC 9580, sections 5.2 and 10.1).

use std::fmt;
use std::io::Read;

use chrono::DateTime;
use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{PublicKey, PublicSubkey, Signature, SignatureType};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, KeyVersion, PublicParams, Tag};

/// What a part signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA.
    Rsa,
    /// Ed25519 in the form of gpg (RFC 9580's EdDSALegacy).
    EdDsa,
    /// ECDSA.
    Ecdsa,
}

/// Says why a part of a key does not sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnusablePart {
    /// It was revoked.
    Revoked,
    /// It expired then, seconds since 1970.
    Expired(u32),
    /// It was made after the signature, then, seconds since 1970.
    TooYoung(u32),
    /// Its owner made it for something else.
    NotForSigning,
    /// Its private half is elsewhere.
    NoPrivateHalf,
    /// rpm does not know its algorithm, or its version.
    Algorithm,
    /// It is an RSA key of so few bits.
    TooShort(u16),
}

/// The primary key or a subkey.
#[derive(Debug, Clone)]
pub(crate) enum PartKey {
    Primary(PublicKey),
    Sub(PublicSubkey),
}

/// A part that signs.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) key: PartKey,
    pub(crate) algorithm: KeyAlgorithm,
    /// When the newest of it and the primary key was made, seconds since 1970: no signature may be older.
    pub(crate) created: u32,
    /// 40 hexadecimal digits, upper case.
    pub(crate) fingerprint: String,
}

/// A part that may have made a signature.
#[derive(Debug, Clone)]
pub(crate) struct VerifyingPart {
    key: PartKey,
    /// 40 hexadecimal digits, upper case.
    pub(crate) fingerprint: String,
    created: u32,
    may_sign: bool,
    expires: Option<u32>,
    is_revoked: bool,
}

/// What the owner's newest statement says of a part.
struct Statement {
    may_sign: bool,
    expires: Option<u32>,
    is_revoked: bool,
}

const RSA_BITS_MIN: u16 = 2048;

/// Chooses the part that signs, as gpg does: the newest subkey made for it, else the primary key. `has_private` tells of
/// a fingerprint whether the private half is at hand.
///
/// # Errors
/// Every part, by its fingerprint, with what is the matter.
pub(crate) fn choose(
    certificate: &SignedPublicKey,
    now: u32,
    has_private: &dyn Fn(&str) -> bool,
) -> Result<Part, Vec<(String, UnusablePart)>> {
    let primary = &certificate.primary_key;
    let whole = statement_of_primary(certificate);
    let rejected = |fingerprint: &str, key: &dyn KeyDetails, statement: &Statement| {
        let expired = [statement.expires, whole.expires].into_iter().flatten().find(|time| *time <= now);
        if statement.is_revoked || whole.is_revoked {
            Some(UnusablePart::Revoked)
        } else if let Some(time) = expired {
            Some(UnusablePart::Expired(time))
        } else if !statement.may_sign {
            Some(UnusablePart::NotForSigning)
        } else if !has_private(fingerprint) {
            Some(UnusablePart::NoPrivateHalf)
        } else {
            algorithm(key).err()
        }
    };
    let mut usable = Vec::new();
    let mut unusable = Vec::new();
    let mut sort = |key: PartKey, statement: &Statement| {
        let details = key.details();
        let fingerprint = fingerprint(details);
        let created = details.created_at().as_secs().max(primary.created_at().as_secs());
        match (rejected(&fingerprint, details, statement), algorithm(details)) {
            (None, Ok(algorithm)) => usable.push(Part { key, algorithm, created, fingerprint }),
            (Some(why), _) | (None, Err(why)) => unusable.push((fingerprint, why)),
        }
    };
    sort(PartKey::Primary(primary.clone()), &whole);
    for subkey in &certificate.public_subkeys {
        sort(PartKey::Sub(subkey.key.clone()), &statement_of_subkey(primary, subkey));
    }
    usable.into_iter().max_by_key(|part| (part.is_subkey(), part.created)).ok_or(unusable)
}

/// The primary key and the subkeys, as somebody sees them who verifies.
pub(crate) fn verifying_parts(certificate: &SignedPublicKey) -> Vec<VerifyingPart> {
    let whole = statement_of_primary(certificate);
    let part = |key: PartKey, statement: &Statement| {
        let details = key.details();
        VerifyingPart {
            fingerprint: fingerprint(details),
            created: details.created_at().as_secs(),
            may_sign: statement.may_sign,
            expires: [statement.expires, whole.expires].into_iter().flatten().min(),
            is_revoked: statement.is_revoked || whole.is_revoked,
            key,
        }
    };
    let primary = part(PartKey::Primary(certificate.primary_key.clone()), &whole);
    let subkeys = certificate
        .public_subkeys
        .iter()
        .map(|subkey| part(PartKey::Sub(subkey.key.clone()), &statement_of_subkey(&certificate.primary_key, subkey)));
    std::iter::once(primary).chain(subkeys).collect()
}

/// A part's fingerprint, in upper case as gpg writes it.
pub(crate) fn fingerprint(key: &(impl KeyDetails + ?Sized)) -> String {
    hex::encode_upper(key.fingerprint().as_bytes())
}

fn algorithm(key: &dyn KeyDetails) -> Result<KeyAlgorithm, UnusablePart> {
    if key.version() != KeyVersion::V4 {
        return Err(UnusablePart::Algorithm);
    }
    match key.public_params() {
        PublicParams::RSA(rsa) => match modulus_bits(rsa) {
            bits @ 0..RSA_BITS_MIN => Err(UnusablePart::TooShort(bits)),
            _ => Ok(KeyAlgorithm::Rsa),
        },
        PublicParams::EdDSALegacy(_) => Ok(KeyAlgorithm::EdDsa),
        PublicParams::ECDSA(_) => Ok(KeyAlgorithm::Ecdsa),
        _ => Err(UnusablePart::Algorithm),
    }
}

/// Encoded, the modulus comes first, and of it the number of its bits (RFC 9580, section 3.2).
fn modulus_bits(key: &impl Serialize) -> u16 {
    let encoded = key.to_bytes().unwrap_or_default();
    encoded.first_chunk().map_or(0, |bits| u16::from_be_bytes(*bits))
}

/// Signatures that do not hold, and those of others, count for nothing.
fn statement_of_primary(certificate: &SignedPublicKey) -> Statement {
    let (key, details) = (&certificate.primary_key, &certificate.details);
    let direct = details.direct_signatures.iter().filter(|one| one.verify_key(key).is_ok());
    let of_users = details.users.iter().flat_map(|user| {
        let own = user.signatures.iter().filter(|one| one.typ() != Some(SignatureType::CertRevocation));
        own.filter(|one| one.verify_certification(key, Tag::UserId, &user.id).is_ok())
    });
    let is_revoked = details.revocation_signatures.iter().any(|one| one.verify_key(key).is_ok());
    statement(key, direct.chain(of_users), is_revoked)
}

fn statement_of_subkey(primary: &PublicKey, subkey: &SignedPublicSubKey) -> Statement {
    let own = |one: &&Signature| one.verify_subkey_binding(primary, &subkey.key).is_ok();
    let (revocations, bindings): (Vec<_>, Vec<_>) =
        subkey.signatures.iter().filter(own).partition(|one| one.typ() == Some(SignatureType::SubkeyRevocation));
    statement(&subkey.key, bindings.into_iter(), !revocations.is_empty())
}

fn statement<'a>(
    key: &impl KeyDetails,
    signatures: impl Iterator<Item = &'a Signature>,
    is_revoked: bool,
) -> Statement {
    let newest = signatures.max_by_key(|one| one.created().map(|time| time.as_secs()));
    let expires =
        newest.and_then(Signature::key_expiration_time).map(|after| after.as_secs()).filter(|after| *after > 0);
    Statement {
        may_sign: newest.is_some_and(|one| one.key_flags().sign()),
        expires: expires.map(|after| key.created_at().as_secs().saturating_add(after)),
        is_revoked,
    }
}

impl Part {
    pub(crate) fn is_subkey(&self) -> bool {
        matches!(self.key, PartKey::Sub(_))
    }

    /// Verifies a signature of this part.
    pub(crate) fn verify(&self, signature: &Signature, data: impl Read) -> pgp::errors::Result<()> {
        self.key.verify(signature, data)
    }
}

impl VerifyingPart {
    pub(crate) fn may_sign(&self) -> bool {
        self.may_sign
    }

    /// Says why it could make no signature at a time.
    pub(crate) fn unfit_at(&self, time: u32) -> Option<UnusablePart> {
        if self.is_revoked {
            Some(UnusablePart::Revoked)
        } else if !self.may_sign {
            Some(UnusablePart::NotForSigning)
        } else if time < self.created {
            Some(UnusablePart::TooYoung(self.created))
        } else {
            self.expires.filter(|expires| *expires <= time).map(UnusablePart::Expired)
        }
    }

    /// Verifies a signature of this part.
    pub(crate) fn verify(&self, signature: &Signature, data: impl Read) -> pgp::errors::Result<()> {
        self.key.verify(signature, data)
    }
}

impl PartKey {
    fn verify(&self, signature: &Signature, data: impl Read) -> pgp::errors::Result<()> {
        match self {
            Self::Primary(key) => signature.verify(key, data),
            Self::Sub(key) => signature.verify(key, data),
        }
    }

    fn details(&self) -> &dyn KeyDetails {
        match self {
            Self::Primary(key) => key,
            Self::Sub(key) => key,
        }
    }
}

fn date(time: u32) -> String {
    DateTime::from_timestamp(i64::from(time), 0).unwrap_or_default().format("%Y-%m-%d").to_string()
}

impl fmt::Display for UnusablePart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoked => formatter.write_str("is revoked"),
            Self::Expired(time) => write!(formatter, "expired on {}", date(*time)),
            Self::TooYoung(time) => write!(formatter, "was made on {}, after the signature", date(*time)),
            Self::NotForSigning => formatter.write_str("is not for signing"),
            Self::NoPrivateHalf => formatter.write_str("has no private half here"),
            Self::Algorithm => formatter.write_str("is neither RSA nor Ed25519 nor ECDSA of version 4"),
            Self::TooShort(bits) => write!(formatter, "is RSA of {bits} bits, allowed are {RSA_BITS_MIN} and more"),
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rsa => "RSA",
            Self::EdDsa => "Ed25519",
            Self::Ecdsa => "ECDSA",
        })
    }
}
