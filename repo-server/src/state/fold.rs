//! Taking commits in: a pure fold over the ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ledger::Commit;
use nevra::Nevra;
use repo_api::ChannelName;

use super::attachments::AttachmentChange;
use super::change::{Action, Change, Entry, PackageRecord, Shown};
use super::channel::{Channel, View};
use super::holds::{Hold, Tag};
use super::package_file::PackageFile;
use super::pages::Turnover;
use super::repository_state::RepositoryState;

/// Which commit does something, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) commit: u64,
    pub(crate) at: DateTime<Utc>,
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
    /// The pages that the commit names do not hold the packages that the channel lists.
    #[error("commit {commit} of the repository's ledger has pages of channel `{channel}` that don't hold its packages")]
    Pages {
        /// The commit.
        commit: u64,
        /// The channel.
        channel: ChannelName,
    },
}

impl RepositoryState {
    /// Takes the next commit in.
    ///
    /// # Errors
    /// [`FoldError`] for a commit that contradicts the state; the state is of no use then.
    pub fn apply(&mut self, commit: &Commit<Change>) -> Result<(), FoldError> {
        let before = self.clone();
        let Change { entries, shown } = &commit.payload;
        let place = Place { commit: commit.number, at: commit.at };
        for entry in entries {
            self.enact(entry, &place)?;
        }
        let changed: BTreeSet<&ChannelName> = entries.iter().flat_map(|entry| entry.action.channels()).collect();
        for name in changed {
            if !self.channels.contains_key(name) {
                // The same commit removed it.
                continue;
            }
            let missing = || FoldError::View { commit: commit.number, channel: name.clone() };
            self.show(name, &before, shown.get(name).ok_or_else(missing)?, &place)?;
        }
        self.position = commit.position();
        Ok(())
    }

    /// Does what an entry says, but for what the channels show then.
    pub(crate) fn enact(&mut self, entry: &Entry, place: &Place) -> Result<(), FoldError> {
        let who: Arc<str> = entry.author.who.as_str().into();
        match &entry.action {
            Action::ChannelsCreated { channels } => {
                for channel in channels {
                    self.channels.entry(channel.clone()).or_default();
                }
            }
            Action::Published { channel, packages } => {
                for record in packages {
                    let file = self.know(record, place)?;
                    self.channel_mut(channel, place)?.list(&file, &who, place);
                }
            }
            Action::Promoted { to, packages, attached, .. } => {
                self.attach(to, attached, place)?;
                for (channel, nevra) in to.iter().flat_map(|channel| packages.iter().map(move |nevra| (channel, nevra)))
                {
                    let file = PackageFile::of(self.known(nevra, place)?);
                    self.channel_mut(channel, place)?.list(&file, &who, place);
                }
            }
            Action::Withdrawn { channel, packages } | Action::Retained { channel, packages } => {
                for nevra in packages {
                    self.known(nevra, place)?;
                    self.channel_mut(channel, place)?.unlist(nevra, place);
                }
            }
            Action::ChannelSet { channel, settings } => {
                Arc::make_mut(self.channels.entry(channel.clone()).or_default()).settings = Arc::new(settings.clone());
            }
            Action::ChannelRemoved { channel } => {
                self.channel_mut(channel, place)?;
                self.channels.remove(channel);
            }
            Action::Tagged { tag, at } => {
                let why = entry.author.why.as_deref().map(Arc::from);
                self.holds.tags.insert(tag.clone(), Tag { at: *at, set_at: place.at, set_by: who, why });
            }
            Action::Untagged { tag } => {
                self.holds.tags.remove(tag);
            }
            Action::Held { environment, packages } if packages.is_empty() => {
                self.holds.environments.remove(environment);
            }
            Action::Held { environment, packages } => {
                let packages = packages.iter().cloned().collect();
                let hold = Hold { packages, said_at: place.at, said_by: who };
                self.holds.environments.insert(environment.clone(), hold);
            }
            Action::Attached { channel, attached } => self.attach(std::slice::from_ref(channel), attached, place)?,
            Action::CollectionBegun(collection) => self.begin_collection(collection, place),
            Action::CollectionEnded => self.end_collection(),
            Action::Resigned { .. } => {}
        }
        Ok(())
    }

