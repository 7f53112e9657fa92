//! A private key from a file.

use std::path::Path;

use pgp::composed::{Deserializable, SignedPublicKey, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SecretKey, SecretSubkey, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{Password, S2kParams, SecretParams, SigningKey, StringToKey, Timestamp};

use crate::certificate::{self, Part};
use crate::private_key_error::PrivateKeyError;

/// The private half of a part.
#[derive(Debug)]
enum PrivateHalf {
    Primary(Box<SecretKey>),
    Sub(Box<SecretSubkey>),
}

/// A private key that was read from a file.
#[derive(Debug)]
pub(crate) struct KeyFile {
    private: PrivateHalf,
    passphrase: Password,
}

/// Reads a key, armored or not, and finds the part that signs.
pub(crate) fn read(
    path: &Path,
    passphrase: Option<&str>,
    now: u32,
) -> Result<(KeyFile, Part, SignedPublicKey), PrivateKeyError> {
    let bytes = fs_err::read(path).map_err(PrivateKeyError::Read)?;
    let refused = |source| PrivateKeyError::NoKey { path: path.to_owned(), source };
    let (mut keys, _) = SignedSecretKey::from_reader_many(bytes.as_slice()).map_err(refused)?;
    let key = keys.next().unwrap_or(Err(pgp::errors::Error::NoMatchingPacket { backtrace: None })).map_err(refused)?;
    let public = key.to_public_key();
    let part = certificate::choose(&public, now, &|fingerprint| has_private(&key, fingerprint))
        .map_err(|parts| PrivateKeyError::Unusable { key: path.display().to_string(), parts })?;
    let subkey = key.secret_subkeys.into_iter().map(|subkey| subkey.key);
    let private = match subkey.into_iter().find(|subkey| certificate::fingerprint(subkey) == part.fingerprint) {
        Some(subkey) => PrivateHalf::Sub(Box::new(subkey)),
        None => PrivateHalf::Primary(Box::new(key.primary_key)),
    };
    let passphrase = passphrase.map_or_else(Password::empty, Password::from);
    Ok((KeyFile { private, passphrase }, part, public))
}

/// Tells whether the private half of a part is there: in an export of subkeys alone, or of a key on a card, a stub stands
/// in (gpg's `doc/DETAILS`, GNU extensions to the S2K algorithm).
fn has_private(key: &SignedSecretKey, fingerprint: &str) -> bool {
    let primary = (certificate::fingerprint(&key.primary_key), key.primary_key.secret_params());
    let subkeys = key.secret_subkeys.iter().map(|one| (certificate::fingerprint(&one.key), one.key.secret_params()));
    let found = std::iter::once(primary).chain(subkeys).find(|(other, _)| other == fingerprint);
    found.is_some_and(|(_, secret)| !is_stub(secret))
}

fn is_stub(secret: &SecretParams) -> bool {
    let SecretParams::Encrypted(secret) = secret else { return false };
    match secret.string_to_key_params() {
        S2kParams::Aead { s2k, .. } | S2kParams::Cfb { s2k, .. } | S2kParams::MalleableCfb { s2k, .. } => {
            matches!(s2k, StringToKey::Private { .. })
        }
        S2kParams::Unprotected | S2kParams::LegacyCfb { .. } => false,
    }
}

impl KeyFile {
    /// Signs, as of a time.
    pub(crate) fn sign(&self, data: &[u8], time: u32) -> pgp::errors::Result<Signature> {
        match &self.private {
            PrivateHalf::Primary(key) => self.sign_with(key.as_ref(), data, time),
            PrivateHalf::Sub(key) => self.sign_with(key.as_ref(), data, time),
        }
    }

    /// Makes a signature of version 4, by SHA-256. Its subpackets are not critical: rpm up to 4.16 does not know a
    /// critical issuer, and takes the signature for somebody else's.
    fn sign_with(&self, key: &impl SigningKey, data: &[u8], time: u32) -> pgp::errors::Result<Signature> {
        let mut config = SignatureConfig::v4(SignatureType::Binary, key.algorithm(), HashAlgorithm::Sha256);
        let hashed = [
            SubpacketData::SignatureCreationTime(Timestamp::from_secs(time)),
            SubpacketData::IssuerFingerprint(key.fingerprint()),
            SubpacketData::IssuerKeyId(key.legacy_key_id()),
        ];
        config.hashed_subpackets = hashed.into_iter().map(Subpacket::regular).collect::<Result<_, _>>()?;
        config.sign(key, &self.passphrase, data)
    }
}
