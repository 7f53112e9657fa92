//! A whole state as bytes, so that a server need not read every commit when it starts.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ledger::Position;
use nevra::Nevra;
use repo_api::{ChannelName, ChannelSettings, TagName};
use serde::{Deserialize, Serialize};

use super::attachments::Attachments;
use super::change::{ChannelView, PackageRecord};
use super::channel::{Channel, Listing, View};
use super::collection::Collections;
use super::holds::{Hold, Holds, Tag};
use super::package_file::PackageFile;
use super::pages::Page;
use super::presence::{Presence, Span};
use super::repository_state::RepositoryState;
use super::sorted_map::Keyed;
use crate::repodata::PageMembers;

/// The version of the form; any other is not read, and the commits are read instead.
const SCHEMA: u32 = 1;
const ZSTD_LEVEL: i32 = 1;

/// A state. Packages and people are written once and named by their numbers.
#[derive(Debug, Serialize, Deserialize)]
struct StoredState {
    schema: u32,
    packages: Vec<PackageRecord>,
    people: Vec<String>,
    channels: Vec<StoredChannel>,
    tags: Vec<StoredTag>,
    environments: Vec<(TagName, Vec<Nevra>, DateTime<Utc>, u32)>,
    collections: Collections,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredChannel {
    name: ChannelName,
    settings: ChannelSettings,
    attachments: Attachments,
    /// Package, commit, time, person.
    listed: Vec<(u32, u64, DateTime<Utc>, u32)>,
    files: Vec<u32>,
    pages: Vec<(Vec<u32>, PageMembers)>,
    views: Vec<(u64, DateTime<Utc>, ChannelView)>,
    history: Vec<StoredPresence>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredTag {
    name: TagName,
    at: u64,
    set_at: DateTime<Utc>,
    set_by: u32,
    why: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredPresence {
    package: u32,
    /// From, person, until.
    spans: Vec<(u64, u32, Option<u64>)>,
}

/// Numbers of what is written once.
#[derive(Default)]
struct Numbers<'a> {
    packages: HashMap<&'a Nevra, u32>,
    people: BTreeMap<Arc<str>, u32>,
    names: Vec<String>,
}

/// What numbers stand for.
struct Named {
    packages: Vec<Arc<PackageRecord>>,
    people: Vec<Arc<str>>,
}

impl RepositoryState {
    /// Writes the state down; its position is not part of it.
    pub(crate) fn encode(&self) -> io::Result<Vec<u8>> {
        // Whatever a state comes to hold besides has to be written here too, or a restart would lose it.
        let Self { position: _, channels, packages, file_names: _, metadata: _, holds, collections } = self;
        let mut numbers = Numbers {
            packages: (0..).zip(packages.keys()).map(|(number, nevra)| (nevra, number)).collect(),
            ..Numbers::default()
        };
        let channels = channels.iter().map(|(name, channel)| StoredChannel::of(name, channel, &mut numbers)).collect();
        let Holds { tags, environments } = holds;
        let tag = |(name, tag): (&TagName, &Tag)| StoredTag {
            name: name.clone(),
            at: tag.at,
            set_at: tag.set_at,
            set_by: numbers.person(&tag.set_by),
            why: tag.why.as_deref().map(str::to_owned),
        };
        let tags = tags.iter().map(tag).collect();
        let hold = |(name, hold): (&TagName, &Hold)| {
            (name.clone(), hold.packages.iter().cloned().collect(), hold.said_at, numbers.person(&hold.said_by))
        };
        let stored = StoredState {
            schema: SCHEMA,
            environments: environments.iter().map(hold).collect(),
            tags,
            channels,
            packages: packages.values().map(|package| PackageRecord::clone(package)).collect(),
            people: numbers.names,
            collections: collections.clone(),
        };
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
        serde_json::to_writer(&mut encoder, &stored)?;
        encoder.finish()
    }

    /// Reads a state that was written down as of a position.
    pub(crate) fn decode(bytes: &[u8], position: Position) -> io::Result<Self> {
        let reader = io::BufReader::with_capacity(1 << 16, zstd::stream::read::Decoder::new(bytes)?);
        let stored: StoredState = serde_json::from_reader(reader)?;
        if stored.schema != SCHEMA {
            return Err(io::Error::other(format!("the checkpoint has schema {}", stored.schema)));
        }
        let named = Named {
            packages: stored.packages.into_iter().map(Arc::new).collect(),
            people: stored.people.into_iter().map(Arc::from).collect(),
        };
        let mut state = Self {
            position,
            packages: named.packages.iter().cloned().collect(),
            file_names: named.packages.iter().map(PackageFile::of).collect(),
            collections: stored.collections,
            ..Self::default()
        };
        for channel in stored.channels {
            let name = channel.name.clone();
            state.channels.insert(name, Arc::new(channel.channel(&named)?));
        }
        for StoredTag { name, at, set_at, set_by, why } in stored.tags {
            let tag = Tag { at, set_at, set_by: named.person(set_by)?, why: why.map(Arc::from) };
            state.holds.tags.insert(name, tag);
        }
        for (name, packages, said_at, by) in stored.environments {
            let hold = Hold { packages: packages.into_iter().collect(), said_at, said_by: named.person(by)? };
            state.holds.environments.insert(name, hold);
        }
        state.name_documents();
        Ok(state)
    }
}

impl StoredChannel {
    fn of<'a>(name: &ChannelName, channel: &'a Channel, numbers: &mut Numbers<'a>) -> Self {
        let Channel { listed, files, views, pages, settings, attachments, history } = channel;
        let spans = |numbers: &mut Numbers<'a>, presence: &Presence| {
            presence.spans.iter().map(|span| (span.from, numbers.person(&span.who), span.until)).collect::<Vec<_>>()
        };
        Self {
            name: name.clone(),
            settings: ChannelSettings::clone(settings),
            attachments: Attachments::clone(attachments),
            listed: listed
                .values()
                .map(|one| (numbers.package(&one.package), one.commit, one.at, numbers.person(&one.who)))
                .collect(),
            files: files.values().map(|file| numbers.package(&file.package)).collect(),
            pages: pages
                .iter()
                .map(|page| (page.packages.iter().map(|one| numbers.package(one)).collect(), page.members))
                .collect(),
            views: views.values().map(|view| (view.commit, view.at, ChannelView::clone(&view.blobs))).collect(),
            history: history
                .values()
                .map(|one| StoredPresence { package: numbers.package(&one.package), spans: spans(numbers, one) })
                .collect(),
        }
    }

