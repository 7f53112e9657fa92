//! What the repository's ledger says of packages: who published and promoted them, with which bytes.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Author, Commit, Digest, LedgerError, Position};
use nevra::Nevra;
use repo_api::{ChannelName, Client};
use repo_server::{Action, Change, ChannelView, Entry, PackageRecord};

use super::evidence::Evidence;
use super::link::{Link, short};
use crate::render::with_causes;

/// What the repository says of the packages that are asked about.
pub(super) struct Repository {
    /// Whether its commits follow from one another.
    pub(super) chain: Link,
    /// Up to where they do.
    pub(super) position: Option<Position>,
    /// The packages that it knows.
    pub(super) packages: BTreeMap<Nevra, Package>,
    /// What each channel shows, and since which commit.
    pub(super) shown: BTreeMap<ChannelName, (u64, ChannelView)>,
}

/// A package as the repository knows it.
pub(super) struct Package {
    pub(super) sha256: Digest,
    pub(super) file_name: String,
    /// The channel that it first came to.
    pub(super) origin: ChannelName,
    /// The channels that list it.
    pub(super) listed: BTreeSet<ChannelName>,
    /// What was done with it, the oldest first.
    events: Vec<String>,
    /// Whether one more file was published by its name.
    is_doubtful: bool,
}

impl Repository {
    /// Reads the whole ledger; where that may not be, what the server says is taken for the time being, and nothing of it is
    /// proven.
    pub(super) async fn read(evidence: &Evidence, wanted: &BTreeSet<Nevra>) -> Self {
        let commits = evidence.repository().since(&Position::start()).await;
        match (commits, evidence) {
            (Ok(commits), _) => Self::fold(&commits, wanted),
            (Err(error), Evidence::Server(client)) => {
                let packages = claimed(client, wanted).await;
                Self { chain: broken(&error), position: None, packages, shown: BTreeMap::new() }
            }
            (Err(error), Evidence::Store(_)) => {
                Self { chain: broken(&error), position: None, packages: BTreeMap::new(), shown: BTreeMap::new() }
            }
        }
    }

    fn fold(commits: &[Commit<Change>], wanted: &BTreeSet<Nevra>) -> Self {
        let position = commits.last().map_or_else(Position::start, Commit::position);
        let head = position.digest.to_string();
        let found = format!("{} commits follow from one another", commits.len());
        let chain =
            Link::proven("repository", found, format!("each the sha256 of the one before; head {}", short(&head)));
        let mut repository =
            Self { chain, position: Some(position), packages: BTreeMap::new(), shown: BTreeMap::new() };
        for commit in commits {
            for entry in &commit.payload.entries {
                repository.apply(commit, entry, wanted);
            }
            for (channel, shown) in &commit.payload.shown {
                repository.shown.insert(channel.clone(), (commit.number, shown.view.clone()));
            }
        }
        repository
    }

    fn apply(&mut self, commit: &Commit<Change>, entry: &Entry, wanted: &BTreeSet<Nevra>) {
        let told = |what: &str| told(what, commit, &entry.author);
        match &entry.action {
            Action::Published { channel, packages } => {
                for record in packages.iter().filter(|record| wanted.contains(&record.nevra)) {
                    self.published(channel, record, told(&format!("published to {channel}")));
                }
            }
            Action::Promoted { from, to, packages, .. } => {
                let names: Vec<&str> = to.iter().map(ChannelName::as_str).collect();
                let event = told(&format!("promoted from {from} to {}", names.join(", ")));
                self.each(packages, |package| {
                    package.listed.extend(to.iter().cloned());
                    package.events.push(event.clone());
                });
            }
            Action::Withdrawn { channel, packages } | Action::Retained { channel, packages } => {
                let event = told(&format!("withdrawn from {channel}"));
                self.each(packages, |package| {
                    package.listed.remove(channel);
                    package.events.push(event.clone());
                });
            }
            _ => {}
        }
    }

    fn published(&mut self, channel: &ChannelName, record: &PackageRecord, event: String) {
        let package = self.packages.entry(record.nevra.clone()).or_insert_with(|| Package {
            sha256: record.sha256,
            file_name: record.file_name(),
            origin: channel.clone(),
            listed: BTreeSet::new(),
            events: Vec::new(),
            is_doubtful: false,
        });
        package.is_doubtful |= package.sha256 != record.sha256;
        package.listed.insert(channel.clone());
        package.events.push(event);
    }

    fn each(&mut self, named: &[Nevra], mut change: impl FnMut(&mut Package)) {
        for nevra in named {
            if let Some(package) = self.packages.get_mut(nevra) {
                change(package);
            }
        }
    }

    /// Whether the package was published, by the ledger.
    pub(super) fn link(&self, nevra: &Nevra) -> Link {
        const LINK: &str = "published";
        match self.packages.get(nevra) {
            None if self.position.is_none() => Link::not_proven(LINK, self.chain.found.clone()),
            None => Link::not_proven(LINK, format!("the repository never had a package {nevra}")),
            Some(_) if self.position.is_none() => {
                let word = "the server says so, and does not show the commits that would prove it";
                Link::not_proven(LINK, word)
            }
            Some(package) if package.is_doubtful => {
                Link::not_proven(LINK, format!("two different files were published: {}", package.events.join("; ")))
            }
            Some(package) => {
                let sha256 = package.sha256.to_string();
                let against = format!("the repository's chain; file {}", short(&sha256));
                Link::proven(LINK, package.events.join("; "), against)
            }
        }
    }
}

fn broken(error: &LedgerError) -> Link {
    Link::not_proven("repository", with_causes(error))
}

fn told(what: &str, commit: &Commit<Change>, author: &Author) -> String {
    let because = author.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let at = commit.at.format("%FT%TZ");
    format!("{what} {at} by {} from {}{because}, commit {}", author.who, author.from, commit.number)
}

/// What the server says of packages in the channels that the caller may read.
async fn claimed(client: &Client, wanted: &BTreeSet<Nevra>) -> BTreeMap<Nevra, Package> {
    let mut packages: BTreeMap<Nevra, Package> = BTreeMap::new();
    let Ok(channels) = client.channels().await else { return packages };
    for channel in channels.channels.into_iter().map(|channel| channel.name) {
        let Ok(list) = client.packages(&channel).await else { continue };
        for listed in list.packages.into_iter().filter(|listed| wanted.contains(&listed.nevra)) {
            let Ok(sha256) = listed.sha256.to_string().parse() else { continue };
            let package = packages.entry(listed.nevra.clone()).or_insert_with(|| Package {
                sha256,
                file_name: listed.file_name(),
                origin: channel.clone(),
                listed: BTreeSet::new(),
                events: Vec::new(),
                is_doubtful: false,
            });
            package.listed.insert(channel.clone());
        }
    }
    packages
}
