//! Collecting: deleting the blobs that nothing needs any longer.
//!
//! A commit says which blobs are going to be deleted, and another that they are. Between the two, no commit is made that
//! names blobs, so none is deleted that a publisher found in the store and counts on: what it committed before counts as
//! needed, and what it commits after looks at the store again.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{AppendError, Author, Digest, StoredBlob};
use nevra::Nevra;

use super::marks::{Keep, Marks, deployed, forgotten_views};
use super::repository::{Repository, server_author};
use crate::error::RepositoryError;
use crate::state::{Action, Change, Collection, Entry, RepositoryState};

/// How many blobs are deleted at a time: nobody publishes meanwhile.
const BATCH: usize = 500;
const SIDE_BY_SIDE: usize = 16;
/// After how long a collection that has not ended is taken for interrupted, and ended by another process.
const INTERRUPTED: TimeDelta = TimeDelta::seconds(90);
/// After how long a process leaves a collection of its own to others.
const GIVEN_UP: TimeDelta = TimeDelta::seconds(30);

/// Whether a collection deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionRun {
    /// It only says what it would delete.
    Dry,
    /// It deletes.
    Delete,
}

/// What a collection deleted, or would.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CollectionReport {
    /// How many blobs.
    pub blobs: usize,
    /// How much they take, bytes.
    pub bytes: u64,
    /// The packages whose files were among them.
    pub packages: Vec<Nevra>,
    /// How many earlier states of channels are no longer shown.
    pub views: usize,
}

impl Repository {
    /// Deletes blobs that nothing needs and nothing wrote or showed for as long as `grace`: files of packages that no
    /// channel lists and nothing holds, and metadata that was replaced.
    ///
    /// # Errors
    /// [`RepositoryError`]; what was begun is ended by the next collection, or by a server after a minute and a half.
    pub async fn collect(
        &self,
        grace: TimeDelta,
        run: CollectionRun,
        author: Author,
    ) -> Result<CollectionReport, RepositoryError> {
        self.refresh().await?;
        if run == CollectionRun::Delete {
            self.end_interrupted(TimeDelta::zero()).await?;
        }
        let since = Utc::now() - grace;
        let keep = Keep { since, deployed: deployed(&self.store).await? };
        let old = self.store.blobs().try_filter(|blob| std::future::ready(blob.modified <= since));
        let mut old: Vec<StoredBlob> = old.try_collect().await?;
        let mut report = CollectionReport::default();
        let mut marks = Marks::default();
        if run == CollectionRun::Dry {
            let state = self.state();
            self.mark(&mut marks, &state, &keep).await?;
            old.retain(|blob| !marks.has(&blob.digest));
            report.add(&collection(&state, &old, &keep), &old);
            return Ok(report);
        }
        loop {
            let batch = self.begin_batch(&mut old, &mut marks, &keep, &author).await?;
            let Some((collection, blobs)) = batch else { return Ok(report) };
            self.delete(collection.blobs.iter().copied().collect(), since).await?;
            self.append(author.clone(), Action::CollectionEnded).await?;
            report.add(&collection, &blobs);
        }
    }

    /// Ends a collection that was interrupted: one that has been running for longer than given.
    pub(super) async fn end_interrupted(&self, longer_than: TimeDelta) -> Result<(), RepositoryError> {
        let state = self.state();
        let Some(running) = state.running_collection() else { return Ok(()) };
        if Utc::now() - running.since < longer_than {
            return Ok(());
        }
        // What was written since the collection began is somebody's who tries to publish it.
        self.delete(running.blobs.iter().copied().collect(), running.since).await?;
        self.append(server_author(), Action::CollectionEnded).await
    }

    /// Whether a collection is going on, so that commits have to wait; one that was interrupted is ended.
    pub(super) async fn is_collecting(&self) -> Result<bool, RepositoryError> {
        if self.state().running_collection().is_some() {
            self.end_interrupted(INTERRUPTED).await?;
        }
        Ok(self.state().running_collection().is_some())
    }

