//! The repository as of one commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Digest, Position};
use nevra::Nevra;
use repo_api::ChannelName;

use super::change::{ChannelView, PackageRecord};
use super::channel::Channel;
use super::collection::Collections;
use super::holds::Holds;
use super::package_file::PackageFile;
use super::sorted_map::{Keyed, SortedMap};
use crate::repodata::DocumentRecord;

/// Everything that the repository knows as of one commit. Cloning it costs next to nothing, and the next one shares all
/// with it that did not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryState {
    pub(super) position: Position,
    pub(super) channels: BTreeMap<ChannelName, Arc<Channel>>,
    pub(super) packages: SortedMap<Arc<PackageRecord>>,
    pub(super) file_names: SortedMap<PackageFile>,
    pub(super) metadata: SortedMap<MetadataRecord>,
    pub(super) holds: Holds,
    pub(super) collections: Collections,
}

/// A metadata document that a view names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataRecord {
    view: Arc<ChannelView>,
    index: usize,
}

impl Default for RepositoryState {
    fn default() -> Self {
        Self {
            position: Position::start(),
            channels: BTreeMap::new(),
            packages: SortedMap::default(),
            file_names: SortedMap::default(),
            metadata: SortedMap::default(),
            holds: Holds::default(),
            collections: Collections::default(),
        }
    }
}

impl RepositoryState {
    /// The last commit that is part of this state.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The channels by name.
    #[must_use]
    pub fn channels(&self) -> &BTreeMap<ChannelName, Arc<Channel>> {
        &self.channels
    }

    /// One channel.
    #[must_use]
    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.channels.get(name).map(Arc::as_ref)
    }

    /// All packages that were ever published.
    #[must_use]
    pub fn packages(&self) -> &SortedMap<Arc<PackageRecord>> {
        &self.packages
    }

    /// A package, listed anywhere or not.
    #[must_use]
    pub fn package(&self, nevra: &Nevra) -> Option<&Arc<PackageRecord>> {
        self.packages.get(nevra)
    }

    /// The package that has a file name.
    #[must_use]
    pub fn owner_of_file_name(&self, file_name: &str) -> Option<&Nevra> {
        self.file_names.get(file_name).map(|file| &file.package.nevra)
    }

    /// A metadata document that any channel shows or ever showed, as the first view said of it.
    #[must_use]
    pub fn metadata(&self, digest: &Digest) -> Option<&DocumentRecord> {
        self.metadata.get(digest).map(MetadataRecord::document)
    }
}

impl MetadataRecord {
    /// All that a view names.
    pub(super) fn of(view: &Arc<ChannelView>) -> impl Iterator<Item = Self> {
        (0..view.documents.len()).map(|index| Self { view: Arc::clone(view), index })
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &DocumentRecord {
        &self.view.documents[self.index]
    }
}

impl Keyed for MetadataRecord {
    type Key = Digest;

    fn key(&self) -> &Digest {
        &self.document().digest
    }
}
