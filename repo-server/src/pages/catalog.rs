//! What is in all packages: their names, files and jars, to be searched.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use futures::{StreamExt, stream};
use nevra::Nevra;
use serde::Serialize;

use super::event::Link;
use super::package_path::PackagePath;
use super::texts::Texts;
use super::visible::Visible;
use crate::engine::Repository;
use crate::error::RepositoryError;
use crate::repodata::Searchable;
use crate::state::{Keyed, PackageRecord, SortedMap};

/// How many packages are read before what they hold can be searched.
const BATCH: usize = 512;
const SIDE_BY_SIDE: usize = 8;
/// How many finds of each kind are shown.
const SHOWN: usize = 50;
/// How many of those that have a file, or a jar, are named with it.
const NAMED: usize = 5;
/// How many more are counted.
const COUNTED: usize = 99;
/// How many finds are looked at, so that a part that is everywhere takes no longer.
const LOOKED_AT: usize = 20_000;

/// What is in all packages.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    indexed: RwLock<Indexed>,
    reading: tokio::sync::Mutex<()>,
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(crate) struct Indexed {
    seen: SortedMap<Arc<PackageRecord>>,
    packages: Vec<Arc<PackageRecord>>,
    files: Texts,
    /// By component (`maven:group:artifact`) and version.
    jars: BTreeMap<Box<str>, BTreeMap<Box<str>, Vec<u32>>>,
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Progress {
    pub(crate) read: usize,
    pub(crate) of: usize,
    /// Whether there are more files than are kept in memory.
    pub(crate) is_full: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Found {
    packages: Vec<Link>,
    files: Vec<Find>,
    jars: Vec<Find>,
    /// Whether there is more of each.
    more: [bool; 3],
}

/// Something that packages have.
#[derive(Debug, Serialize)]
struct Find {
    text: String,
    version: String,
    packages: Vec<Link>,
    /// How many more there are, up to [`COUNTED`].
    more: usize,
}

impl Catalog {
    /// Reads the packages that are new; those that can't be read are not searched.
    pub(crate) async fn catch_up(&self, repository: &Repository) {
        let _one_at_a_time = self.reading.lock().await;
        loop {
            let packages = repository.state().packages().clone();
            let seen = self.indexed().seen.clone();
            let new: Vec<Arc<PackageRecord>> = packages.not_in(&seen).take(BATCH).cloned().collect();
            if new.is_empty() {
                return;
            }
            let read = stream::iter(new).map(|package| async move {
                let read = read(repository, &package).await;
                (package, read)
            });
            let read: Vec<_> = read.buffered(SIDE_BY_SIDE).collect().await;
            let mut indexed = self.indexed.write().unwrap_or_else(PoisonError::into_inner);
            for (package, searchable) in read {
                match searchable {
                    Ok(searchable) => indexed.add(&package, &searchable),
                    Err(error) => tracing::warn!(%error, package = %package.nevra, "what is in it can't be searched"),
                }
                indexed.seen.insert(package);
            }
            if indexed.seen.len() == packages.len() {
                // The same packages: what is new later is found fast in a map that is the same but for that.
                indexed.seen = packages;
            }
        }
    }

    /// What has been read.
    pub(crate) fn indexed(&self) -> RwLockReadGuard<'_, Indexed> {
        self.indexed.read().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(repository: &Repository, package: &PackageRecord) -> Result<Searchable, RepositoryError> {
    let fragments = repository.searchable_fragments(package).await?;
    let damaged = RepositoryError::Damaged { digest: package.fragments, what: "no repodata fragments" };
    let read = tokio::task::spawn_blocking(move || Searchable::read(&fragments)).await;
    read.map_err(|_| RepositoryError::Stopping)?.map_err(|_| damaged)
}

impl Indexed {
    fn add(&mut self, package: &Arc<PackageRecord>, searchable: &Searchable) {
        let Ok(number) = u32::try_from(self.packages.len()) else { return };
        self.packages.push(Arc::clone(package));
        self.files.add(package.nevra.name.as_str(), number, searchable.files.iter().map(String::as_str));
        for (component, version) in &searchable.bundled {
            let versions = self.jars.entry(component.as_str().into()).or_default();
            versions.entry(version.as_str().into()).or_default().push(number);
        }
    }

    /// How far the reading is.
    pub(crate) fn progress(&self, visible: &Visible) -> Progress {
        Progress { read: self.seen.len(), of: visible.state.packages().len(), is_full: self.files.is_full() }
    }

    /// The components of which a rule holds, with their versions and the packages that bundle them.
    pub(super) fn jars<'a>(
        &'a self,
        is_meant: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a str, &'a str, Vec<&'a Nevra>)> + 'a {
        let meant = self.jars.iter().filter(move |(component, _)| is_meant(component));
        meant.flat_map(move |(component, versions)| {
            versions.iter().map(move |(version, packages)| {
                let packages = packages.iter().map(|number| self.packages[*number as usize].key());
                (&**component, &**version, packages.collect())
            })
        })
    }

    /// Searches names, files and jars for a part.
    pub(crate) fn search(&self, part: &str, visible: &Visible) -> Found {
        if part.is_empty() {
            return Found::default();
        }
        let mut found = Found { packages: names(part, visible), ..Found::default() };
        let files = self.files(part, visible);
        let lower = part.to_lowercase();
        let jars = self.jars(move |component| component.to_lowercase().contains(&lower));
        let jars = jars.take(LOOKED_AT).filter_map(|(component, version, packages)| {
            Find::of(super::jars::without_kind(component), version, packages, visible)
        });
        found.jars = jars.take(SHOWN + 1).collect();
        found.files = files.collect();
        found.more = [found.packages.len() > SHOWN, found.files.len() > SHOWN, found.jars.len() > SHOWN];
        found.packages.truncate(SHOWN);
        found.files.truncate(SHOWN);
        found.jars.truncate(SHOWN);
        found
    }

    /// The files whose paths hold a part, each once, one more than are shown.
    fn files(&self, part: &str, visible: &Visible) -> impl Iterator<Item = Find> {
        let nevra = |number: &u32| &self.packages[*number as usize].nevra;
        let (mut files, mut left): (Vec<(String, Vec<u32>)>, _) = (Vec::new(), LOOKED_AT);
        self.files.find(part, |path, owners| {
            // Packages of other names may have it too.
            match files.iter_mut().find(|(known, _)| known == path) {
                Some((_, known)) => known.extend(owners),
                None if owners.iter().any(|owner| visible.has(nevra(owner))) => files.push((path.to_owned(), owners)),
                None => {}
            }
            left -= 1;
            if left == 0 || files.len() > SHOWN { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        files.into_iter().filter_map(move |(path, mut owners)| {
            owners.sort_unstable();
            Find::of(&path, "", owners.iter().map(nevra).collect(), visible)
        })
    }
}

impl Find {
    fn of(text: &str, version: &str, packages: Vec<&Nevra>, visible: &Visible) -> Option<Self> {
        // The newest came last.
        let mut seen = packages.into_iter().rev().take(LOOKED_AT).filter(|nevra| visible.has(nevra));
        let named: Vec<Link> = seen.by_ref().take(NAMED).map(Link::to).collect();
        let more = seen.take(COUNTED).count();
        let (text, version) = (text.to_owned(), version.to_owned());
        (!named.is_empty()).then_some(Self { text, version, packages: named, more })
    }
}

/// The names of packages that hold a part: the same first, then those that begin with it.
fn names(part: &str, visible: &Visible) -> Vec<Link> {
    let lower = part.to_lowercase();
    let mut found: BTreeSet<(u8, &str)> = BTreeSet::new();
    let mut links = BTreeMap::new();
    for channel in visible.channels().values() {
        for nevra in channel.history().keys() {
            let name = nevra.name.as_str();
            if links.contains_key(name) {
                continue;
            }
            let rank = match name.to_lowercase() {
                name if name == lower => 0,
                name if name.starts_with(&lower) => 1,
                name if name.contains(&lower) => 2,
                _ => continue,
            };
            let path = PackagePath::of(nevra);
            links.insert(name, Link { url: path.package_url(), text: path.name });
            found.insert((rank, name));
        }
    }
    found.into_iter().take(SHOWN + 1).filter_map(|(_, name)| links.remove(name)).collect()
}
