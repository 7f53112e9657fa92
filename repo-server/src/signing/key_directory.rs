//! The directory of the server's keys, which is no part of the store.
//!
//! | file | what it is |
//! | --- | --- |
//! | `repository.key` | the private key that signs, or a line `gpg:FINGERPRINT` for one that gpg holds |
//! | `next.key` | likewise, the key that will sign: clients hear of it already |
//! | `public/FINGERPRINT.asc` | the public half of every key that signed and is not retired |
//! | `retired/…` | keys that clients are no longer told of |

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err::os::unix::fs::OpenOptionsExt;
use openpgp::{ParseKeysError, PrivateKey, PrivateKeyError, TrustedKeys};

const CURRENT: &str = "repository.key";
const NEXT: &str = "next.key";
const PUBLIC: &str = "public";
const RETIRED: &str = "retired";
const USER_ID: &str = "pkg repository";
/// What a reference to a key of gpg begins with.
const GPG: &str = "gpg:";

/// The directory of the server's keys.
#[derive(Debug, Clone)]
pub struct KeyDirectory {
    path: PathBuf,
    passphrase: Option<String>,
}

/// Says what is wrong with the server's keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyDirectoryError {
    /// A file or directory can't be used; the cause names it.
    #[error("the signing keys can't be read or written")]
    File(#[source] io::Error),
    /// Others may read a private key.
    #[error("the signing key `{}` may be read by others than its owner (mode {mode:o}): allowed is 600", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A private key can't be used.
    #[error("the signing key of `{}` can't be used", path.display())]
    Key {
        /// The file that holds or names it.
        path: PathBuf,
        /// Why.
        #[source]
        source: PrivateKeyError,
    },
    /// A public key can't be used.
    #[error("`{}` holds no public key that can be used", path.display())]
    Public {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ParseKeysError,
    },
    /// There is a next key already.
    #[error("there is a next key already, `{0}`: let it sign, or remove it")]
    NextExists(String),
    /// There is no next key.
    #[error("there is no next key that could sign: make one first")]
    NoNext,
    /// No key of that fingerprint can be retired.
    #[error("no earlier key has the fingerprint `{fingerprint}`; there are {}", list(known))]
    UnknownKey {
        /// What was asked for.
        fingerprint: String,
        /// The keys that could be retired.
        known: Vec<String>,
    },
    /// A text can't be signed.
    #[error("repomd.xml can't be signed")]
    Sign(#[source] PrivateKeyError),
    /// A task was stopped.
    #[error("signing was stopped")]
    Stopped,
}

impl KeyDirectory {
    /// Names a directory. Nothing is read yet. The passphrase is that of the keys' files.
    #[must_use]
    pub fn new(path: &Path, passphrase: Option<String>) -> Self {
        Self { path: path.to_owned(), passphrase: passphrase.filter(|text| !text.is_empty()) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the key that signs; where there is none, makes one, readable by its owner alone.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn current_or_made(&self) -> Result<PrivateKey, KeyDirectoryError> {
        let path = self.path.join(CURRENT);
        match fs_err::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.write_new(CURRENT, &self.made(&path)?)?,
            Err(error) => return Err(KeyDirectoryError::File(error)),
        }
        // Of several that made one at once, the first one's stands.
        self.read(&path)
    }

    /// Tells whether there is a key that signs.
    #[must_use]
    pub fn has_current(&self) -> bool {
        self.path.join(CURRENT).exists()
    }

    /// Reads the key that signs, where there is one.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn current(&self) -> Result<Option<PrivateKey>, KeyDirectoryError> {
        let path = self.path.join(CURRENT);
        if path.exists() { self.read(&path).map(Some) } else { Ok(None) }
    }

    /// Reads the key that signs, which has to be there.
    pub(super) fn current_there(&self) -> Result<PrivateKey, KeyDirectoryError> {
        self.read(&self.path.join(CURRENT))
    }

    /// Reads the key that will sign.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn next(&self) -> Result<Option<PrivateKey>, KeyDirectoryError> {
        let path = self.path.join(NEXT);
        if path.exists() { self.read(&path).map(Some) } else { Ok(None) }
    }

    /// Reads a private key by what names it: a file, or `gpg:` and its fingerprint.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn named(&self, name: &str) -> Result<PrivateKey, KeyDirectoryError> {
        let path = PathBuf::from(name);
        match name.strip_prefix(GPG) {
            Some(name) => PrivateKey::of_gpg(name, None).map_err(|source| KeyDirectoryError::Key { path, source }),
            None => self.read(&path),
        }
    }

    /// Announces a key that is to sign later: a new one, or one that is named as for [`KeyDirectory::named`].
    ///
    /// # Errors
    /// [`KeyDirectoryError`], also where there is such a key already.
    pub fn announce(&self, name: Option<&str>) -> Result<PrivateKey, KeyDirectoryError> {
        let path = self.path.join(NEXT);
        if let Some(next) = self.next()? {
            return Err(KeyDirectoryError::NextExists(next.fingerprint().to_owned()));
        }
        let text = match name {
            None => self.made(&path)?,
            Some(name) if name.starts_with(GPG) => format!("{GPG}{}\n", self.named(name)?.fingerprint()).into_bytes(),
            Some(name) => {
                self.named(name)?;
                fs_err::read(name).map_err(KeyDirectoryError::File)?
            }
        };
        self.write_new(NEXT, &text)?;
        self.read(&path)
    }

    /// Lets the next key sign. The key that signed before stays known, and its private half is put away.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn rotate(&self) -> Result<PrivateKey, KeyDirectoryError> {
        let next = self.next()?.ok_or(KeyDirectoryError::NoNext)?;
        let (from, to) = (self.path.join(NEXT), self.path.join(CURRENT));
        if to.exists() {
            let before = self.read(&to)?;
            self.remember(&before)?;
            let retired = self.path.join(RETIRED);
            fs_err::create_dir_all(&retired).map_err(KeyDirectoryError::File)?;
            let kept = retired.join(format!("{}.key", before.fingerprint()));
            if !kept.exists() {
                fs_err::hard_link(&to, kept).map_err(KeyDirectoryError::File)?;
            }
        }
        self.remember(&next)?;
        fs_err::rename(from, to).map_err(KeyDirectoryError::File)?;
        self.sync()?;
        Ok(next)
    }

    /// Tells clients no longer of a key that signed earlier.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn retire(&self, fingerprint: &str) -> Result<(), KeyDirectoryError> {
        let signs = self.current_or_made()?;
        let known: Vec<String> =
            self.public()?.iter().flat_map(|keys| keys.fingerprints()).map(str::to_owned).collect();
        let known: Vec<String> = known.into_iter().filter(|known| known != signs.fingerprint()).collect();
        let fingerprint = fingerprint.to_ascii_uppercase();
        if !known.contains(&fingerprint) {
            return Err(KeyDirectoryError::UnknownKey { fingerprint, known });
        }
        let retired = self.path.join(RETIRED);
        fs_err::create_dir_all(&retired).map_err(KeyDirectoryError::File)?;
        let name = format!("{fingerprint}.asc");
        fs_err::rename(self.path.join(PUBLIC).join(&name), retired.join(&name)).map_err(KeyDirectoryError::File)?;
        self.sync()
    }

    /// Keeps the public half of a key that signs.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn remember(&self, key: &PrivateKey) -> Result<(), KeyDirectoryError> {
        let directory = self.path.join(PUBLIC);
        let path = directory.join(format!("{}.asc", key.fingerprint()));
        if fs_err::read(&path).is_ok_and(|text| text == key.public().as_bytes()) {
            return Ok(());
        }
        fs_err::create_dir_all(&directory).map_err(KeyDirectoryError::File)?;
        let staged = directory.join(format!(".{}.{}", key.fingerprint(), std::process::id()));
        write_private(&staged, key.public().as_bytes()).map_err(KeyDirectoryError::File)?;
        fs_err::rename(staged, path).map_err(KeyDirectoryError::File)
    }

    /// The public halves of the keys that signed and are not retired.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn public(&self) -> Result<Vec<TrustedKeys>, KeyDirectoryError> {
        read_public(&self.path.join(PUBLIC))
    }

    /// The public halves of the keys that clients are no longer told of.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn retired(&self) -> Result<Vec<TrustedKeys>, KeyDirectoryError> {
        read_public(&self.path.join(RETIRED))
    }

    /// The names and times of all files: other ones, other keys.
    pub(super) fn stamp(&self) -> Vec<(PathBuf, Option<SystemTime>)> {
        let mut stamp = Vec::new();
        for folder in [self.path.clone(), self.path.join(PUBLIC), self.path.join(RETIRED)] {
            let files = fs_err::read_dir(folder).into_iter().flatten().flatten();
            stamp.extend(files.map(|file| (file.path(), file.metadata().and_then(|data| data.modified()).ok())));
        }
        stamp.sort();
        stamp
    }

    fn read(&self, path: &Path) -> Result<PrivateKey, KeyDirectoryError> {
        let mode = fs_err::metadata(path).map_err(KeyDirectoryError::File)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyDirectoryError::Mode { path: path.to_owned(), mode });
        }
        let failed = |source| KeyDirectoryError::Key { path: path.to_owned(), source };
        let bytes = fs_err::read(path).map_err(KeyDirectoryError::File)?;
        if let Some(name) = str::from_utf8(&bytes).ok().and_then(|text| text.trim().strip_prefix(GPG)) {
            return PrivateKey::of_gpg(name, None).map_err(failed);
        }
        PrivateKey::load(path, self.passphrase.as_deref()).map_err(failed)
    }

    /// Makes a key, and gives what its file is to hold.
    fn made(&self, path: &Path) -> Result<Vec<u8>, KeyDirectoryError> {
        let failed = |source| KeyDirectoryError::Key { path: path.to_owned(), source };
        openpgp::generate(USER_ID, self.passphrase.as_deref()).map(String::into_bytes).map_err(failed)
    }

    /// Writes a file where none is, whole or not at all.
    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), KeyDirectoryError> {
        fs_err::create_dir_all(&self.path).map_err(KeyDirectoryError::File)?;
        let staged = self.path.join(format!(".{name}.{}", std::process::id()));
        let linked =
            write_private(&staged, bytes).and_then(|()| match fs_err::hard_link(&staged, self.path.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            });
        let removed = fs_err::remove_file(&staged);
        linked.and(removed).map_err(KeyDirectoryError::File)?;
        self.sync()
    }

    fn sync(&self) -> Result<(), KeyDirectoryError> {
        fs_err::File::open(&self.path).and_then(|directory| directory.sync_all()).map_err(KeyDirectoryError::File)
    }
}

