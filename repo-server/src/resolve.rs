//! From what a person writes to the one package that is meant.

use std::sync::Arc;

use nevra::{Nevra, PackageQuery};
use repo_api::{ChannelName, Moment, TagName};

use crate::error::RepositoryError;
use crate::policy::PolicyError;
use crate::state::Channel;
use crate::state::RepositoryState;
use crate::state::{PackageRecord, Tag};

/// Finds a channel.
pub(crate) fn channel<'a>(state: &'a RepositoryState, name: &ChannelName) -> Result<&'a Channel, RepositoryError> {
    state.channel(name).ok_or_else(|| RepositoryError::UnknownChannel {
        channel: name.clone(),
        known: state.channels().keys().map(ToString::to_string).collect(),
    })
}

/// Finds a tag.
pub(crate) fn tag<'a>(state: &'a RepositoryState, name: &TagName) -> Result<&'a Tag, RepositoryError> {
    let known = || state.tags().keys().map(ToString::to_string).collect();
    let unknown = || PolicyError::UnknownTag { tag: name.clone(), known: known() };
    state.tags().get(name).ok_or_else(|| unknown().into())
}

/// Finds the commit of a moment.
pub(crate) fn moment(state: &RepositoryState, moment: Option<&Moment>) -> Result<u64, RepositoryError> {
    let newest = state.position().number;
    match moment {
        None => Ok(newest),
        Some(Moment::Commit(at)) if *at > newest => Err(PolicyError::UnknownCommit { at: *at, newest }.into()),
        Some(Moment::Commit(at)) => Ok(*at),
        Some(Moment::Tag(name)) => tag(state, name).map(|tag| tag.at),
    }
}

/// Finds the one package, of those that a channel lists, that a query names with its version.
pub(crate) fn listed_package(
    state: &RepositoryState,
    name: &ChannelName,
    query: &PackageQuery,
) -> Result<Arc<PackageRecord>, RepositoryError> {
    let channel = channel(state, name)?;
    one(name, query, &channel.matching(query))?.ok_or_else(|| {
        let alike = channel.listed().keys().filter(|nevra| is_alike(query, nevra)).rev();
        let candidates = alike.map(ToString::to_string).collect();
        RepositoryError::UnknownPackage { query: query.clone(), channel: name.clone(), candidates }
    })
}

/// Finds the one package, of those that a channel lists or listed, that a query names with its version.
pub(crate) fn package_to_withdraw(
    state: &RepositoryState,
    name: &ChannelName,
    query: &PackageQuery,
) -> Result<Arc<PackageRecord>, RepositoryError> {
    let channel = channel(state, name)?;
    if channel.matching(query).is_empty() {
        // Withdrawn already, perhaps by this very request, whose answer was lost.
        if let Some(package) = one(name, query, &channel.ever_matching(query))? {
            return Ok(package);
        }
    }
    listed_package(state, name, query)
}

fn one(
    channel: &ChannelName,
    query: &PackageQuery,
    matching: &[&Arc<PackageRecord>],
) -> Result<Option<Arc<PackageRecord>>, RepositoryError> {
    match matching {
        [] => Ok(None),
        [package] if !query.is_name_of(&package.nevra) => Ok(Some(Arc::clone(package))),
        several => {
            let mut candidates: Vec<&Nevra> = several.iter().map(|package| &package.nevra).collect();
            candidates.sort_unstable();
            Err(RepositoryError::AmbiguousPackage {
                query: query.clone(),
                channel: channel.clone(),
                candidates: candidates.into_iter().rev().map(ToString::to_string).collect(),
            })
        }
    }
}

/// Tells whether a query that names nothing is at least about a package of this name.
fn is_alike(query: &PackageQuery, nevra: &Nevra) -> bool {
    query.as_str().strip_prefix(nevra.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
