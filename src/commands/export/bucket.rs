//! A channel in a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Bucket, BucketError};
use repo_api::{Client, ListedPackage};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{Arrival, Metadata, fetch};
use crate::exit::Failure;
use crate::render::Printer;

/// How many packages are on their way at a time.
const SIDE_BY_SIDE: usize = 8;
/// The file that remembers what is there.
const NOTES: &str = "pkg-export.json";
/// What has one name for ever, and other bytes each time.
const FIXED: [&str; 3] = ["repomd.xml", "repomd.xml.asc", "repomd.xml.key"];

/// What exports remember in the bucket itself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    /// The sha256 of each package's file: a bucket does not tell it.
    packages: BTreeMap<String, String>,
    /// Metadata that is no longer named, and since when: seconds since 1970.
    retired: BTreeMap<String, u64>,
}

pub(super) struct Export<'a> {
    bucket: Bucket,
    client: &'a Client,
    notes: Notes,
    /// The sizes of what is in `Packages`, by path.
    there: BTreeMap<String, u64>,
    /// Where packages rest on their way.
    passage: TempDir,
}

impl<'a> Export<'a> {
    pub(super) async fn begin(bucket: Bucket, client: &'a Client) -> Result<Self, Failure> {
        let notes = bucket.read(NOTES).await.map_err(Failure::failed)?;
        // Without notes that can be read, everything is brought again.
        let notes = notes.and_then(|notes| serde_json::from_slice(&notes).ok()).unwrap_or_default();
        let there = bucket.list("Packages").await.map_err(Failure::failed)?;
        let passage = tempfile::tempdir().context("no place for packages on their way").map_err(Failure::failed)?;
        Ok(Self { bucket, client, notes, there, passage })
    }

    pub(super) async fn bring(
        &mut self,
        packages: &[ListedPackage],
        printer: &Printer,
    ) -> Result<Vec<Arrival>, Failure> {
        let this = &*self;
        let each = packages.iter().map(|package| async move {
            let arrival = this.bring_one(package).await?;
            if arrival != Arrival::There {
                printer.detail(&package.nevra.to_string());
            }
            Ok(arrival)
        });
        let arrivals: Vec<Arrival> = stream::iter(each).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        let known = packages.iter().map(|package| (package.file_name(), package.sha256.to_string()));
        self.notes.packages.extend(known);
        Ok(arrivals)
    }

    async fn bring_one(&self, package: &ListedPackage) -> Result<Arrival, Failure> {
        let name = package.file_name();
        let path = format!("Packages/{name}");
        let is_known = self.notes.packages.get(&name).is_some_and(|known| *known == package.sha256.to_string());
        if is_known && self.there.get(&path) == Some(&package.size) {
            return Ok(Arrival::There);
        }
        let resting = self.passage.path().join(package.sha256.to_string());
        fetch(self.client, package, &resting).await?;
        let file = fs_err::File::open(&resting).map_err(Failure::failed)?;
        self.bucket.write_from(&path, content_type(&name), file).await.map_err(Failure::failed)?;
        fs_err::remove_file(&resting).map_err(Failure::failed)?;
        Ok(Arrival::Fetched)
    }

    /// Writes the metadata, what it is found by last, and removes what has been named no longer for so long.
    pub(super) async fn show(&mut self, files: &Metadata, keep_for: Duration) -> Result<(), Failure> {
        let there = self.bucket.list("repodata").await.map_err(Failure::failed)?;
        let (fixed, named): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| FIXED.contains(&name.as_str()));
        for (name, bytes) in named {
            if there.get(&in_repodata(name)) != Some(&(bytes.len() as u64)) {
                self.write(name, bytes).await.map_err(Failure::failed)?;
            }
        }
        // A bucket can't replace three files in one step: side by side, the moment in between is the shortest.
        let fixed = fixed.into_iter().map(|(name, bytes)| self.write(name, bytes));
        futures::future::try_join_all(fixed).await.map_err(Failure::failed)?;
        self.retire(files, there.keys(), keep_for).await.map_err(Failure::failed)
    }

    async fn write(&self, name: &str, bytes: &[u8]) -> Result<(), BucketError> {
        self.bucket.write(&in_repodata(name), content_type(name), bytes.to_vec()).await
    }

    async fn retire(
        &mut self,
        files: &Metadata,
        there: impl Iterator<Item = &String>,
        keep_for: Duration,
    ) -> Result<(), BucketError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let named: BTreeSet<String> = files.iter().map(|(name, _)| in_repodata(name)).collect();
        let before = std::mem::take(&mut self.notes.retired);
        for path in there.filter(|path| !named.contains(*path)) {
            let since = before.get(path).copied().unwrap_or(now);
            if now.saturating_sub(since) > keep_for.as_secs() {
                self.bucket.remove(path).await?;
            } else {
                self.notes.retired.insert(path.clone(), since);
            }
        }
        self.take_notes().await
    }

    /// Removes the packages that are not listed.
    pub(super) async fn prune(&mut self, packages: &[ListedPackage]) -> Result<usize, Failure> {
        let names: BTreeSet<String> = packages.iter().map(ListedPackage::file_name).collect();
        let listed = |path: &str| path.strip_prefix("Packages/").is_some_and(|name| names.contains(name));
        let gone: Vec<&String> = self.there.keys().filter(|path| path.ends_with(".rpm") && !listed(path)).collect();
        for path in &gone {
            self.bucket.remove(path).await.map_err(Failure::failed)?;
        }
        self.notes.packages.retain(|name, _| names.contains(name));
        let removed = gone.len();
        self.take_notes().await.map_err(Failure::failed)?;
        Ok(removed)
    }

    async fn take_notes(&self) -> Result<(), BucketError> {
        let text = serde_json::to_vec(&self.notes).map_err(|error| BucketError::File(error.into()))?;
        self.bucket.write(NOTES, content_type(NOTES), text).await
    }
}

fn in_repodata(name: &str) -> String {
    format!("repodata/{name}")
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("rpm") => "application/x-rpm",
        Some("xml") => "application/xml",
        Some("gz") => "application/gzip",
        Some("zst") => "application/zstd",
        Some("json") => "application/json",
        Some("yaml") => "application/yaml",
        Some("asc") => "application/pgp-signature",
        Some("key") => "application/pgp-keys",
        _ => "application/octet-stream",
    }
}
