//! The pages that list: channels, packages, versions, what was found, what was done.

use std::collections::{BTreeMap, HashSet};

use nevra::Nevra;
use repo_api::{ChannelName, SignaturePolicy};
use serde::Serialize;

use super::catalog::{Found, Progress};
use super::event::{Event, Link};
use super::package_path::PackagePath;
use super::template::{PageError, Shell, render};
use super::visible::Visible;
use super::written::{Time, size};
use crate::state::{Channel, PackageRecord};

/// How many rows a page has.
const ROWS: usize = 200;

/// `/`
#[derive(Debug, Serialize)]
pub(crate) struct HomePage {
    channels: Vec<ChannelRow>,
    packages: usize,
    events: Vec<Event>,
}

#[derive(Debug, Serialize)]
struct ChannelRow {
    name: String,
    description: Option<String>,
    packages: usize,
    commit: u64,
    changed: Option<Time>,
}

/// `/ui/channels/CHANNEL`
#[derive(Debug, Serialize)]
pub(crate) struct ChannelPage {
    name: String,
    description: Option<String>,
    compression: &'static str,
    signatures: &'static str,
    sources: Option<String>,
    retention: Option<String>,
    key: Option<String>,
    commit: u64,
    changed: Option<Time>,
    listed: usize,
    advisories: usize,
    list: List<ListedRow>,
    events: Vec<Event>,
}

/// `/ui/packages`
#[derive(Debug, Serialize)]
pub(crate) struct PackagesPage {
    list: List<PackageRow>,
}

/// Rows of a long list.
#[derive(Debug, Serialize)]
struct List<R> {
    rows: Vec<R>,
    /// How many there are in all.
    total: usize,
    /// What the list is narrowed by.
    filter: String,
    first: usize,
    last: usize,
    /// Numbers of the pages before and after.
    before: Option<usize>,
    after: Option<usize>,
}

#[derive(Debug, Serialize)]
struct ListedRow {
    package: Link,
    size: String,
    at: Time,
    who: String,
    commit: u64,
}

#[derive(Debug, Serialize)]
struct PackageRow {
    name: String,
    url: String,
    /// The newest version in each channel that lists the package.
    newest: Vec<(String, Link)>,
}

/// `/ui/packages/NAME`
#[derive(Debug, Serialize)]
pub(crate) struct PackagePage {
    name: String,
    channels: Vec<String>,
    versions: Vec<VersionRow>,
}

#[derive(Debug, Serialize)]
struct VersionRow {
    version: Link,
    size: String,
    came: Option<Time>,
    /// For each channel: since when it lists it and who listed it.
    listed: Vec<Option<(Time, String)>>,
    held_by: Vec<String>,
    /// The page of what differs from the version before.
    changes: Option<String>,
}

/// `/ui/search`
#[derive(Debug, Serialize)]
pub(crate) struct SearchPage {
    asked: String,
    found: Found,
    progress: Progress,
}

/// `/ui/timeline`
#[derive(Debug, Serialize)]
pub(crate) struct TimelinePage {
    pub(crate) events: Vec<Event>,
    /// Where older ones go on.
    pub(crate) before: Option<u64>,
}

impl HomePage {
    pub(crate) fn new(visible: &Visible, events: Vec<Event>) -> Self {
        let channels = visible.channels().iter().map(|(name, channel)| ChannelRow {
            name: name.to_string(),
            description: channel.settings().description.clone(),
            packages: channel.listed().len(),
            commit: channel.view().map_or(0, |(commit, _)| commit),
            changed: channel.view().map(|(_, view)| view.at.into()),
        });
        let listed = visible.channels().values().flat_map(|channel| channel.listed().keys());
        let names = listed.map(|nevra| nevra.name.as_str());
        Self { channels: channels.collect(), packages: names.collect::<HashSet<_>>().len(), events }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("home.html", shell, self)
    }
}

impl ChannelPage {
    pub(crate) fn new(name: &ChannelName, channel: &Channel, asked: (&str, usize), events: Vec<Event>) -> Self {
        let settings = channel.settings();
        let fits = |nevra: &Nevra| asked.0.is_empty() || nevra.to_string().contains(asked.0);
        let rows: Vec<_> = channel.listed().values().filter(|listing| fits(&listing.package.nevra)).collect();
        let list = List::cut(rows, asked).map(|listing| ListedRow {
            package: Link::to(&listing.package.nevra),
            size: size(listing.package.size),
            at: listing.at.into(),
            who: listing.who.to_string(),
            commit: listing.commit,
        });
        Self {
            name: name.to_string(),
            description: settings.description.clone(),
            compression: match settings.compression {
                repo_api::MetadataCompression::Gzip => "gzip",
                repo_api::MetadataCompression::Zstd => "zstd",
            },
            signatures: match settings.signatures {
                SignaturePolicy::Any => "not asked for",
                SignaturePolicy::Required => "required, by one of the channel's keys",
                SignaturePolicy::Door => "made by the server for what is published",
            },
            sources: settings.promotions_from.as_ref().map(|sources| joined(sources)),
            retention: retention(settings),
            key: channel.view().map(|(_, view)| view.blobs.key.clone()),
            commit: channel.view().map_or(0, |(commit, _)| commit),
            changed: channel.view().map(|(_, view)| view.at.into()),
            listed: channel.listed().len(),
            advisories: channel.attachments().advisories().len(),
            list,
            events,
        }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("channel.html", shell, self)
    }
}