    fn attach(
        &mut self,
        channels: &[ChannelName],
        attached: &[AttachmentChange],
        place: &Place,
    ) -> Result<(), FoldError> {
        for channel in channels.iter().filter(|_| !attached.is_empty()) {
            let attachments = Arc::make_mut(&mut self.channel_mut(channel, place)?.attachments);
            attached.iter().for_each(|change| attachments.change(change));
        }
        Ok(())
    }

    fn know(&mut self, record: &PackageRecord, place: &Place) -> Result<PackageFile, FoldError> {
        if let Some(known) = self.packages.get(&record.nevra) {
            if known.sha256 != record.sha256 {
                return Err(FoldError::Bytes { commit: place.commit, nevra: record.nevra.clone() });
            }
            return Ok(PackageFile::of(known));
        }
        let known = Arc::new(record.clone());
        let file = PackageFile::of(&known);
        self.packages.insert(known);
        self.file_names.insert(file.clone());
        Ok(file)
    }

    fn known(&self, nevra: &Nevra, place: &Place) -> Result<&Arc<PackageRecord>, FoldError> {
        self.packages.get(nevra).ok_or_else(|| FoldError::Package { commit: place.commit, nevra: nevra.clone() })
    }

    /// A channel, to be changed.
    pub(crate) fn channel_mut(&mut self, name: &ChannelName, place: &Place) -> Result<&mut Channel, FoldError> {
        let channel = self.channels.get_mut(name);
        let missing = || FoldError::Channel { commit: place.commit, channel: name.clone() };
        channel.map(Arc::make_mut).ok_or_else(missing)
    }

