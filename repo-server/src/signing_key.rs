//! The key that signs repomd.xml.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fs_err::os::unix::fs::OpenOptionsExt;
use pgp::composed::{
    ArmorOptions, Deserializable, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::types::{KeyDetails, Password};

/// EL7's gpg reads neither elliptic curves nor version 6 keys; RSA of 3072 bits is good past 2030 (NIST SP 800-57).
const KEY_TYPE: KeyType = KeyType::Rsa(3072);
const USER_ID: &str = "pkg repository";
const FILE_NAME: &str = "repository.key";

/// The key that signs what channels show. Its private part never leaves its file and this process.
pub struct SigningKey {
    secret: SignedSecretKey,
    fingerprint: String,
    public: String,
    path: PathBuf,
}

/// Says why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// Its file or directory can't be used; the cause names it.
    #[error("the signing key can't be read or written")]
    File(#[source] io::Error),
    /// Others may read its file.
    #[error("the signing key `{path}` may be read by others than its owner (mode {mode:o}): allowed is 600")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no private OpenPGP key without a passphrase.
    #[error("`{path}` holds no OpenPGP private key that can be used")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<pgp::errors::Error>,
    },
    /// A key can't be made.
    #[error("a signing key can't be made: {0}")]
    Make(String),
    /// Signing failed.
    #[error("repomd.xml can't be signed")]
    Sign(#[source] Box<pgp::errors::Error>),
}

impl SigningKey {
    /// Reads the key in a directory; where there is none, makes one, readable by its owner alone.
    ///
    /// # Errors
    /// [`SigningKeyError`]
    pub fn open_or_make(directory: &Path) -> Result<Self, SigningKeyError> {
        let path = directory.join(FILE_NAME);
        match fs_err::symlink_metadata(&path) {
            Ok(_) => Self::read(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_key(directory, &path, &make()?)?;
                // Of several that made one at once, the first one's stands.
                Self::read(path)
            }
            Err(error) => Err(SigningKeyError::File(error)),
        }
    }

    fn read(path: PathBuf) -> Result<Self, SigningKeyError> {
        let mode = fs_err::metadata(&path).map_err(SigningKeyError::File)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SigningKeyError::Mode { path, mode });
        }
        let text = fs_err::read(&path).map_err(SigningKeyError::File)?;
        let content = |source| SigningKeyError::Content { path: path.clone(), source: Box::new(source) };
        let (secret, _) = SignedSecretKey::from_armor_single(text.as_slice()).map_err(content)?;
        let public =
            SignedPublicKey::from(secret.clone()).to_armored_string(ArmorOptions::default()).map_err(content)?;
        let fingerprint = secret.fingerprint().to_string();
        let key = Self { secret, fingerprint, public, path: path.clone() };
        match key.sign(b"") {
            Err(SigningKeyError::Sign(source)) => Err(SigningKeyError::Content { path, source }),
            Err(error) => Err(error),
            Ok(_) => Ok(key),
        }
    }

    /// Where its private part is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its fingerprint, hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Its public part, armored.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Signs bytes: one detached, armored signature.
    ///
    /// # Errors
    /// [`SigningKeyError::Sign`]
    pub fn sign(&self, bytes: &[u8]) -> Result<String, SigningKeyError> {
        let failed = |source| SigningKeyError::Sign(Box::new(source));
        let key = &self.secret.primary_key;
        DetachedSignature::sign_binary_data(rand::rngs::OsRng, key, &Password::empty(), HashAlgorithm::Sha256, bytes)
            .and_then(|signature| signature.to_armored_string(ArmorOptions::default()))
            .map_err(failed)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SigningKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// Makes a key and gives its private part, armored.
fn make() -> Result<String, SigningKeyError> {
    let failed = |error: String| SigningKeyError::Make(error);
    let mut parameters = SecretKeyParamsBuilder::default();
    parameters.key_type(KEY_TYPE).can_certify(true).can_sign(true).primary_user_id(USER_ID.to_owned());
    let parameters = parameters.build().map_err(|error| failed(error.to_string()))?;
    let secret = parameters.generate(rand::rngs::OsRng).map_err(|error| failed(error.to_string()))?;
    secret.to_armored_string(ArmorOptions::default()).map_err(|error| failed(error.to_string()))
}

/// Writes the key where none is, whole or not at all.
fn write_key(directory: &Path, path: &Path, text: &str) -> Result<(), SigningKeyError> {
    fs_err::create_dir_all(directory).map_err(SigningKeyError::File)?;
    let staged = directory.join(format!(".{FILE_NAME}.{}", std::process::id()));
    let written = write_private(&staged, text).and_then(|()| match fs_err::hard_link(&staged, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let removed = fs_err::remove_file(&staged);
    written.and(removed).map_err(SigningKeyError::File)?;
    fs_err::File::open(directory).and_then(|directory| directory.sync_all()).map_err(SigningKeyError::File)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs_err::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_for_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path().join("keys");
        let first = SigningKey::open_or_make(&keys).unwrap();
        let again = SigningKey::open_or_make(&keys).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(fs_err::metadata(first.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs_err::read_dir(&keys).unwrap().count(), 1);
        assert!(first.public().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"));
        assert!(!format!("{first:?}").contains("secret"));

        let signature = first.sign(b"hello").unwrap();
        let (signature, _) = DetachedSignature::from_armor_single(signature.as_bytes()).unwrap();
        let (public, _) = SignedPublicKey::from_armor_single(again.public().as_bytes()).unwrap();
        signature.verify(&public, b"hello").unwrap();
        assert!(signature.verify(&public, b"hullo").is_err());

        fs_err::set_permissions(first.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(SigningKey::open_or_make(&keys), Err(SigningKeyError::Mode { mode: 0o644, .. })));
        fs_err::set_permissions(first.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        fs_err::write(first.path(), "no key").unwrap();
        assert!(matches!(SigningKey::open_or_make(&keys), Err(SigningKeyError::Content { .. })));
    }
}
