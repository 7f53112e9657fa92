//! The repository as of one commit: a pure fold over the ledger's commits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ledger::{Commit, Digest, Position};
use nevra::Nevra;
use repo_api::ChannelName;

use crate::change::{Action, Change, ChannelView, PackageRecord};
use crate::channel::{Channel, View};
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn view(time: u64, primary: &str) -> ChannelView {
        ChannelView {
            time,
            key: "key".to_owned(),
            repomd: digest(&format!("repomd {time}")),
            signature: digest(&format!("signature {time}")),
            primary: digest(primary),
            filelists: digest("filelists"),
            other: digest("other"),
        }
    }

    fn record(nevra: &str, bytes: &str) -> PackageRecord {
        PackageRecord {
            nevra: nevra.parse().unwrap(),
            sha256: digest(bytes),
            size: 1,
            time: 1,
            fragments: digest("fragments"),
        }
    }

    /// A commit as it comes from a store.
    fn commit(number: u64, action: Action, shown: &[(&str, ChannelView)]) -> Commit<Change> {
        let shown = shown.iter().map(|(name, view)| (name.parse().unwrap(), view.clone())).collect();
        serde_json::from_value(json!({
            "schema": 1,
            "number": number,
            "previous": "0".repeat(64),
            "writer": "00000000-0000-0000-0000-000000000000",
            "at": "2026-01-01T00:00:00Z",
            "author": { "who": "ana", "from": "ci" },
            "payload": Change { action, shown },
        }))
        .unwrap()
    }

    fn created() -> Commit<Change> {
        let channels = vec!["dev".parse().unwrap(), "prod".parse().unwrap()];
        commit(1, Action::ChannelsCreated { channels }, &[("dev", view(10, "empty")), ("prod", view(10, "empty"))])
    }

    fn published(number: u64, packages: Vec<PackageRecord>) -> Commit<Change> {
        let action = Action::Published { channel: "dev".parse().unwrap(), packages };
        commit(number, action, &[("dev", view(10 + number, &format!("primary {number}")))])
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
        let promoted = Action::Promoted { from: dev.clone(), to: prod.clone(), packages: vec![app.clone()] };
        let withdrawn = Action::Withdrawn { channel: dev.clone(), packages: vec![app.clone()] };
        let commits = [
            created(),
            published(2, vec![record("app-1-1.noarch", "a"), record("tool-1-1.noarch", "b")]),
            commit(3, promoted, &[("prod", view(13, "primary 3"))]),
            commit(4, withdrawn, &[("dev", view(14, "primary 4"))]),
        ];
        let state = folded(&commits).unwrap();
        assert_eq!(state.position().number, 4);
        let (in_dev, in_prod) = (state.channel(&dev).unwrap(), state.channel(&prod).unwrap());
        assert_eq!(in_dev.listed().keys().map(ToString::to_string).collect::<Vec<_>>(), ["tool-1-1.noarch"]);
        assert_eq!(in_prod.listed()[&app].commit, 3);
        assert!(in_dev.file("app-1-1.noarch.rpm").is_some() && in_prod.file("tool-1-1.noarch.rpm").is_none());
        assert_eq!(in_dev.view().unwrap().0, 4);
        for (at, time) in [(1, 10), (2, 12), (3, 12), (4, 14), (9, 14)] {
            assert_eq!(in_dev.view_at(at).unwrap().blobs.time, time, "as of commit {at}");
        }
        assert!(in_dev.view_at(0).is_none());
        for (primary, time) in [("empty", 10), ("primary 2", 12), ("primary 4", 14)] {
            let expected = MetadataRecord { kind: MetadataKind::Primary, time };
            assert_eq!(state.metadata(&digest(primary)), Some(&expected), "{primary}");
        }
        assert_eq!(state.metadata(&digest("repomd 10")), None, "repomd.xml has no hashed name");
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
        let shown = [("dev", view(12, "primary"))];
        for (commits, expected) in [
            (vec![created(), commit(2, unknown_channel, &[])], FoldError::Channel { commit: 2, channel: nope }),
            (vec![created(), commit(2, unknown_package, &shown)], FoldError::Package { commit: 2, nevra: app.clone() }),
            (vec![created(), commit(2, no_view, &[])], FoldError::View { commit: 2, channel: dev }),
            (vec![created(), first, other], FoldError::Bytes { commit: 3, nevra: app }),
        ] {
            assert_eq!(folded(&commits).unwrap_err(), expected);
        }
    }

    /// Ledgers outlive programs: what was written once has to be read for ever.
    #[test]
    fn the_written_form_stays() {
        let change = json!({
            "action": { "kind": "promoted", "from": "dev", "to": "prod", "packages": ["app-1-1.noarch"] },
            "shown": { "prod": {
                "time": 13,
                "key": "key",
                "repomd": digest("repomd 13").to_string(),
                "signature": digest("signature 13").to_string(),
                "primary": digest("p").to_string(),
                "filelists": digest("filelists").to_string(),
                "other": digest("other").to_string(),
            } },
        });
        let read: Change = serde_json::from_value(change.clone()).unwrap();
        assert_eq!(read.shown[&"prod".parse().unwrap()], view(13, "p"));
        assert_eq!(serde_json::to_value(&read).unwrap(), change);
    }
}