    fn show(&mut self, name: &ChannelName, before: &Self, shown: &Shown, place: &Place) -> Result<(), FoldError> {
        let channel = self.channel_mut(name, place)?;
        let nothing = Channel::default();
        let before = before.channel(name).unwrap_or(&nothing);
        let pages = Turnover::between(before, channel).carry_out(before.pages(), &shown.pages);
        let unfit = || FoldError::Pages { commit: place.commit, channel: name.clone() };
        channel.pages = Arc::new(pages.ok_or_else(unfit)?);
        let view = Arc::new(shown.view.clone());
        channel.views.insert(View { commit: place.commit, at: place.at, blobs: Arc::clone(&view) });
        self.name_documents_of(&view);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ledger::{Author, Digest};
    use serde_json::json;

    use super::*;
    use crate::repodata::{DocumentRecord, Member, MetadataKind, PageMembers};
    use crate::state::{ChannelView, PageStep};

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn view(time: u64, primary: &str) -> ChannelView {
        let documents = vec![DocumentRecord {
            kind: MetadataKind::Primary,
            compression: None,
            digest: digest(primary),
            size: 1,
            open_digest: None,
            open_size: 1,
            time,
        }];
        let (repomd, signature) = (digest(&format!("repomd {time}")), digest(&format!("signature {time}")));
        ChannelView { time, key: "key".to_owned(), repomd, signature, documents }
    }

    fn fresh(packages: usize) -> PageStep {
        let member = Member { digest: digest("member"), size: 1, open_size: 1 };
        PageStep::Fresh { packages, members: PageMembers { primary: member, filelists: member, other: member } }
    }

    fn shown(time: u64, primary: &str, pages: &[PageStep]) -> Shown {
        Shown { view: view(time, primary), pages: pages.to_vec() }
    }

    fn record(nevra: &str, bytes: &str) -> PackageRecord {
        PackageRecord {
            nevra: nevra.parse().unwrap(),
            sha256: digest(bytes),
            size: 1,
            time: 1,
            fragments: digest("fragments"),
            uploaded: None,
            epoch_in_name: false,
        }
    }

    fn ana() -> Author {
        Author { who: "ana".to_owned(), from: "ci".to_owned(), why: None }
    }

    /// A commit as it comes from a store.
    fn commit(number: u64, actions: Vec<Action>, shown: &[(&str, Shown)]) -> Commit<Change> {
        let shown = shown.iter().map(|(name, shown)| (name.parse().unwrap(), shown.clone())).collect();
        let entries = actions.into_iter().map(|action| Entry { author: ana(), action }).collect();
        serde_json::from_value(json!({
            "schema": 1,
            "number": number,
            "previous": "0".repeat(64),
            "writer": "00000000-0000-0000-0000-000000000000",
            "at": "2026-01-01T00:00:00Z",
            "author": { "who": "pkg serve", "from": "host" },
            "payload": Change { entries, shown },
        }))
        .unwrap()
    }

    fn created() -> Commit<Change> {
        let channels = vec!["dev".parse().unwrap(), "prod".parse().unwrap()];
        let action = Action::ChannelsCreated { channels };
        commit(1, vec![action], &[("dev", shown(10, "empty", &[])), ("prod", shown(10, "empty", &[]))])
    }

    fn publish(packages: Vec<PackageRecord>) -> Action {
        Action::Published { channel: "dev".parse().unwrap(), packages }
    }

    fn published(number: u64, packages: Vec<PackageRecord>) -> Commit<Change> {
        let pages = [fresh(packages.len())];
        commit(number, vec![publish(packages)], &[("dev", shown(10 + number, &format!("primary {number}"), &pages))])
    }

    fn folded(commits: &[Commit<Change>]) -> Result<RepositoryState, FoldError> {
        let mut state = RepositoryState::default();
        commits.iter().try_for_each(|commit| state.apply(commit))?;
        Ok(state)
    }

    #[test]
    fn commits_add_up() {
        let (dev, prod): (ChannelName, ChannelName) = ("dev".parse().unwrap(), "prod".parse().unwrap());
        let app: Nevra = "app-1-1.noarch".parse().unwrap();
        let promoted = Action::Promoted {
            from: dev.clone(),
            to: vec![prod.clone()],
            packages: vec![app.clone()],
            attached: Vec::new(),
        };
        let withdrawn = Action::Withdrawn { channel: dev.clone(), packages: vec![app.clone()] };
        let commits = [
            created(),
            published(2, vec![record("app-1-1.noarch", "a"), record("tool-1-1.noarch", "b")]),
            commit(3, vec![promoted], &[("prod", shown(13, "primary 3", &[fresh(1)]))]),
            commit(4, vec![withdrawn], &[("dev", shown(14, "primary 4", &[fresh(1)]))]),
        ];
        let state = folded(&commits).unwrap();
        assert_eq!(state.position().number, 4);
        let (in_dev, in_prod) = (state.channel(&dev).unwrap(), state.channel(&prod).unwrap());
        assert_eq!(in_dev.listed().keys().map(ToString::to_string).collect::<Vec<_>>(), ["tool-1-1.noarch"]);
        assert_eq!((in_prod.listed()[&app].commit, &*in_prod.listed()[&app].who), (3, "ana"));
        assert!(in_dev.file("app-1-1.noarch.rpm").is_some() && in_prod.file("tool-1-1.noarch.rpm").is_none());
        assert_eq!(in_dev.view().unwrap().0, 4);
        for (at, time) in [(1, 10), (2, 12), (3, 12), (4, 14), (9, 14)] {
            assert_eq!(in_dev.view_at(at).unwrap().blobs.time, time, "as of commit {at}");
        }
        assert!(in_dev.view_at(0).is_none());
        for (primary, time) in [("empty", 10), ("primary 2", 12), ("primary 4", 14)] {
            assert_eq!(state.metadata(&digest(primary)).unwrap().time, time, "{primary}");
        }
        assert_eq!(state.metadata(&digest("repomd 10")), None, "repomd.xml has no hashed name");
    }

    #[test]
    fn pages_follow_the_packages() {
        let name = |number: usize| format!("app-{number}-1.noarch");
        let records =
            |range: std::ops::Range<usize>| range.map(|number| record(&name(number), &name(number))).collect();
        let publish = |range| publish(records(range));
        let withdraw = |number| {
            let packages = vec![name(number).parse().unwrap()];
            Action::Withdrawn { channel: "dev".parse().unwrap(), packages }
        };
        let kept = |from, count| PageStep::Kept { from, count };
        let change = |number, actions, pages: &[PageStep]| {
            commit(number, actions, &[("dev", shown(10 + number, "primary", pages))])
        };
        let mut state = folded(&[created(), change(2, vec![publish(0..5)], &[fresh(3), fresh(2)])]).unwrap();
        for (number, actions, pages, expected) in [
            (3, vec![publish(5..6)], vec![kept(0, 2), fresh(1)], vec!["012", "34", "5"]),
            (4, vec![withdraw(3), publish(6..7)], vec![kept(0, 1), fresh(3)], vec!["012", "456"]),
            (5, vec![withdraw(0), withdraw(1)], vec![fresh(1), kept(1, 1)], vec!["2", "456"]),
            (6, vec![withdraw(2)], vec![kept(1, 1)], vec!["456"]),
            // What is taken and given back by one commit stays where it was.
            (7, vec![withdraw(5), publish(5..6)], vec![kept(0, 1)], vec!["456"]),
            (8, vec![publish(2..3)], vec![fresh(1), fresh(3)], vec!["4", "562"]),
        ] {
            state.apply(&change(number, actions, &pages)).unwrap();
            let pages = state.channel(&"dev".parse().unwrap()).unwrap().pages();
            let digit = |package: &Arc<PackageRecord>| package.nevra.evr.version().to_owned();
            let pages: Vec<String> = pages.iter().map(|page| page.packages.iter().map(digit).collect()).collect();
            assert_eq!(pages, expected, "commit {number}");
        }
        for pages in [
            vec![],
            vec![kept(0, 2)],
            vec![kept(0, 3), fresh(1)],
            vec![kept(1, 1), kept(0, 1), fresh(1)],
            vec![kept(0, 2), fresh(2)],
            vec![kept(0, 2), fresh(0), fresh(1)],
            vec![kept(0, usize::MAX), kept(1, usize::MAX)],
            vec![fresh(4), kept(1, 1), fresh(1)],
        ] {
            let error = state.clone().apply(&change(9, vec![publish(9..10)], &pages)).unwrap_err();
            assert_eq!(error, FoldError::Pages { commit: 9, channel: "dev".parse().unwrap() }, "{pages:?}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let (dev, nope): (ChannelName, ChannelName) = ("dev".parse().unwrap(), "nope".parse().unwrap());
        let app: Nevra = "app-1-1.noarch".parse().unwrap();
        let packages = vec![app.clone()];
        let unknown_channel =
            Action::Published { channel: nope.clone(), packages: vec![record("app-1-1.noarch", "a")] };
        let unknown_package = Action::Withdrawn { channel: dev.clone(), packages };
        let no_view = Action::Withdrawn { channel: dev.clone(), packages: Vec::new() };
        let first = published(2, vec![record("app-1-1.noarch", "a")]);
        let other = published(3, vec![record("app-1-1.noarch", "other")]);
        let shown = [("dev", shown(12, "primary", &[]))];
        for (commits, expected) in [
            (vec![created(), commit(2, vec![unknown_channel], &[])], FoldError::Channel { commit: 2, channel: nope }),
            (
                vec![created(), commit(2, vec![unknown_package], &shown)],
                FoldError::Package { commit: 2, nevra: app.clone() },
            ),
            (vec![created(), commit(2, vec![no_view], &[])], FoldError::View { commit: 2, channel: dev }),
            (vec![created(), first, other], FoldError::Bytes { commit: 3, nevra: app }),
        ] {
            assert_eq!(folded(&commits).unwrap_err(), expected);
        }
    }

    /// Ledgers outlive programs: what was written once has to be read for ever.
    #[test]
    fn the_written_form_stays() {
        let member = json!({ "digest": digest("member").to_string(), "size": 1, "open_size": 1 });
        let change = json!({
            "entries": [{
                "author": { "who": "ana", "from": "ci" },
                "action": { "kind": "promoted", "from": "dev", "to": ["prod"], "packages": ["app-1-1.noarch"] },
            }],
            "shown": { "prod": {
                "time": 13,
                "key": "key",
                "repomd": digest("repomd 13").to_string(),
                "signature": digest("signature 13").to_string(),
                "documents": [{
                    "kind": "primary",
                    "compression": null,
                    "digest": digest("p").to_string(),
                    "size": 1,
                    "open_digest": null,
                    "open_size": 1,
                    "time": 13,
                }],
                "pages": [
                    { "kept": { "from": 0, "count": 2 } },
                    { "fresh": {
                        "packages": 1,
                        "members": { "primary": member, "filelists": member, "other": member },
                    } },
                ],
            } },
        });
        let read: Change = serde_json::from_value(change.clone()).unwrap();
        let pages = [PageStep::Kept { from: 0, count: 2 }, fresh(1)];
        assert_eq!(read.shown[&"prod".parse().unwrap()], shown(13, "p", &pages));
        assert_eq!(serde_json::to_value(&read).unwrap(), change);
    }
}
