//! Collections: which blobs are being deleted, and what the repository no longer shows for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ledger::Digest;
use nevra::Nevra;
use repo_api::ChannelName;
use serde::{Deserialize, Serialize};

use super::fold::Place;
use super::repository_state::{MetadataRecord, RepositoryState};
use super::sorted_map::SortedMap;

/// What a collection takes away. From the commit that says so to the one that ends it, nobody makes a commit that would
/// name any blob, so that none is deleted that is wanted again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Collection {
    /// The blobs that are deleted.
    pub blobs: BTreeSet<Digest>,
    /// The packages whose files are among them. Their NEVRAs stay taken.
    pub packages: Vec<Nevra>,
    /// The commits as of which channels are no longer shown.
    pub views: BTreeMap<ChannelName, Vec<u64>>,
}

/// The collections so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Collections {
    /// The commit that began the last one; 0 for none.
    pub(crate) last: u64,
    /// The one that has not ended.
    pub(crate) running: Option<Running>,
}

/// A collection that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) since: DateTime<Utc>,
    pub(crate) blobs: BTreeSet<Digest>,
}

impl RepositoryState {
    /// The commit that began the last collection; 0 for none.
    #[must_use]
    pub fn last_collection(&self) -> u64 {
        self.collections.last
    }

    /// The collection that has not ended.
    pub(crate) fn running_collection(&self) -> Option<&Running> {
        self.collections.running.as_ref()
    }

    pub(super) fn begin_collection(&mut self, collection: &Collection, place: &Place) {
        let Collection { blobs, packages, views } = collection;
        let running = (!blobs.is_empty()).then(|| Running { since: place.at, blobs: blobs.clone() });
        self.collections = Collections { last: place.commit, running };
        for channel in self.channels.values_mut() {
            let channel = Arc::make_mut(channel);
            for nevra in packages.iter().filter(|nevra| !channel.listed.contains_key(*nevra)) {
                if let Some(package) = self.packages.get(nevra) {
                    channel.files.remove(package.file_name().as_str());
                }
            }
        }
        for (name, commits) in views {
            let Some(channel) = self.channels.get_mut(name).map(Arc::make_mut) else { continue };
            for commit in commits {
                channel.views.remove(commit);
            }
        }
        if !views.is_empty() {
            self.name_documents();
        }
    }

    pub(super) fn end_collection(&mut self) {
        self.collections.running = None;
    }

    /// Finds all documents that views name; the first view of each counts.
    pub(super) fn name_documents(&mut self) {
        let views = self.channels.values().flat_map(|channel| channel.views().values());
        let mut views: Vec<_> = views.map(|view| (view.commit, Arc::clone(&view.blobs))).collect();
        // Stable: views of one commit stay in the order of their channels.
        views.sort_by_key(|(commit, _)| *commit);
        self.metadata = SortedMap::default();
        for (_, view) in &views {
            self.name_documents_of(view);
        }
    }

    pub(super) fn name_documents_of(&mut self, view: &Arc<super::change::ChannelView>) {
        for record in MetadataRecord::of(view) {
            if !self.metadata.contains_key(&record.document().digest) {
                self.metadata.insert(record);
            }
        }
    }
}
