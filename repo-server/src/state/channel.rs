//! One channel of a repository: what it lists, what it ever listed, and what it showed when.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use nevra::{Nevra, PackageQuery};
use repo_api::ChannelSettings;

use super::attachments::Attachments;
use super::change::{ChannelView, PackageRecord};
use super::fold::Place;
use super::package_file::PackageFile;
use super::pages::Page;
use super::presence::{Presence, Span};
use super::sorted_map::{Keyed, SortedMap};

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channel {
    pub(super) listed: SortedMap<Listing>,
    /// Every package that was ever listed: a client may still hold metadata that names it.
    pub(super) files: SortedMap<PackageFile>,
    /// What it showed from each commit that changed it on.
    pub(super) views: SortedMap<View>,
    /// How the packages listed now stand in the documents.
    pub(super) pages: Arc<Vec<Arc<Page>>>,
    pub(super) settings: Arc<ChannelSettings>,
    pub(super) attachments: Arc<Attachments>,
    /// When what was listed.
    pub(super) history: SortedMap<Presence>,
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
    pub who: Arc<str>,
}

/// What a channel shows since a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The commit.
    pub commit: u64,
    /// When the commit was made.
    pub at: DateTime<Utc>,
    /// The blobs.
    pub blobs: Arc<ChannelView>,
}

impl Channel {
    /// The packages that it lists, in the order of their names and versions.
    #[must_use]
    pub fn listed(&self) -> &SortedMap<Listing> {
        &self.listed
    }

    /// The package of a file name, listed now or earlier.
    #[must_use]
    pub fn file(&self, file_name: &str) -> Option<&Arc<PackageRecord>> {
        self.files.get(file_name).map(|file| &file.package)
    }

    /// Every package that was ever listed.
    #[must_use]
    pub fn files(&self) -> &SortedMap<PackageFile> {
        &self.files
    }

    /// How the packages listed now stand in the documents, in order.
    #[must_use]
    pub fn pages(&self) -> &[Arc<Page>] {
        &self.pages
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &ChannelSettings {
        &self.settings
    }

    /// What it shows beside its packages.
    #[must_use]
    pub fn attachments(&self) -> &Attachments {
        &self.attachments
    }

    /// When it listed what.
    #[must_use]
    pub fn history(&self) -> &SortedMap<Presence> {
        &self.history
    }

    /// What it listed as of a commit, in the order of names and versions.
    pub fn listed_at(&self, commit: u64) -> impl Iterator<Item = (&Arc<PackageRecord>, &Span)> {
        self.history.values().filter_map(move |one| one.at(commit).map(|span| (&one.package, span)))
    }

    /// What it showed from each commit that changed it on.
    #[must_use]
    pub fn views(&self) -> &SortedMap<View> {
        &self.views
    }

    /// What it shows now, with the commit since which it does.
    #[must_use]
    pub fn view(&self) -> Option<(u64, &View)> {
        self.views.last().map(|view| (view.commit, view))
    }

    /// What it showed as of a commit.
    #[must_use]
    pub fn view_at(&self, commit: u64) -> Option<&View> {
        self.views.last_in(..=commit)
    }

    /// The packages listed now that a query names.
    #[must_use]
    pub fn matching(&self, query: &PackageQuery) -> Vec<&Arc<PackageRecord>> {
        self.listed.values().map(|listing| &listing.package).filter(|package| query.matches(&package.nevra)).collect()
    }

    /// The packages listed now or earlier that a query names.
    #[must_use]
    pub fn ever_matching(&self, query: &PackageQuery) -> Vec<&Arc<PackageRecord>> {
        self.files.values().map(|file| &file.package).filter(|package| query.matches(&package.nevra)).collect()
    }

    /// Lists a package from a commit on; one that is listed already keeps its place.
    pub(super) fn list(&mut self, file: &PackageFile, who: &Arc<str>, place: &Place) {
        self.files.insert(file.clone());
        if !self.listed.contains_key(&file.package.nevra) {
            let package = Arc::clone(&file.package);
            self.listed.insert(Listing { package, commit: place.commit, at: place.at, who: Arc::clone(who) });
            let presence = match self.history.get(&file.package.nevra) {
                Some(known) => {
                    let mut presence = known.clone();
                    presence.resume(who, place);
                    presence
                }
                None => Presence::begin(&file.package, who, place),
            };
            self.history.insert(presence);
        }
    }

    /// Lists a package no longer from a commit on.
    pub(super) fn unlist(&mut self, nevra: &Nevra, place: &Place) {
        self.listed.remove(nevra);
        if let Some(mut presence) = self.history.get(nevra).cloned() {
            presence.end(place);
            self.history.insert(presence);
        }
    }
}

impl Keyed for Listing {
    type Key = Nevra;

    fn key(&self) -> &Nevra {
        &self.package.nevra
    }
}

impl Keyed for View {
    type Key = u64;

    fn key(&self) -> &u64 {
        &self.commit
    }
}
