//! The keys of a running server: the one that signs, and those that clients are told of.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use openpgp::{PrivateKey, TrustedKeys};

use super::key_directory::{KeyDirectory, KeyDirectoryError};

/// Where a server's keys are.
#[derive(Debug, Clone)]
pub struct KeySource {
    /// Their directory.
    pub directory: KeyDirectory,
    /// The key that signs, where it is not the directory's: a file, or `gpg:` and its fingerprint.
    pub key: Option<String>,
}

/// The keys of a running server, read again when their files change.
#[derive(Debug)]
pub struct KeyRing {
    source: KeySource,
    keys: RwLock<Arc<SigningKeys>>,
    stamp: Mutex<Vec<(PathBuf, Option<SystemTime>)>>,
}

/// The keys of a server at one time.
#[derive(Debug)]
pub struct SigningKeys {
    signs: PrivateKey,
    /// The fingerprint of the key that will sign.
    next: Option<String>,
    announced: TrustedKeys,
    retired: Vec<TrustedKeys>,
    announced_text: String,
}

/// What a key is to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It signs.
    Signs,
    /// It will sign; another server of the same store may let it sign already.
    Next,
    /// It signed earlier.
    Earlier,
    /// It was never here.
    Unknown,
}

impl KeyRing {
    /// Reads the keys; where there is none, makes one. That takes seconds of pure computing.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn open(source: KeySource) -> Result<Self, KeyDirectoryError> {
        let signs = match &source.key {
            Some(name) => source.directory.named(name)?,
            None => source.directory.current_or_made()?,
        };
        let keys = SigningKeys::around(&source.directory, signs)?;
        let stamp = source.directory.stamp();
        Ok(Self { source, keys: RwLock::new(Arc::new(keys)), stamp: Mutex::new(stamp) })
    }

    /// Tells whether the file of the key that signs is still there. What gpg-agent keeps, it is not asked for.
    #[must_use]
    pub fn is_present(&self) -> bool {
        match &self.source.key {
            None => self.source.directory.has_current(),
            Some(key) => key.starts_with("gpg:") || Path::new(key).exists(),
        }
    }

    /// Reads the keys of a directory that have no passphrase; where there is none, makes one.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]
    pub fn open_or_make(directory: &Path) -> Result<Self, KeyDirectoryError> {
        Self::open(KeySource { directory: KeyDirectory::new(directory, None), key: None })
    }

    /// The keys as they are now.
    #[must_use]
    pub fn keys(&self) -> Arc<SigningKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The directory of the keys.
    #[must_use]
    pub fn directory(&self) -> &KeyDirectory {
        &self.source.directory
    }

    /// Reads the keys again where their files have changed, and tells whether another key signs now.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]; the keys stay as they were then.
    pub fn reload(&self) -> Result<bool, KeyDirectoryError> {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.source.directory.stamp();
        if *stamp == found {
            return Ok(false);
        }
        // Also where it fails: what can't be read is reported once.
        *stamp = found;
        let directory = &self.source.directory;
        // One that is away for a while, such as a mounted one, is no reason to make another key, nor another directory.
        fs_err::metadata(directory.path()).map_err(KeyDirectoryError::File)?;
        let signs = match &self.source.key {
            Some(name) => directory.named(name)?,
            None => directory.current_there()?,
        };
        let keys = Arc::new(SigningKeys::around(directory, signs)?);
        *stamp = self.source.directory.stamp();
        let changed = keys.fingerprint() != self.keys().fingerprint();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(changed)
    }
}

impl SigningKeys {
    fn around(directory: &KeyDirectory, signs: PrivateKey) -> Result<Self, KeyDirectoryError> {
        directory.remember(&signs)?;
        let parsed = |key: &PrivateKey, path: PathBuf| {
            key.public().parse::<TrustedKeys>().map_err(|source| KeyDirectoryError::Public { path, source })
        };
        let mut announced = parsed(&signs, directory.path().to_owned())?;
        let next = directory.next()?;
        if let Some(next) = &next {
            announced = announced.and(parsed(next, directory.path().to_owned())?);
        }
        for keys in directory.public()? {
            announced = announced.and(keys);
        }
        let announced_text =
            announced.armored().map_err(|source| KeyDirectoryError::Sign(openpgp::PrivateKeyError::Sign(source)))?;
        let next = next.map(|key| key.fingerprint().to_owned());
        Ok(Self { signs, next, announced, retired: directory.retired()?, announced_text })
    }

    /// The fingerprint of the key that signs, 40 hexadecimal digits, upper case.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        self.signs.fingerprint()
    }

    /// The key that signs.
    pub(crate) fn signs(&self) -> &PrivateKey {
        &self.signs
    }

    /// The keys that clients are told of: the one that signs, the next, and those that signed before.
    #[must_use]
    pub fn announced(&self) -> &TrustedKeys {
        &self.announced
    }

    /// All keys of this server, retired ones too: what they signed stays signed.
    pub(crate) fn all(&self) -> TrustedKeys {
        self.retired.iter().fold(self.announced.clone(), |all, retired| all.and(retired.clone()))
    }

    /// [`SigningKeys::announced`], armored: one block for each, the one that signs first.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.announced_text
    }

    /// The public half of one key, announced or retired, armored.
    #[must_use]
    pub fn public_of(&self, fingerprint: &str) -> Option<String> {
        let all = self.retired.iter().chain([&self.announced]);
        all.filter_map(|keys| keys.one(fingerprint)).find_map(|key| key.armored().ok())
    }

    /// Tells what a key is to this server.
    #[must_use]
    pub fn standing(&self, fingerprint: &str) -> Standing {
        let is_known = |keys: &TrustedKeys| keys.one(fingerprint).is_some();
        if fingerprint == self.fingerprint() {
            Standing::Signs
        } else if self.next.as_deref() == Some(fingerprint) {
            Standing::Next
        } else if is_known(&self.announced) || self.retired.iter().any(is_known) {
            Standing::Earlier
        } else {
            Standing::Unknown
        }
    }

    /// Signs bytes: one detached, armored signature, for zypper refuses a file of two.
    ///
    /// # Errors
    /// [`KeyDirectoryError::Sign`]
    pub async fn sign(self: &Arc<Self>, bytes: Vec<u8>) -> Result<String, KeyDirectoryError> {
        let keys = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || keys.signs.sign_armored(&bytes));
        task.await.map_err(|_| KeyDirectoryError::Stopped)?.map_err(KeyDirectoryError::Sign)
    }
}
