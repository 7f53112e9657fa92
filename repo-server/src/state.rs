//! The repository as of one commit: a pure fold over the ledger's commits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ledger::{Commit, Digest, Position};
use nevra::{Nevra, PackageQuery};
use repo_api::ChannelName;

use crate::change::{Action, Change, ChannelView, PackageRecord};
use crate::repodata::MetadataKind;

/// Everything that the repository knows as of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryState {
    position: Position,
    channels: BTreeMap<ChannelName, Channel>,
    packages: HashMap<Nevra, Arc<PackageRecord>>,
    file_names: HashMap<String, Nevra>,
    metadata: HashMap<Digest, MetadataRecord>,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channel {
    listed: BTreeMap<Nevra, Listing>,
    /// Every package that was ever listed, by file name: a client may still hold metadata that names it.
    files: HashMap<String, Arc<PackageRecord>>,
    /// What it showed from each commit that changed it on.
    views: BTreeMap<u64, View>,
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

/// What is known of a metadata document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataRecord {
    /// Its kind.
    pub kind: MetadataKind,
    /// The time of the first view that names it, seconds since 1970.
    pub time: u64,
}

/// Says why a commit does not follow from the state before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The commit names a channel that does not exist.
    #[error("commit {commit} of the repository's ledger names channel `{channel}`, which no commit before it created")]
    Channel {
        /// The commit.
        commit: u64,
        /// The channel.
        channel: ChannelName,
    },
    /// The commit names a package that does not exist.
    #[error("commit {commit} of the repository's ledger names package `{nevra}`, which no commit before it published")]
    Package {
        /// The commit.
        commit: u64,
        /// The package.
        nevra: Nevra,
    },
    /// The commit gives a package other bytes than it had.
    #[error("commit {commit} of the repository's ledger gives package `{nevra}` other bytes than it had")]
    Bytes {
        /// The commit.
        commit: u64,
        /// The package.
        nevra: Nevra,
    },
    /// The commit changes a channel without saying what it shows now.
    #[error("commit {commit} of the repository's ledger does not say what channel `{channel}` shows")]
    View {
        /// The commit.
        commit: u64,
        /// The channel.
        channel: ChannelName,
    },
}

impl Default for RepositoryState {
    fn default() -> Self {
        Self {
            position: Position::start(),
            channels: BTreeMap::new(),
            packages: HashMap::new(),
            file_names: HashMap::new(),
            metadata: HashMap::new(),
        }
    }
}

impl RepositoryState {
    /// Takes the next commit in.
    ///
    /// # Errors
    /// [`FoldError`] for a commit that contradicts the state; the state is of no use then.
    pub fn apply(&mut self, commit: &Commit<Change>) -> Result<(), FoldError> {
        let Change { action, shown } = &commit.payload;
        match action {
            Action::ChannelsCreated { channels } => {
                for channel in channels {
                    self.channels.entry(channel.clone()).or_default();
                }
            }
            Action::Published { channel, packages } => {
                for record in packages {
                    let record = self.know(record, commit.number)?;
                    self.channel_mut(channel, commit.number)?.list(record, commit);
                }
            }
            Action::Promoted { to, packages, .. } => {
                for nevra in packages {
                    let record = self.known(nevra, commit.number)?;
                    self.channel_mut(to, commit.number)?.list(record, commit);
                }
            }
            Action::Withdrawn { channel, packages } => {
                for nevra in packages {
                    self.known(nevra, commit.number)?;
                    self.channel_mut(channel, commit.number)?.listed.remove(nevra);
                }
            }
        }
        for channel in action.channels() {
            let missing = || FoldError::View { commit: commit.number, channel: channel.clone() };
            self.show(channel, shown.get(channel).ok_or_else(missing)?, commit)?;
        }
        self.position = commit.position();
        Ok(())
    }

    /// The last commit that is part of this state.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The channels by name.
    #[must_use]
    pub fn channels(&self) -> &BTreeMap<ChannelName, Channel> {
        &self.channels
    }

