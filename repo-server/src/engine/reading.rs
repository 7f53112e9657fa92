//! Reading for people: the story of a commit, what a package's head says, small files out of its payload.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use ledger::Digest;
use release_notes::{EmbeddedNotes, ReleaseNotes};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::remembered::Remembered;
use super::repository::Repository;
use crate::error::RepositoryError;
use crate::payload;
use crate::repodata::Fragments;
use crate::signing::PackageHead;
use crate::state::{Action, Entry, PackageRecord};

/// How many commits are given at a time, and from how many bytes on no more are added.
const COMMITS: u64 = 1000;
const COMMIT_BYTES: usize = 4 << 20;
/// What heads of packages take in memory, bytes, about.
const HEADS_KEPT: usize = 48 << 20;
/// How many packages the remembered commits name, and how many commits there are, together.
const STORIES_KEPT: usize = 100_000;
/// What release notes take in memory, bytes, about; to know that there are none costs as much as a line of them.
const NOTES_KEPT: usize = 16 << 20;
const NO_NOTES: usize = 256;
/// What a head takes beside its bytes as they are parsed, as a multiple of them, about.
const PARSED: usize = 4;

/// What was done in one commit.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) commit: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) entries: Vec<Entry>,
}

/// What has been read for people.
#[derive(Debug)]
pub(super) struct Readings {
    heads: Remembered<Digest, PackageHead>,
    stories: Remembered<u64, Story>,
    notes: Remembered<Digest, Option<ReleaseNotes>>,
}

impl Default for Readings {
    fn default() -> Self {
        Self {
            heads: Remembered::new(HEADS_KEPT),
            stories: Remembered::new(STORIES_KEPT),
            notes: Remembered::new(NOTES_KEPT),
        }
    }
}

impl Repository {
    /// Reads what was done in a commit; `None` where there is none of that number.
    pub(crate) async fn story(&self, commit: u64) -> Result<Option<Arc<Story>>, RepositoryError> {
        if let Some(story) = self.readings.stories.get(&commit) {
            return Ok(Some(story));
        }
        let Some(read) = self.ledger.read(commit).await? else { return Ok(None) };
        let story = Story { commit, at: read.at, entries: read.payload.entries };
        let weight = 1 + story.entries.iter().map(|entry| packages(&entry.action)).sum::<usize>();
        Ok(Some(self.readings.stories.keep(commit, story, weight)))
    }

    /// Reads commits after a number as they were written, one to a line; some of them, and none only at the end.
    pub(crate) async fn written_commits(&self, after: u64) -> Result<Bytes, RepositoryError> {
        let last = self.state().position().number.min(after.saturating_add(COMMITS));
        Ok(self.ledger.lines(after.saturating_add(1)..=last, COMMIT_BYTES).await?)
    }

    /// Reads a commit as it was written; `None` where there is none of that number.
    pub(crate) async fn written_commit(&self, number: u64) -> Result<Option<Bytes>, RepositoryError> {
        Ok(self.ledger.stored(number).await?)
    }

    /// Reads what comes before a package's payload; `None` where its file has been collected.
    pub(crate) async fn head(&self, package: &PackageRecord) -> Result<Option<Arc<PackageHead>>, RepositoryError> {
        if let Some(head) = self.readings.heads.get(&package.sha256) {
            return Ok(Some(head));
        }
        let _permit = self.headers.acquire().await.map_err(|_| RepositoryError::Stopping)?;
        let Some(blob) = self.store.open_blob(&package.sha256, None).await? else { return Ok(None) };
        let mut reader = SyncIoBridge::new(StreamReader::new(blob.into_stream().map_err(io::Error::other)));
        let read = tokio::task::spawn_blocking(move || PackageHead::read(&mut reader)).await;
        let damaged = RepositoryError::Damaged { digest: package.sha256, what: "no package that can be read" };
        let head = read.map_err(|_| RepositoryError::Stopping)?.map_err(|_| damaged)?;
        let weight = head.size() * PARSED;
        Ok(Some(self.readings.heads.keep(package.sha256, head, weight)))
    }

    /// Reads small files out of a package's payload, by their paths; those that are not found within the limits of
    /// [`payload`] are left out.
    pub(crate) async fn packaged_files(
        &self,
        package: &PackageRecord,
        head: &Arc<PackageHead>,
        paths: Vec<String>,
    ) -> Result<BTreeMap<String, Vec<u8>>, RepositoryError> {
        if paths.is_empty() {
            return Ok(BTreeMap::new());
        }
        let _permit = self.headers.acquire().await.map_err(|_| RepositoryError::Stopping)?;
        let range = head.parsed.header_end..package.size;
        let Some(blob) = self.store.open_blob(&package.sha256, Some(range)).await? else { return Ok(BTreeMap::new()) };
        let reader = SyncIoBridge::new(StreamReader::new(blob.into_stream().map_err(io::Error::other)));
        let head = Arc::clone(head);
        let read = tokio::task::spawn_blocking(move || payload::small_files(reader, &head.parsed, &paths));
        // A payload that can't be read shows nothing.
        Ok(read.await.map_err(|_| RepositoryError::Stopping)?.unwrap_or_default())
    }

    /// Reads the release notes that a package carries; `None` where it carries none that can be read.
    pub(crate) async fn release_notes(
        &self,
        package: &PackageRecord,
        head: &Arc<PackageHead>,
    ) -> Result<Arc<Option<ReleaseNotes>>, RepositoryError> {
        if let Some(notes) = self.readings.notes.get(&package.sha256) {
            return Ok(notes);
        }
        let path = EmbeddedNotes::path(&package.nevra.name);
        let is_there = head.parsed.files.iter().any(|file| file.path == path);
        let paths = if is_there { vec![path.clone()] } else { Vec::new() };
        let bytes = self.packaged_files(package, head, paths).await?.remove(&path).unwrap_or_default();
        let notes = ReleaseNotes::from_json(&String::from_utf8_lossy(&bytes)).ok();
        let weight = NO_NOTES + bytes.len() * PARSED;
        Ok(self.readings.notes.keep(package.sha256, notes, weight))
    }

    /// Reads the repodata fragments of a package, which are never collected.
    pub(crate) async fn searchable_fragments(&self, package: &PackageRecord) -> Result<Fragments, RepositoryError> {
        let damaged = |what| RepositoryError::Damaged { digest: package.fragments, what };
        let blob = self.store.blob(&package.fragments).await?.ok_or_else(|| damaged("missing"))?;
        Fragments::decode(&blob).map_err(|_| damaged("no repodata fragments"))
    }
}

fn packages(action: &Action) -> usize {
    match action {
        Action::Published { packages, .. } => packages.len() * 3,
        Action::Promoted { packages, .. }
        | Action::Withdrawn { packages, .. }
        | Action::Retained { packages, .. }
        | Action::Held { packages, .. } => packages.len(),
        _ => 0,
    }
}
