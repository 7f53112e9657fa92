//! The repository: the one place that commits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{AppendError, Author, Commit, Digest, Ledger, Store};
use nevra::PackageQuery;
use rand::Rng;
use repo_api::ChannelName;
use tokio::sync::Semaphore;

use crate::admission::{Candidate, Upload, admit, examine};
use crate::blob_cache::BlobCache;
use crate::change::{Action, Change, ChannelView, PackageRecord};
use crate::error::RepositoryError;
use crate::repodata::{Document, Fragments, MetadataKind, render_repomd};
use crate::resolve;
use crate::signing_key::SigningKey;
use crate::state::RepositoryState;

const LEDGER: &str = "repository";
/// How often a commit is tried against other writers.
const ATTEMPTS: u32 = 50;
/// How many headers or fragments are read at a time.
const SIDE_BY_SIDE: usize = 16;
const FRAGMENTS_KEPT: usize = 256 << 20;
const DOCUMENTS_KEPT: usize = 64 << 20;
/// Headers may be large, and whoever sends them need not mean well: how many are read at a time, by all requests.
const HEADERS_AT_ONCE: usize = 4;
/// After how long a half-written file that nobody writes to is taken for left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);

/// A repository of channels in a store. All that serves and all that writes goes through one of these.
#[derive(Debug)]
pub struct Repository {
    store: Store,
    ledger: Ledger<Change>,
    key: SigningKey,
    fragments: BlobCache,
    documents: BlobCache,
    state: RwLock<Arc<RepositoryState>>,
    adopting: Mutex<()>,
    writing: tokio::sync::Mutex<()>,
    headers: Semaphore,
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
    pub async fn open(location: &str, key: SigningKey, channels: &[ChannelName]) -> Result<Self, RepositoryError> {
        let store = Store::open(location).await?;
        let repository = Self {
            ledger: store.ledger(LEDGER),
            key,
            fragments: BlobCache::new(store.clone(), FRAGMENTS_KEPT),
            documents: BlobCache::new(store.clone(), DOCUMENTS_KEPT),
            state: RwLock::default(),
            adopting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            headers: Semaphore::new(HEADERS_AT_ONCE),
            store,
        };
        repository.refresh().await?;
        repository.check_key()?;
        repository.sweep().await;
        let author = Author { who: "pkg serve".to_owned(), from: "localhost".to_owned(), why: None };
        repository
            .change(author, |state| {
                let missing = channels.iter().filter(|name| state.channel(name).is_none());
                let missing: Vec<ChannelName> = missing.cloned().collect();
                Ok(((!missing.is_empty()).then_some(Action::ChannelsCreated { channels: missing }), Vec::new()))
            })
            .await?;
        Ok(repository)
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

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Reads a whole document that a view names, mostly from memory.
    ///
    /// # Errors
    /// [`RepositoryError::Damaged`] where it is gone.
    pub async fn document(&self, digest: &Digest) -> Result<Bytes, RepositoryError> {
        let damaged = RepositoryError::Damaged { digest: *digest, what: "missing" };
        self.documents.get(digest).await?.ok_or(damaged)
    }

    /// Lists uploaded packages in a channel, all of them in one commit.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn publish(
        &self,
        channel: &ChannelName,
        uploads: &[Upload],
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        named(uploads)?;
        resolve::channel(&self.state(), channel)?;
        let now = seconds_now();
        let examined: Vec<_> = uploads.iter().map(|upload| self.examine(upload.clone(), now)).collect();
        let candidates: Vec<_> = stream::iter(examined).buffered(HEADERS_AT_ONCE).try_collect().await?;
        self.change(author, |state| {
            let listed = resolve::channel(state, channel)?.listed();
            let packages = admit(state, &candidates)?;
            let mut new: Vec<PackageRecord> = Vec::new();
            for package in &packages {
                if !listed.contains_key(&package.nevra) && !new.contains(package) {
                    new.push(package.clone());
                }
            }
            let action = Action::Published { channel: channel.clone(), packages: new.clone() };
            Ok(((!new.is_empty()).then_some(action), packages))
        })
        .await
    }