    fn channel(self, named: &Named) -> io::Result<Channel> {
        let (settings, attachments) = (Arc::new(self.settings), Arc::new(self.attachments));
        let mut channel = Channel { settings, attachments, ..Channel::default() };
        for (package, commit, at, who) in self.listed {
            channel.listed.insert(Listing { package: named.package(package)?, commit, at, who: named.person(who)? });
        }
        for package in self.files {
            channel.files.insert(PackageFile::of(&named.package(package)?));
        }
        let mut pages = Vec::with_capacity(self.pages.len());
        for (packages, members) in self.pages {
            let packages = packages.into_iter().map(|number| named.package(number)).collect::<io::Result<_>>()?;
            pages.push(Arc::new(Page { packages, members }));
        }
        channel.pages = Arc::new(pages);
        for (commit, at, view) in self.views {
            channel.views.insert(View { commit, at, blobs: Arc::new(view) });
        }
        for StoredPresence { package, spans } in self.history {
            let span = |(from, who, until)| Ok(Span { from, who: named.person(who)?, until });
            let spans = spans.into_iter().map(span).collect::<io::Result<Vec<_>>>()?.into();
            channel.history.insert(Presence { package: named.package(package)?, spans });
        }
        Ok(channel)
    }
}

impl Numbers<'_> {
    /// Every package of a channel is one of the repository's.
    fn package(&self, package: &Arc<PackageRecord>) -> u32 {
        self.packages.get(package.key()).copied().unwrap_or(u32::MAX)
    }

    fn person(&mut self, who: &Arc<str>) -> u32 {
        if let Some(number) = self.people.get(who) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(who.to_string());
        self.people.insert(Arc::clone(who), number);
        number
    }
}

impl Named {
    fn package(&self, number: u32) -> io::Result<Arc<PackageRecord>> {
        let unknown = || io::Error::other(format!("the checkpoint has no package {number}"));
        self.packages.get(number as usize).cloned().ok_or_else(unknown)
    }

    fn person(&self, number: u32) -> io::Result<Arc<str>> {
        let unknown = || io::Error::other(format!("the checkpoint has no person {number}"));
        self.people.get(number as usize).cloned().ok_or_else(unknown)
    }
}
