//! A private OpenPGP key that signs.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use pgp::composed::{ArmorOptions, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedPublicKey};
use pgp::packet::{Packet, PacketParser, PacketTrait, Signature};

use crate::certificate::{self, KeyAlgorithm, Part};
use crate::gpg::{self, GpgKey};
use crate::key_file::{self, KeyFile};
use crate::private_key_error::PrivateKeyError;

/// EL7's gpg reads neither elliptic curves nor version 6 keys; RSA of 3072 bits is good past 2030 (NIST SP 800-57).
const KEY_TYPE: KeyType = KeyType::Rsa(3072);

/// A private key that signs, and its public half.
#[derive(Debug)]
pub struct PrivateKey {
    private: Private,
    part: Part,
    /// Of the primary key, by which people know the whole.
    fingerprint: String,
    public: String,
}

/// Where the private half is.
#[derive(Debug)]
enum Private {
    File(KeyFile),
    Gpg(GpgKey),
}

/// Makes a key and gives its private half, armored, locked by the passphrase where there is one. Takes seconds of pure
/// computing.
///
/// # Errors
/// [`PrivateKeyError::Make`]
pub fn generate(user_id: &str, passphrase: Option<&str>) -> Result<String, PrivateKeyError> {
    let failed = |error: String| PrivateKeyError::Make(error);
    let mut parameters = SecretKeyParamsBuilder::default();
    parameters.key_type(KEY_TYPE).can_certify(true).can_sign(true).primary_user_id(user_id.to_owned());
    parameters.passphrase(passphrase.map(str::to_owned));
    let parameters = parameters.build().map_err(|error| failed(error.to_string()))?;
    let secret = parameters.generate(rand::rngs::OsRng).map_err(|error| failed(error.to_string()))?;
    secret.to_armored_string(ArmorOptions::default()).map_err(|error| failed(error.to_string()))
}

impl PrivateKey {
    /// Loads a private key, armored or not, chooses the part of it that signs (the newest subkey made for it, else the
    /// primary key), and tries it.
    ///
    /// # Errors
    /// [`PrivateKeyError`] when there is no key in the file that can sign, when it is expired or revoked, or when the
    /// passphrase is wrong.
    pub fn load(path: &Path, passphrase: Option<&str>) -> Result<Self, PrivateKeyError> {
        let (file, part, public) = key_file::read(path, passphrase, now())?;
        Self::proven(Private::File(file), part, &public).map_err(|error| match error {
            PrivateKeyError::Sign(source) => PrivateKeyError::Locked { key: path.display().to_string(), source },
            error => error,
        })
    }

    /// Finds a private key that gpg holds, in its agent, on a card or in a security module, by its fingerprint, its id or
    /// its owner, and tries it. gpg's home is that of its environment, `GNUPGHOME`, where none is given; it is the agent
    /// that asks for a passphrase or a PIN.
    ///
    /// # Errors
    /// [`PrivateKeyError`] when gpg does not sign by that name.
    pub fn of_gpg(name: &str, home: Option<&Path>) -> Result<Self, PrivateKeyError> {
        let (key, part, public) = gpg::find(name, home, now())?;
        Self::proven(Private::Gpg(key), part, &public)
    }

    /// Signs something, so that a wrong passphrase shows at once.
    fn proven(private: Private, part: Part, public: &SignedPublicKey) -> Result<Self, PrivateKeyError> {
        let fingerprint = certificate::fingerprint(&public.primary_key);
        let public = public.to_armored_string(ArmorOptions::default()).map_err(PrivateKeyError::Sign)?;
        let key = Self { private, part, fingerprint, public };
        let packet = key.sign(b"proof", 0)?;
        key.verify(b"proof", &packet)?;
        Ok(key)
    }

    /// The fingerprint of the whole key, that of its primary part: 40 hexadecimal digits, upper case.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The fingerprint of the part that signs.
    #[must_use]
    pub fn signing_fingerprint(&self) -> &str {
        &self.part.fingerprint
    }

    /// Its public half, armored.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.part.algorithm
    }

    /// Tells whether a subkey signs.
    #[must_use]
    pub fn is_subkey(&self) -> bool {
        self.part.is_subkey()
    }

    /// Makes a signature packet of some bytes, as of a time, seconds since 1970; of a younger key, as of the key's own
    /// time. The same key, bytes and time give the same packet, but for ECDSA.
    ///
    /// # Errors
    /// [`PrivateKeyError`]
    pub fn sign(&self, data: &[u8], time: u32) -> Result<Vec<u8>, PrivateKeyError> {
        let time = time.max(self.part.created);
        match &self.private {
            Private::Gpg(key) => key.sign(data, time),
            Private::File(key) => {
                let signature = key.sign(data, time).map_err(PrivateKeyError::Sign)?;
                let mut packet = Vec::new();
                signature.to_writer_with_header(&mut packet).map_err(PrivateKeyError::Sign)?;
                Ok(packet)
            }
        }
    }

    /// Makes a detached, armored signature of some bytes, as of now.
    ///
    /// # Errors
    /// [`PrivateKeyError`]
    pub fn sign_armored(&self, data: &[u8]) -> Result<String, PrivateKeyError> {
        let signature = parse(&self.sign(data, now())?).map_err(PrivateKeyError::Sign)?;
        DetachedSignature { signature }.to_armored_string(ArmorOptions::default()).map_err(PrivateKeyError::Sign)
    }

    /// Verifies a signature packet of this key.
    ///
    /// # Errors
    /// [`PrivateKeyError::Sign`]
    pub fn verify(&self, data: &[u8], packet: &[u8]) -> Result<(), PrivateKeyError> {
        let signature = parse(packet).map_err(PrivateKeyError::Sign)?;
        self.part.verify(&signature, data).map_err(PrivateKeyError::Sign)
    }
}

/// Reads a signature packet.
pub(crate) fn parse(packet: &[u8]) -> pgp::errors::Result<Signature> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrustedKeys;

    #[test]
    fn made_loaded_and_verified() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.key");
        fs_err::write(&path, generate("shop", None).unwrap()).unwrap();
        let key = PrivateKey::load(&path, None).unwrap();
        assert_eq!(key.fingerprint(), key.signing_fingerprint());
        assert!(key.public().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"));
        assert!(key.sign_armored(b"hello").unwrap().starts_with("-----BEGIN PGP SIGNATURE-----"));
        let packet = key.sign(b"hello", 0).unwrap();
        assert_eq!(key.sign(b"hello", 0).unwrap(), packet, "the same bytes at the same time");
        assert!(key.verify(b"hullo", &packet).is_err());

        let trusted: TrustedKeys = key.public().parse().unwrap();
        assert_eq!(trusted.fingerprints(), [key.fingerprint()]);
        assert_eq!(trusted.verify(&packet, &b"hello"[..]).unwrap().fingerprint, key.fingerprint());
        assert!(trusted.verify(&packet, &b"hullo"[..]).is_err());

        fs_err::write(&path, generate("shop", Some("secret")).unwrap()).unwrap();
        assert!(matches!(PrivateKey::load(&path, None), Err(PrivateKeyError::Locked { .. })));
        assert!(PrivateKey::load(&path, Some("secret")).is_ok());
        fs_err::write(&path, "no key").unwrap();
        assert!(matches!(PrivateKey::load(&path, None), Err(PrivateKeyError::NoKey { .. })));
        assert!(matches!(PrivateKey::load(&directory.path().join("b"), None), Err(PrivateKeyError::Read(_))));
    }
}
