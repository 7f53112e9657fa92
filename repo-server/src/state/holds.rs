//! Tags, and what environments run: what keeps packages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use nevra::Nevra;
use repo_api::TagName;

use super::repository_state::RepositoryState;

/// A name for the repository as of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The commit.
    pub at: u64,
    /// When it was set.
    pub set_at: DateTime<Utc>,
    /// By whom.
    pub set_by: Arc<str>,
    /// Why.
    pub why: Option<Arc<str>>,
}

/// What an environment's hosts run and would go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The packages.
    pub packages: BTreeSet<Nevra>,
    /// When it was said.
    pub said_at: DateTime<Utc>,
    /// By whom.
    pub said_by: Arc<str>,
}

/// All that keeps packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Holds {
    pub(super) tags: BTreeMap<TagName, Tag>,
    pub(super) environments: BTreeMap<TagName, Hold>,
}

impl RepositoryState {
    /// The tags by name.
    #[must_use]
    pub fn tags(&self) -> &BTreeMap<TagName, Tag> {
        &self.holds.tags
    }

    /// What environments hold, by their names.
    #[must_use]
    pub fn environments(&self) -> &BTreeMap<TagName, Hold> {
        &self.holds.environments
    }

    /// What holds a package, which is never to be collected then: `environment NAME` whose hosts run it or would go back
    /// to it, and `tag NAME` that names a commit as of which a channel lists it.
    #[must_use]
    pub fn holders(&self, nevra: &Nevra) -> Vec<String> {
        let environments = self.holds.environments.iter().filter(|(_, hold)| hold.packages.contains(nevra));
        let environments = environments.map(|(name, _)| format!("environment {name}"));
        let tags = self.holds.tags.iter().filter(|(_, tag)| self.was_listed(nevra, tag.at));
        environments.chain(tags.map(|(name, _)| format!("tag {name}"))).collect()
    }

    fn was_listed(&self, nevra: &Nevra, commit: u64) -> bool {
        self.channels.values().any(|channel| channel.history().get(nevra).is_some_and(|one| one.at(commit).is_some()))
    }
}
