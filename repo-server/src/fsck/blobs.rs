//! Every blob that the ledger names, read and compared with its digest.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt, stream};
use ledger::{BlobStanding, Digest, Store};

use super::finding::FsckReport;
use crate::error::RepositoryError;
use crate::state::{Channel, RepositoryState};

const SIDE_BY_SIDE: usize = 8;

/// The blobs that are named, and by what.
#[derive(Debug, Default)]
pub(super) struct Named(BTreeMap<Digest, Vec<String>>);

/// What became of the blobs that were looked at.
#[derive(Debug, Default)]
pub(super) struct Standings {
    of: HashMap<Digest, BlobStanding>,
}

impl Named {
    /// Everything that a state names.
    pub(super) fn of(state: &RepositoryState) -> Self {
        let mut named = Self::default();
        for package in state.packages().values() {
            named.add(package.fragments, || format!("the metadata of {}", package.nevra));
        }
        for (name, channel) in state.channels() {
            for file in channel.files().values() {
                named.add(file.package.sha256, || format!("{} in channel {name}", file.name));
            }
            for digest in channel.attachments().blobs() {
                named.add(*digest, || format!("what channel {name} shows beside its packages"));
            }
            for (number, page) in channel.pages().iter().enumerate() {
                for member in page.members.all() {
                    named.add(member.digest, || format!("page {number} of channel {name}"));
                }
            }
            named.add_views(&format!("channel {name}"), channel);
        }
        named
    }

    fn add_views(&mut self, name: &str, channel: &Channel) {
        for view in channel.views().values() {
            let at = |what: &str| format!("{what} of {name} as of commit {}", view.commit);
            self.add(view.blobs.repomd, || at("repomd.xml"));
            self.add(view.blobs.signature, || at("repomd.xml.asc"));
            for document in &view.blobs.documents {
                self.add(document.digest, || at(document.kind.name()));
            }
        }
    }

    fn add(&mut self, digest: Digest, by: impl FnOnce() -> String) {
        self.0.entry(digest).or_default().push(by());
    }

    /// By what a blob is named.
    pub(super) fn by(&self, digest: &Digest) -> &[String] {
        self.0.get(digest).map(Vec::as_slice).unwrap_or_default()
    }

    /// Looks at all of them.
    pub(super) async fn look(&self, store: &Store) -> Result<Standings, RepositoryError> {
        let looks = stream::iter(self.0.keys().copied())
            .map(|digest| async move { store.verify_blob(&digest).await.map(|standing| (digest, standing)) });
        let of = looks.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(Standings { of })
    }
}

impl Standings {
    /// How many blobs were looked at.
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// The blobs that are not whole.
    pub(super) fn wrong(&self) -> Vec<Digest> {
        let mut wrong: Vec<Digest> = self
            .of
            .iter()
            .filter(|(_, standing)| **standing != BlobStanding::Whole)
            .map(|(digest, _)| *digest)
            .collect();
        wrong.sort_unstable();
        wrong
    }

    /// Says what is wrong with those that are, and whether they are whole by now.
    pub(super) async fn report(
        &self,
        store: &Store,
        named: &Named,
        report: &mut FsckReport,
    ) -> Result<(), RepositoryError> {
        for digest in self.wrong() {
            let what = match self.of.get(&digest) {
                Some(BlobStanding::Missing) => "missing",
                _ => "not what its name says",
            };
            let mended = store.verify_blob(&digest).await? == BlobStanding::Whole;
            report.find(format!("blob `{digest}` is {what}"), named.by(&digest), mended);
        }
        Ok(())
    }
}
