//! What a reader may see: the packages that channels list, or listed, which may be read with the reader's token.

use std::collections::BTreeMap;
use std::sync::Arc;

use nevra::Nevra;
use repo_api::ChannelName;

use crate::state::{Channel, PackageRecord, RepositoryState};

/// A state, as far as a reader may see it.
#[derive(Debug, Clone)]
pub(crate) struct Visible {
    pub(crate) state: Arc<RepositoryState>,
    channels: BTreeMap<ChannelName, Arc<Channel>>,
}

impl Visible {
    /// The channels that may be read.
    pub(crate) fn new(state: Arc<RepositoryState>, may_read: impl Fn(&ChannelName) -> bool) -> Self {
        let channels = state.channels().iter().filter(|(name, _)| may_read(name));
        let channels = channels.map(|(name, channel)| (name.clone(), Arc::clone(channel))).collect();
        Self { state, channels }
    }

    /// The channels by name.
    pub(crate) fn channels(&self) -> &BTreeMap<ChannelName, Arc<Channel>> {
        &self.channels
    }

    /// Tells whether there is more than may be seen.
    pub(crate) fn hides_any(&self) -> bool {
        self.channels.len() < self.state.channels().len()
    }

    /// One channel.
    pub(crate) fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.channels.get(name).map(Arc::as_ref)
    }

    /// A package that a channel lists or listed.
    pub(crate) fn package(&self, nevra: &Nevra) -> Option<&Arc<PackageRecord>> {
        self.channels.values().find_map(|channel| channel.history().get(nevra)).map(|presence| &presence.package)
    }

    /// Tells whether a package may be seen.
    pub(crate) fn has(&self, nevra: &Nevra) -> bool {
        self.package(nevra).is_some()
    }

    /// All versions of a package, by its name as it is written in URLs; the newest first.
    pub(crate) fn versions(&self, name: &str) -> Vec<&Arc<PackageRecord>> {
        // The written form of a name that needs no escape is the name.
        let is_meant = |nevra: &Nevra| match name.contains('=') {
            false => nevra.name.as_str() == name,
            true => super::of_package(nevra) == name,
        };
        let known = self.state.packages().values();
        let mut versions: Vec<_> =
            known.filter(|package| is_meant(&package.nevra) && self.has(&package.nevra)).collect();
        versions.sort_by(|left, right| {
            let by_version = right.nevra.evr.compare(&left.nevra.evr);
            by_version.then_with(|| left.nevra.arch.cmp(&right.nevra.arch))
        });
        versions
    }

    /// The channels that list a package now.
    pub(crate) fn listing<'a>(&'a self, nevra: &'a Nevra) -> impl Iterator<Item = &'a ChannelName> {
        self.channels.iter().filter(|(_, channel)| channel.listed().contains_key(nevra)).map(|(name, _)| name)
    }
}