    async fn mark(&self, marks: &mut Marks, state: &RepositoryState, keep: &Keep) -> Result<(), RepositoryError> {
        if let Some(checkpoint) = self.ledger.checkpoint().await? {
            marks.add(checkpoint.state);
        }
        marks.mark(&self.store, state, keep).await
    }

    /// Commits to deleting the next blobs that the newest state does not need; `None` where there are none.
    async fn begin_batch(
        &self,
        old: &mut Vec<StoredBlob>,
        marks: &mut Marks,
        keep: &Keep,
        author: &Author,
    ) -> Result<Option<(Collection, Vec<StoredBlob>)>, RepositoryError> {
        let _one_at_a_time = self.queue.alone().await;
        loop {
            self.refresh().await?;
            let state = self.state();
            self.mark(marks, &state, keep).await?;
            old.retain(|blob| !marks.has(&blob.digest));
            let batch: Vec<StoredBlob> = old.iter().take(BATCH).copied().collect();
            if batch.is_empty() {
                return Ok(None);
            }
            let collection = collection(&state, &batch, keep);
            let entry = Entry { author: author.clone(), action: Action::CollectionBegun(collection.clone()) };
            let change = Change { entries: vec![entry], shown: std::collections::BTreeMap::new() };
            match self.ledger.append(state.position(), author.clone(), change).await {
                Ok(commit) => {
                    self.adopt(&[commit])?;
                    old.drain(..batch.len());
                    return Ok(Some((collection, batch)));
                }
                Err(AppendError::Lost { .. }) => {}
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
    }

    /// Deletes blobs that were not written since.
    async fn delete(&self, blobs: Vec<Digest>, since: DateTime<Utc>) -> Result<(), RepositoryError> {
        let until = Utc::now() + GIVEN_UP;
        let deleted = stream::iter(blobs).map(|digest| async move {
            if Utc::now() > until {
                return Err(RepositoryError::Busy { attempts: 1 });
            }
            if self.store.blob_modified(&digest).await?.is_some_and(|modified| modified <= since) {
                self.store.delete_blob(&digest).await?;
            }
            Ok(())
        });
        deleted.buffer_unordered(SIDE_BY_SIDE).try_collect().await
    }

    /// Makes a commit that changes nothing that is shown.
    async fn append(&self, author: Author, action: Action) -> Result<(), RepositoryError> {
        loop {
            self.refresh().await?;
            let state = self.state();
            if action == Action::CollectionEnded && state.running_collection().is_none() {
                return Ok(());
            }
            let entries = vec![Entry { author: author.clone(), action: action.clone() }];
            let change = Change { entries, shown: std::collections::BTreeMap::new() };
            match self.ledger.append(state.position(), author.clone(), change).await {
                Ok(commit) => return self.adopt(&[commit]).map(drop),
                Err(AppendError::Lost { .. }) => {}
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
    }
}

/// What the repository no longer shows when blobs go.
fn collection(state: &RepositoryState, blobs: &[StoredBlob], keep: &Keep) -> Collection {
    let blobs: std::collections::BTreeSet<Digest> = blobs.iter().map(|blob| blob.digest).collect();
    let gone = state.packages().values().filter(|package| blobs.contains(&package.sha256));
    let packages = gone.map(|package| package.nevra.clone()).collect();
    Collection { packages, views: forgotten_views(state, keep), blobs }
}

impl CollectionReport {
    fn add(&mut self, collection: &Collection, blobs: &[StoredBlob]) {
        // A composite blob and what names its parts may both be there.
        let distinct: HashSet<Digest> = blobs.iter().map(|blob| blob.digest).collect();
        self.blobs += distinct.len();
        self.bytes += blobs.iter().map(|blob| blob.size).sum::<u64>();
        self.packages.extend(collection.packages.iter().cloned());
        self.views += collection.views.values().map(Vec::len).sum::<usize>();
    }
}
