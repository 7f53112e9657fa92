//! The repository: a state that is read, and a ledger that is followed.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use ledger::{Author, Commit, Digest, Ledger, Store};
use repo_api::ChannelName;
use tokio::sync::Semaphore;

use super::blob_cache::BlobCache;
use super::checkpoints::LastCheckpoint;
use super::group::{Decision, Queue};
use super::reading::Readings;
use crate::error::RepositoryError;
use crate::signing::{KeyRing, Standing};
use crate::state::{Action, Change, PackageRecord, RepositoryState};

/// The name of the repository's ledger in its store.
pub(crate) const LEDGER: &str = "repository";
/// What a change compresses anew is of some dozens of packages, now and then of some hundreds.
const FRAGMENTS_KEPT: usize = 8 << 20;
/// Every document is hashed from all of its members: those of some 50,000 packages.
const MEMBERS_KEPT: usize = 72 << 20;
const DOCUMENTS_KEPT: usize = 16 << 20;
/// Headers may be large, and whoever sends them need not mean well: how many are read at a time, by all requests.
pub(super) const HEADERS_AT_ONCE: usize = 4;
/// After how long a half-written file that nobody writes to is taken for left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);

/// A repository of channels in a store. All that serves and all that writes goes through one of these.
#[derive(Debug)]
pub struct Repository {
    pub(super) store: Store,
    pub(super) ledger: Ledger<Change>,
    pub(super) keys: KeyRing,
    pub(super) fragments: BlobCache,
    pub(super) members: BlobCache,
    pub(super) documents: BlobCache,
    pub(super) headers: Semaphore,
    pub(super) readings: Readings,
    pub(super) queue: Queue,
    pub(super) checkpoint: LastCheckpoint,
    state: RwLock<Arc<RepositoryState>>,
    adopting: Mutex<()>,
}

/// What came of a request to change something.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The state that has what was asked for.
    pub state: Arc<RepositoryState>,
    /// Whether a commit was made for it; otherwise everything was as asked before.
    pub changed: bool,
    /// The packages, in the order of the request.
    pub packages: Vec<PackageRecord>,
}

impl Repository {
    /// Opens the repository in the store at a location; the channels named are created where they do not exist.
    ///
    /// # Errors
    /// [`RepositoryError`], also where the key is not the one that signed what the channels show.
    pub async fn open(location: &str, keys: KeyRing, channels: &[ChannelName]) -> Result<Self, RepositoryError> {
        Self::open_in(Store::open(location).await?, keys, channels).await
    }

    /// Opens the repository in a store; the channels named are created where they do not exist.
    ///
    /// # Errors
    /// [`RepositoryError`], also where the key is not the one that signed what the channels show.
    pub async fn open_in(store: Store, keys: KeyRing, channels: &[ChannelName]) -> Result<Self, RepositoryError> {
        let repository = Self {
            ledger: store.ledger(LEDGER),
            keys,
            fragments: BlobCache::new(store.clone(), FRAGMENTS_KEPT),
            members: BlobCache::new(store.clone(), MEMBERS_KEPT),
            documents: BlobCache::new(store.clone(), DOCUMENTS_KEPT),
            headers: Semaphore::new(HEADERS_AT_ONCE),
            readings: Readings::default(),
            queue: Queue::default(),
            checkpoint: LastCheckpoint::default(),
            state: RwLock::default(),
            adopting: Mutex::default(),
            store,
        };
        repository.begin().await?;
        repository.refresh().await?;
        repository.check_key()?;
        repository.sweep().await;
        repository.create_channels(channels).await?;
        Ok(repository)
    }

    async fn create_channels(&self, channels: &[ChannelName]) -> Result<(), RepositoryError> {
        let channels = channels.to_vec();
        let create = move |state: &RepositoryState| {
            let missing = channels.iter().filter(|name| state.channel(name).is_none());
            let missing: Vec<ChannelName> = missing.cloned().collect();
            let action = (!missing.is_empty()).then_some(Action::ChannelsCreated { channels: missing });
            Ok(Decision { action, packages: Vec::new() })
        };
        self.change(server_author(), create).await.map(drop)
    }

    /// The repository as of the newest commit that this process knows.
    #[must_use]
    pub fn state(&self) -> Arc<RepositoryState> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store, for uploads and for serving files.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The keys that sign.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Reads a whole document that a view names, mostly from memory.
    ///
    /// # Errors
    /// [`RepositoryError::Damaged`] where it is gone.
    pub async fn document(&self, digest: &Digest) -> Result<Bytes, RepositoryError> {
        let damaged = RepositoryError::Damaged { digest: *digest, what: "missing" };
        self.documents.get(digest).await?.ok_or(damaged)
    }

    /// Takes in what other processes committed to the same store since.
    ///
    /// # Errors
    /// [`RepositoryError`] where the ledger can't be read; the state stays as it is then.
    pub async fn refresh(&self) -> Result<(), RepositoryError> {
        let commits = self.ledger.since(self.state().position()).await?;
        if !commits.is_empty() {
            self.adopt(&commits)?;
        }
        Ok(())
    }

    /// Removes what killed processes left half-written in the store; a failure to do so harms nobody.
    async fn sweep(&self) {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || store.sweep(LEFT_BEHIND)).await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(count)) => tracing::info!(count, "half-written files removed"),
            Ok(Err(error)) => tracing::warn!(%error, "half-written files can't be removed"),
        }
    }

    pub(super) fn start_with(&self, state: RepositoryState) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// Takes commits in that follow from the state. Two tasks may read the same ones: those that are known are left.
    pub(super) fn adopt(&self, commits: &[Commit<Change>]) -> Result<Arc<RepositoryState>, RepositoryError> {
        let _one_at_a_time = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = RepositoryState::clone(&self.state());
        let known = state.position().number;
        for commit in commits.iter().filter(|commit| commit.number > known) {
            state.apply(commit)?;
        }
        let state = Arc::new(state);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&state);
        self.offer_checkpoint(&state);
        Ok(state)
    }

    fn check_key(&self) -> Result<(), RepositoryError> {
        let (state, keys) = (self.state(), self.keys.keys());
        let views = state.channels().values().filter_map(|channel| channel.view());
        match views.map(|(_, view)| &view.blobs.key).find(|key| keys.standing(key) == Standing::Unknown) {
            None => Ok(()),
            Some(signed_by) => Err(RepositoryError::OtherKey {
                signed_by: signed_by.clone(),
                path: self.keys.directory().path().display().to_string(),
                found: keys.fingerprint().to_owned(),
            }),
        }
    }
}

/// The author of what the server does of its own accord, and of commits that carry several requests.
pub(super) fn server_author() -> Author {
    Author { who: "pkg serve".to_owned(), from: "localhost".to_owned(), why: None }
}

pub(super) fn seconds_now() -> u64 {
    Utc::now().timestamp().unsigned_abs()
}