    /// One channel.
    #[must_use]
    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.channels.get(name)
    }

    /// A package, listed anywhere or not.
    #[must_use]
    pub fn package(&self, nevra: &Nevra) -> Option<&Arc<PackageRecord>> {
        self.packages.get(nevra)
    }

    /// The package that has a file name.
    #[must_use]
    pub fn owner_of_file_name(&self, file_name: &str) -> Option<&Nevra> {
        self.file_names.get(file_name)
    }

    /// A metadata document that any channel shows or ever showed.
    #[must_use]
    pub fn metadata(&self, digest: &Digest) -> Option<&MetadataRecord> {
        self.metadata.get(digest)
    }

    /// The packages that a channel would list after an action, in the order of their names and versions.
    #[must_use]
    pub fn listed_after(&self, action: &Action, channel: &ChannelName) -> Vec<Arc<PackageRecord>> {
        let before = self.channels.get(channel).map(|channel| &channel.listed);
        let mut listed: BTreeMap<Nevra, Arc<PackageRecord>> = before
            .into_iter()
            .flatten()
            .map(|(nevra, listing)| (nevra.clone(), Arc::clone(&listing.package)))
            .collect();
        match action {
            Action::ChannelsCreated { .. } => {}
            Action::Published { packages, .. } => {
                for record in packages {
                    listed.insert(record.nevra.clone(), Arc::new(record.clone()));
                }
            }
            Action::Promoted { packages, .. } => {
                for nevra in packages {
                    if let Some(record) = self.packages.get(nevra) {
                        listed.insert(nevra.clone(), Arc::clone(record));
                    }
                }
            }
            Action::Withdrawn { packages, .. } => {
                for nevra in packages {
                    listed.remove(nevra);
                }
            }
        }
        listed.into_values().collect()
    }

    fn know(&mut self, record: &PackageRecord, commit: u64) -> Result<Arc<PackageRecord>, FoldError> {
        if let Some(known) = self.packages.get(&record.nevra) {
            if known.sha256 != record.sha256 {
                return Err(FoldError::Bytes { commit, nevra: record.nevra.clone() });
            }
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(record.clone());
        self.packages.insert(record.nevra.clone(), Arc::clone(&known));
        self.file_names.insert(record.file_name(), record.nevra.clone());
        Ok(known)
    }

    fn known(&self, nevra: &Nevra, commit: u64) -> Result<Arc<PackageRecord>, FoldError> {
        let missing = || FoldError::Package { commit, nevra: nevra.clone() };
        self.packages.get(nevra).cloned().ok_or_else(missing)
    }

    fn channel_mut(&mut self, name: &ChannelName, commit: u64) -> Result<&mut Channel, FoldError> {
        self.channels.get_mut(name).ok_or_else(|| FoldError::Channel { commit, channel: name.clone() })
    }

    fn show(&mut self, name: &ChannelName, view: &ChannelView, commit: &Commit<Change>) -> Result<(), FoldError> {
        for (kind, digest) in view.documents() {
            self.metadata.entry(digest).or_insert(MetadataRecord { kind, time: view.time });
        }
        let view = View { at: commit.at, blobs: Arc::new(view.clone()) };
        self.channel_mut(name, commit.number)?.views.insert(commit.number, view);
        Ok(())
    }
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

    fn list(&mut self, package: Arc<PackageRecord>, commit: &Commit<Change>) {
        self.files.insert(package.file_name(), Arc::clone(&package));
        let who = commit.author.who.clone();
        let listing = Listing { package: Arc::clone(&package), commit: commit.number, at: commit.at, who };
        self.listed.entry(package.nevra.clone()).or_insert(listing);
    }
}

impl ChannelView {
    /// The metadata documents that it names.
    #[must_use]
    pub fn documents(&self) -> [(MetadataKind, Digest); 3] {
        [
            (MetadataKind::Primary, self.primary),
            (MetadataKind::Filelists, self.filelists),
            (MetadataKind::Other, self.other),
        ]
    }
}
