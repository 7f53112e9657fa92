//! One channel of a repository: what it lists, what it ever listed, and what it showed when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ledger::Commit;
use nevra::{Nevra, PackageQuery};

use crate::change::{Change, ChannelView, PackageRecord};

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channel {
    pub(crate) listed: BTreeMap<Nevra, Listing>,
    /// Every package that was ever listed, by file name: a client may still hold metadata that names it.
    files: HashMap<String, Arc<PackageRecord>>,
    /// What it showed from each commit that changed it on.
    pub(crate) views: BTreeMap<u64, View>,
}

/// A package's place in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The package.
    pub package: Arc<PackageRecord>,
    /// The commit that put it there.
    pub commit: u64,
    /// When that commit was made.
    pub at: DateTime<Utc>,
    /// Who made that commit.
    pub who: String,
}

/// What a channel shows since a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// When the commit was made.
    pub at: DateTime<Utc>,
    /// The blobs.
    pub blobs: Arc<ChannelView>,
}

impl Channel {
    /// The packages that it lists, in the order of their names and versions.
    #[must_use]
    pub fn listed(&self) -> &BTreeMap<Nevra, Listing> {
        &self.listed
    }

    /// The package of a file name, listed now or earlier.
    #[must_use]
    pub fn file(&self, file_name: &str) -> Option<&Arc<PackageRecord>> {
        self.files.get(file_name)
    }

    /// What it shows now, with the commit since which it does.
    #[must_use]
    pub fn view(&self) -> Option<(u64, &View)> {
        self.views.last_key_value().map(|(commit, view)| (*commit, view))
    }

    /// What it showed as of a commit.
    #[must_use]
    pub fn view_at(&self, commit: u64) -> Option<&View> {
        self.views.range(..=commit).next_back().map(|(_, view)| view)
    }

    /// The packages listed now that a query names.
    #[must_use]
    pub fn matching(&self, query: &PackageQuery) -> Vec<&Arc<PackageRecord>> {
        self.listed.values().map(|listing| &listing.package).filter(|package| query.matches(&package.nevra)).collect()
    }

    /// The packages listed now or earlier that a query names.
    #[must_use]
    pub fn ever_matching(&self, query: &PackageQuery) -> Vec<&Arc<PackageRecord>> {
        self.files.values().filter(|package| query.matches(&package.nevra)).collect()
    }

    /// Lists a package from a commit on; one that is listed already keeps its place.
    pub(crate) fn list(&mut self, package: Arc<PackageRecord>, commit: &Commit<Change>) {
        self.files.insert(package.file_name(), Arc::clone(&package));
        let who = commit.author.who.clone();
        let listing = Listing { package: Arc::clone(&package), commit: commit.number, at: commit.at, who };
        self.listed.entry(package.nevra.clone()).or_insert(listing);
    }
}
