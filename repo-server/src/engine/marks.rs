//! Which blobs are needed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Digest, Store};
use nevra::Nevra;
use repo_api::ChannelName;

use crate::environments::Environments;
use crate::error::RepositoryError;
use crate::state::{Channel, PackageRecord, RepositoryState, View};

const SIDE_BY_SIDE: usize = 16;

/// The blobs that are needed. Marks are only ever added: what was needed a moment ago is kept this time.
#[derive(Debug, Default)]
pub(super) struct Marks {
    needed: HashSet<Digest>,
    /// Documents whose parts are marked.
    followed: HashSet<Digest>,
}

/// What clients may still hold, besides what is shown now.
#[derive(Debug)]
pub(super) struct Keep {
    /// What was shown or listed since.
    pub(super) since: DateTime<Utc>,
    /// What hosts run or would go back to.
    pub(super) deployed: HashSet<Nevra>,
}

impl Marks {
    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.needed.contains(digest)
    }

    pub(super) fn add(&mut self, digest: Digest) {
        self.needed.insert(digest);
    }

    /// Marks what a state needs.
    pub(super) async fn mark(
        &mut self,
        store: &Store,
        state: &RepositoryState,
        keep: &Keep,
    ) -> Result<(), RepositoryError> {
        // The XML of a package is needed as soon as it comes back, and it is small.
        self.needed.extend(state.packages().values().map(|package| package.fragments));
        self.needed.extend(kept_packages(state, keep).iter().map(|package| package.sha256));
        let mut documents = Vec::new();
        for channel in state.channels().values() {
            self.needed.extend(channel.attachments().blobs().copied());
            for page in channel.pages() {
                self.needed.extend(page.members.all().map(|member| member.digest));
            }
            for view in kept_views(state, channel, keep) {
                self.needed.extend([view.blobs.repomd, view.blobs.signature]);
                let new = view.blobs.documents.iter().map(|document| document.digest);
                documents.extend(new.filter(|digest| self.followed.insert(*digest)));
            }
        }
        let composites =
            stream::iter(documents).map(|digest| async move { store.composite(&digest).await.map(|it| (digest, it)) });
        let composites: Vec<_> = composites.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        for (digest, composite) in composites {
            self.needed.insert(digest);
            self.needed.extend(composite.iter().flat_map(|composite| composite.parts()).map(|part| part.digest));
        }
        Ok(())
    }
}

/// The packages whose files are needed.
fn kept_packages<'a>(state: &'a RepositoryState, keep: &Keep) -> Vec<&'a Arc<PackageRecord>> {
    let mut kept = Vec::new();
    let tags: BTreeSet<u64> = state.tags().values().map(|tag| tag.at).collect();
    let held: HashSet<&Nevra> = state.environments().values().flat_map(|hold| &hold.packages).collect();
    for channel in state.channels().values() {
        for presence in channel.history().values() {
            let nevra = &presence.package.nevra;
            let lately = |commit: u64| {
                let view = channel.views().get(&commit);
                view.is_some_and(|view| view.at > keep.since)
            };
            let is_kept = presence.withdrawn_by().is_none_or(lately)
                || held.contains(nevra)
                || keep.deployed.contains(nevra)
                || tags.iter().any(|tag| presence.at(*tag).is_some());
            if is_kept {
                kept.push(&presence.package);
            }
        }
    }
    kept
}

/// What a channel shows, showed lately, or showed when a tag was set.
fn kept_views<'a>(state: &RepositoryState, channel: &'a Channel, keep: &Keep) -> Vec<&'a View> {
    let views: Vec<&View> = channel.views().values().collect();
    let is_kept = |index: usize| {
        let Some(next) = views.get(index + 1) else { return true };
        let tagged = |at: u64| (views[index].commit..next.commit).contains(&at);
        next.at > keep.since || state.tags().values().any(|tag| tagged(tag.at))
    };
    (0..views.len()).filter(|index| is_kept(*index)).map(|index| views[index]).collect()
}

/// The views of all channels that nobody needs any longer, by their commits.
pub(super) fn forgotten_views(state: &RepositoryState, keep: &Keep) -> BTreeMap<ChannelName, Vec<u64>> {
    let forgotten = |channel: &Channel| {
        let kept: HashSet<u64> = kept_views(state, channel, keep).iter().map(|view| view.commit).collect();
        let all = channel.views().values().map(|view| view.commit);
        all.filter(|commit| !kept.contains(commit)).collect::<Vec<_>>()
    };
    let channels = state.channels().iter().map(|(name, channel)| (name.clone(), forgotten(channel)));
    channels.filter(|(_, commits)| !commits.is_empty()).collect()
}

/// What the hosts of environments in the same store run or would go back to, as their ledgers say.
pub(super) async fn deployed(store: &Store) -> Result<HashSet<Nevra>, RepositoryError> {
    let environments = Environments::new(store).all().await.map_err(Box::new)?;
    Ok(environments.values().flat_map(|environment| environment.needs()).collect())
}