    /// Lists packages of one channel in another too, all of them in one commit.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channels are unchanged then.
    pub async fn promote(
        &self,
        queries: &[PackageQuery],
        from: &ChannelName,
        to: &ChannelName,
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        named(queries)?;
        self.change(author, |state| {
            let listed = resolve::channel(state, to)?.listed();
            let find =
                |query| resolve::listed_package(state, from, query).map(|package| PackageRecord::clone(&package));
            let packages: Vec<PackageRecord> = queries.iter().map(find).collect::<Result<_, _>>()?;
            let mut new: Vec<_> = packages.iter().map(|package| package.nevra.clone()).collect();
            new.retain(|nevra| !listed.contains_key(nevra));
            new.sort_unstable();
            new.dedup();
            let is_new = !new.is_empty();
            let action = Action::Promoted { from: from.clone(), to: to.clone(), packages: new };
            Ok((is_new.then_some(action), packages))
        })
        .await
    }

    /// Lists packages in a channel no longer, all of them in one commit. Their files keep their URLs.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn withdraw(
        &self,
        channel: &ChannelName,
        queries: &[PackageQuery],
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        named(queries)?;
        self.change(author, |state| {
            let listed = resolve::channel(state, channel)?.listed();
            let find = |query| resolve::package_to_withdraw(state, channel, query);
            let find = |query| find(query).map(|package| PackageRecord::clone(&package));
            let packages: Vec<PackageRecord> = queries.iter().map(find).collect::<Result<_, _>>()?;
            let mut gone: Vec<_> = packages.iter().map(|package| package.nevra.clone()).collect();
            gone.retain(|nevra| listed.contains_key(nevra));
            gone.sort_unstable();
            gone.dedup();
            let is_listed = !gone.is_empty();
            let action = Action::Withdrawn { channel: channel.clone(), packages: gone };
            Ok((is_listed.then_some(action), packages))
        })
        .await
    }

    /// Makes a commit of what `decide` finds to do in the newest state, as often as other writers come first.
    async fn change(
        &self,
        author: Author,
        decide: impl Fn(&RepositoryState) -> Result<(Option<Action>, Vec<PackageRecord>), RepositoryError>,
    ) -> Result<Outcome, RepositoryError> {
        let _one_at_a_time = self.writing.lock().await;
        for attempt in 0..ATTEMPTS {
            self.refresh().await?;
            let state = self.state();
            let (action, packages) = decide(&state)?;
            let Some(action) = action else { return Ok(Outcome { state, changed: false, packages }) };
            let shown = self.render(&state, &action).await?;
            match self.ledger.append(state.position(), author.clone(), Change { action, shown }).await {
                Ok(commit) => {
                    let state = self.adopt(&[commit])?;
                    return Ok(Outcome { state, changed: true, packages });
                }
                Err(AppendError::Lost { .. }) => pause(attempt).await,
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
        Err(RepositoryError::Busy { attempts: ATTEMPTS })
    }

    async fn examine(&self, upload: Upload, now: u64) -> Result<Candidate, RepositoryError> {
        let _permit = self.headers.acquire().await.map_err(|_| RepositoryError::Stopping)?;
        examine(self.store.clone(), upload, now).await
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

    /// Takes commits in that follow from the state. Two tasks may read the same ones: those that are known are left.
    fn adopt(&self, commits: &[Commit<Change>]) -> Result<Arc<RepositoryState>, RepositoryError> {
        let _one_at_a_time = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = RepositoryState::clone(&self.state());
        let known = state.position().number;
        for commit in commits.iter().filter(|commit| commit.number > known) {
            state.apply(commit)?;
        }
        let state = Arc::new(state);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&state);
        Ok(state)
    }

    fn check_key(&self) -> Result<(), RepositoryError> {
        let state = self.state();
        let views = state.channels().values().filter_map(|channel| channel.view());
        match views.map(|(_, view)| &view.blobs.key).find(|key| *key != self.key.fingerprint()) {
            None => Ok(()),
            Some(signed_by) => Err(RepositoryError::OtherKey {
                signed_by: signed_by.clone(),
                path: self.key.path().display().to_string(),
                found: self.key.fingerprint().to_owned(),
            }),
        }
    }

    /// Renders, signs and stores what each channel that an action changes will show.
    async fn render(
        &self,
        state: &RepositoryState,
        action: &Action,
    ) -> Result<BTreeMap<ChannelName, ChannelView>, RepositoryError> {
        let mut shown = BTreeMap::new();
        for name in action.channels() {
            let fragments = self.fragments(&state.listed_after(action, name)).await?;
            let documents = render_documents(fragments).await?;
            let before = state.channel(name).and_then(|channel| channel.view()).map_or(0, |(_, view)| view.blobs.time);
            let time = seconds_now().max(before + 1);
            let repomd = render_repomd(state.position().number + 1, time, &documents);
            let signature = self.key.sign(repomd.as_bytes())?;
            let [primary, filelists, other] = &documents;
            let view = ChannelView {
                time,
                key: self.key.fingerprint().to_owned(),
                repomd: self.put(repomd.into()).await?,
                signature: self.put(signature.into()).await?,
                primary: self.put(primary.bytes.clone()).await?,
                filelists: self.put(filelists.bytes.clone()).await?,
                other: self.put(other.bytes.clone()).await?,
            };
            shown.insert(name.clone(), view);
        }
        Ok(shown)
    }

    async fn put(&self, bytes: Bytes) -> Result<Digest, RepositoryError> {
        let digest = self.store.put_blob(bytes.clone()).await?;
        self.documents.keep(digest, bytes);
        Ok(digest)
    }

    async fn fragments(&self, packages: &[Arc<PackageRecord>]) -> Result<Vec<Fragments>, RepositoryError> {
        let digests: Vec<Digest> = packages.iter().map(|package| package.fragments).collect();
        stream::iter(digests.into_iter().map(|digest| self.fragments_of(digest)))
            .buffered(SIDE_BY_SIDE)
            .try_collect()
            .await
    }

    async fn fragments_of(&self, digest: Digest) -> Result<Fragments, RepositoryError> {
        let blob = self.fragments.get(&digest).await?;
        let blob = blob.ok_or(RepositoryError::Damaged { digest, what: "missing" })?;
        Fragments::decode(&blob).map_err(|_| RepositoryError::Damaged { digest, what: "not a package's fragments" })
    }
}

/// Renders the three documents side by side.
async fn render_documents(fragments: Vec<Fragments>) -> Result<[Document; 3], RepositoryError> {
    let of = |part: fn(&Fragments) -> &Bytes| fragments.iter().map(|each| part(each).clone()).collect::<Vec<Bytes>>();
    let (primary, filelists, other) = tokio::join!(
        render_document(MetadataKind::Primary, of(|each| &each.primary)),
        render_document(MetadataKind::Filelists, of(|each| &each.filelists)),
        render_document(MetadataKind::Other, of(|each| &each.other)),
    );
    Ok([primary?, filelists?, other?])
}

async fn render_document(kind: MetadataKind, fragments: Vec<Bytes>) -> Result<Document, RepositoryError> {
    tokio::task::spawn_blocking(move || Document::render(kind, &fragments))
        .await
        .map_err(|_| RepositoryError::Stopping)?
        .map_err(RepositoryError::Render)
}

fn named<T>(packages: &[T]) -> Result<(), RepositoryError> {
    if packages.is_empty() { Err(RepositoryError::NothingNamed) } else { Ok(()) }
}

fn seconds_now() -> u64 {
    Utc::now().timestamp().unsigned_abs()
}

/// Waits longer after each lost race, and not as long as the others.
async fn pause(attempt: u32) {
    let longest = 10 << attempt.min(6);
    let millis = rand::thread_rng().gen_range(0..longest);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