impl PackagesPage {
    pub(crate) fn new(visible: &Visible, asked: (&str, usize)) -> Self {
        let rows = newest(visible).into_iter().filter(|(name, _)| name.contains(asked.0)).collect();
        let list = List::cut(rows, asked).map(|(_, newest)| {
            let paths: Vec<_> =
                newest.iter().map(|(channel, package)| (channel, PackagePath::of(&package.nevra))).collect();
            let link = |path: &PackagePath| Link { text: path.version.clone(), url: path.url() };
            PackageRow {
                name: paths.first().map(|(_, path)| path.name.clone()).unwrap_or_default(),
                url: paths.first().map(|(_, path)| path.package_url()).unwrap_or_default(),
                newest: paths.iter().map(|(channel, path)| (channel.to_string(), link(path))).collect(),
            }
        });
        Self { list }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("packages.html", shell, self)
    }
}

impl PackagePage {
    /// Of the versions that a reader may see, the newest first; `None` where there are none.
    pub(crate) fn new(name: &str, visible: &Visible) -> Option<Self> {
        let versions = visible.versions(name);
        let channels: Vec<_> = visible
            .channels()
            .iter()
            .filter(|(_, channel)| versions.iter().any(|package| channel.history().contains_key(&package.nevra)))
            .collect();
        let row = |(index, package): (usize, &&std::sync::Arc<PackageRecord>)| {
            let path = PackagePath::of(&package.nevra);
            let older = versions.iter().skip(index + 1).find(|older| older.nevra.arch == package.nevra.arch);
            let listed = channels.iter().map(|(_, channel)| {
                let listing = channel.listed().get(&package.nevra)?;
                Some((listing.at.into(), listing.who.to_string()))
            });
            VersionRow {
                version: Link { text: path.version.clone(), url: path.url() },
                size: size(package.size),
                came: Time::of_seconds(package.time),
                listed: listed.collect(),
                held_by: visible.state.holders(&package.nevra),
                changes: older.map(|older| PackagePath::of(&older.nevra).difference_url(&path)),
            }
        };
        let rows: Vec<VersionRow> = versions.iter().enumerate().map(row).collect();
        let channels = channels.iter().map(|(name, _)| name.to_string()).collect();
        (!rows.is_empty()).then(|| Self { name: name.to_owned(), channels, versions: rows })
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("package.html", shell, self)
    }
}

impl SearchPage {
    pub(crate) fn new(asked: &str, found: Found, progress: Progress) -> Self {
        Self { asked: asked.to_owned(), found, progress }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("search.html", shell, self)
    }
}

impl TimelinePage {
    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("timeline.html", shell, self)
    }
}

impl<R> List<R> {
    /// Cuts the page of a number out of what a filter left; the first is 1.
    fn cut(all: Vec<R>, (filter, page): (&str, usize)) -> Self {
        let total = all.len();
        let page = page.clamp(1, total.div_ceil(ROWS).max(1));
        let skipped = (page - 1) * ROWS;
        let rows: Vec<R> = all.into_iter().skip(skipped).take(ROWS).collect();
        let (first, last) = (if rows.is_empty() { 0 } else { skipped + 1 }, skipped + rows.len());
        let (before, after) = ((page > 1).then(|| page - 1), (last < total).then_some(page + 1));
        Self { rows, total, filter: filter.to_owned(), first, last, before, after }
    }

    fn map<T>(self, map: impl FnMut(R) -> T) -> List<T> {
        let Self { rows, total, filter, first, last, before, after } = self;
        List { rows: rows.into_iter().map(map).collect(), total, filter, first, last, before, after }
    }
}

/// For each package that is listed anywhere: the newest version in each channel.
fn newest(visible: &Visible) -> BTreeMap<&str, Vec<(&ChannelName, &PackageRecord)>> {
    let mut newest: BTreeMap<&str, Vec<(&ChannelName, &PackageRecord)>> = BTreeMap::new();
    for (name, channel) in visible.channels() {
        for listing in channel.listed().values() {
            let in_channels = newest.entry(listing.package.nevra.name.as_str()).or_default();
            match in_channels.last_mut() {
                Some((known, package)) if *known == name => {
                    if package.nevra.evr.compare(&listing.package.nevra.evr).is_lt() {
                        *package = &listing.package;
                    }
                }
                _ => in_channels.push((name, &listing.package)),
            }
        }
    }
    newest
}

fn joined(channels: &[ChannelName]) -> String {
    match channels {
        [] => "any channel".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn retention(settings: &repo_api::ChannelSettings) -> Option<String> {
    let rule = settings.retention;
    let last = rule.keep_last.map(|count| format!("the newest {count} of each package"));
    let days = rule.keep_days.map(|days| format!("what came in the last {days} days"));
    let rules: Vec<String> = [last, days].into_iter().flatten().collect();
    (!rules.is_empty()).then(|| rules.join(", "))
}