fn read_public(directory: &Path) -> Result<Vec<TrustedKeys>, KeyDirectoryError> {
    let mut paths: Vec<PathBuf> = match fs_err::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
    .map_err(KeyDirectoryError::File)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "asc"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs_err::read_to_string(&path).map_err(KeyDirectoryError::File)?;
        text.parse().map_err(|source| KeyDirectoryError::Public { path, source })
    };
    paths.into_iter().map(read).collect()
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs_err::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn list(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_announced_rotated_and_retired() {
        let directory = tempfile::tempdir().unwrap();
        let keys = KeyDirectory::new(&directory.path().join("keys"), None);
        let first = keys.current_or_made().unwrap();
        assert_eq!(keys.current_or_made().unwrap().fingerprint(), first.fingerprint());
        let file = keys.path().join(CURRENT);
        assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(keys.rotate(), Err(KeyDirectoryError::NoNext)));

        let next = keys.announce(None).unwrap();
        assert!(matches!(keys.announce(None), Err(KeyDirectoryError::NextExists(_))));
        assert_eq!(keys.current_or_made().unwrap().fingerprint(), first.fingerprint());
        assert_eq!(keys.rotate().unwrap().fingerprint(), next.fingerprint());
        assert_eq!(keys.current_or_made().unwrap().fingerprint(), next.fingerprint());
        assert!(keys.next().unwrap().is_none());
        let public = |keys: Vec<TrustedKeys>| keys.iter().map(|keys| keys.fingerprints().concat()).collect::<Vec<_>>();
        assert!(public(keys.public().unwrap()).contains(&first.fingerprint().to_owned()));

        assert!(matches!(keys.retire(next.fingerprint()), Err(KeyDirectoryError::UnknownKey { .. })));
        keys.retire(&first.fingerprint().to_ascii_lowercase()).unwrap();
        assert_eq!(public(keys.public().unwrap()), [next.fingerprint()]);
        assert_eq!(public(keys.retired().unwrap()), [first.fingerprint()]);
        assert!(keys.path().join(RETIRED).join(format!("{}.key", first.fingerprint())).exists());

        fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(keys.current_or_made(), Err(KeyDirectoryError::Mode { mode: 0o644, .. })));
        fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        fs_err::write(&file, "no key").unwrap();
        assert!(matches!(keys.current_or_made(), Err(KeyDirectoryError::Key { .. })));
    }
}
