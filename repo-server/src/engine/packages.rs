//! Publishing, promoting and withdrawing.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Author, Digest};
use nevra::{Nevra, PackageQuery};
use repo_api::{ChannelName, ChannelSettings, SignaturePolicy};

use super::attachments::AdvisoryAbout;
use super::group::Decision;
use super::repository::{HEADERS_AT_ONCE, Outcome, Repository, seconds_now};
use crate::admission::{Candidate, Upload, admit, examine};
use crate::door::Door;
use crate::error::RepositoryError;
use crate::policy::{Intake, PolicyError};
use crate::resolve;
use crate::state::{Action, Channel, PackageRecord, RepositoryState};

/// How long a file that was sent and not published need not be sent again: half of the grace that it has at least.
const UPLOAD_COUNTS: TimeDelta = TimeDelta::hours(84);

impl Repository {
    /// Lists uploaded packages in a channel, all of them in one commit.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn publish(
        &self,
        channel: &ChannelName,
        uploads: &[Upload],
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        named(uploads)?;
        let mut with_epoch = BTreeSet::new();
        loop {
            match self.publish_named(channel, uploads, &with_epoch, author.clone()).await {
                Err(RepositoryError::FileNameTaken { nevra, .. }) if with_epoch.insert(nevra.clone()) => {}
                other => return other,
            }
        }
    }

    async fn publish_named(
        &self,
        channel: &ChannelName,
        uploads: &[Upload],
        with_epoch: &BTreeSet<Nevra>,
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        let settings = resolve::channel(&self.state(), channel)?.settings().clone();
        Intake::check_source(channel, &settings, None)?;
        let now = seconds_now();
        let door = self.door(channel, &settings)?;
        let examine = |upload: &Upload| self.examine(upload.clone(), &door, now, with_epoch);
        let examined: Vec<_> = uploads.iter().map(examine).collect();
        self.refresh().await?;
        let collected = self.state().last_collection();
        let candidates: Vec<_> = stream::iter(examined).buffered(HEADERS_AT_ONCE).try_collect().await?;
        let channel = channel.clone();
        self.change(author, move |state| {
            if state.last_collection() != collected {
                // What was found in the store may be there no longer.
                return Err(RepositoryError::Collected);
            }
            let found = resolve::channel(state, &channel)?;
            same_settings(&channel, found, &settings)?;
            let listed = found.listed();
            let packages = admit(state, &candidates)?;
            let mut new: Vec<PackageRecord> = Vec::new();
            for package in &packages {
                if !listed.contains_key(&package.nevra) && !new.contains(package) {
                    new.push(package.clone());
                }
            }
            let action = Action::Published { channel: channel.clone(), packages: new.clone() };
            Ok(Decision { action: (!new.is_empty()).then_some(action), packages })
        })
        .await
    }

    /// Lists packages of one channel in others too, all of them in one commit.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channels are unchanged then.
    pub async fn promote(
        &self,
        queries: &[PackageQuery],
        from: &ChannelName,
        to: &[ChannelName],
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        named(queries)?;
        let checked = self.check_promotion(queries, from, to).await?;
        let advisories = self.advisories(from).await?;
        let (queries, from, to) = (queries.to_vec(), from.clone(), to.to_vec());
        self.change(author, move |state| {
            let packages = listed(state, &from, &queries)?;
            let nevras = distinct(&packages);
            checked.hold(state, &packages)?;
            let mut lacking = Vec::new();
            for name in &to {
                let listed = resolve::channel(state, name)?.listed();
                if nevras.iter().any(|nevra| !listed.contains_key(nevra)) && !lacking.contains(name) {
                    lacking.push(name.clone());
                }
            }
            let is_new = |nevra: &Nevra| {
                lacking.iter().filter_map(|name| state.channel(name)).any(|to| !to.listed().contains_key(nevra))
            };
            let packages_new: Vec<Nevra> = nevras.into_iter().filter(is_new).collect();
            let is_change = !lacking.is_empty();
            let there = resolve::channel(state, &from)?.attachments();
            let attached = advisories.iter().filter(|advisory| advisory.goes_with(&packages_new, there));
            let attached = attached.map(AdvisoryAbout::change).collect();
            let action = Action::Promoted { from: from.clone(), to: lacking, packages: packages_new, attached };
            Ok(Decision { action: is_change.then_some(action), packages })
        })
        .await
    }

    /// Lists packages in a channel no longer, all of them in one commit. Their files keep their URLs.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn withdraw(
        &self,
        channel: &ChannelName,
        queries: &[PackageQuery],
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        named(queries)?;
        let (channel, queries) = (channel.clone(), queries.to_vec());
        self.change(author, move |state| {
            let listed = resolve::channel(state, &channel)?.listed();
            let find = |query| resolve::package_to_withdraw(state, &channel, query);
            let find = |query| find(query).map(|package| PackageRecord::clone(&package));
            let packages: Vec<PackageRecord> = queries.iter().map(find).collect::<Result<_, _>>()?;
            let mut gone = distinct(&packages);
            gone.retain(|nevra| listed.contains_key(nevra));
            let is_listed = !gone.is_empty();
            let action = Action::Withdrawn { channel: channel.clone(), packages: gone };
            Ok(Decision { action: is_listed.then_some(action), packages })
        })
        .await
    }

    /// Gives the size of a file that need not be sent; `None` where it has to be sent, also because it has lain in the
    /// store for so long without being listed that it may be deleted at any time. Sent again, it counts as new.
    ///
    /// # Errors
    /// [`RepositoryError`] where the store can't be read.
    pub async fn uploaded(&self, digest: &Digest) -> Result<Option<u64>, RepositoryError> {
        let Some(modified) = self.store.blob_modified(digest).await? else { return Ok(None) };
        let state = self.state();
        let is_listed = || {
            let listed = state.channels().values().flat_map(|channel| channel.listed().values());
            listed.map(|listing| &listing.package.sha256).any(|sha256| sha256 == digest)
        };
        if Utc::now() - modified > UPLOAD_COUNTS && !is_listed() {
            return Ok(None);
        }
        Ok(self.store.blob_size(digest).await?)
    }

    async fn examine(
        &self,
        upload: Upload,
        door: &Door,
        now: u64,
        with_epoch: &BTreeSet<Nevra>,
    ) -> Result<Candidate, RepositoryError> {
        let _permit = self.headers.acquire().await.map_err(|_| RepositoryError::Stopping)?;
        examine(self.store.clone(), upload, door, now, with_epoch).await
    }

    fn door(&self, channel: &ChannelName, settings: &ChannelSettings) -> Result<Door, RepositoryError> {
        let now = u32::try_from(seconds_now()).unwrap_or(u32::MAX);
        Ok(Door { channel: channel.clone(), intake: Intake::of(channel, settings)?, keys: self.keys.keys(), now })
    }

    /// Checks that channels take in what they are to get.
    async fn check_promotion(
        &self,
        queries: &[PackageQuery],
        from: &ChannelName,
        to: &[ChannelName],
    ) -> Result<Checked, RepositoryError> {
        let mut checked = Checked::default();
        for name in to {
            let state = self.state();
            let settings = resolve::channel(&state, name)?.settings().clone();
            Intake::check_source(name, &settings, Some(from))?;
            let door = self.door(name, &settings)?;
            if !matches!(door.intake, Intake::Any) {
                // Another server may have published them just now.
                self.refresh().await?;
                for package in listed(&self.state(), from, queries)? {
                    let _permit = self.headers.acquire().await.map_err(|_| RepositoryError::Stopping)?;
                    door.check(&self.store, &package).await?;
                    checked.packages.insert((name.clone(), package.sha256));
                }
            }
            checked.settings.push((name.clone(), settings));
        }
        Ok(checked)
    }
}

/// What was found to be fit for channels with their settings.
#[derive(Debug, Default)]
struct Checked {
    settings: Vec<(ChannelName, ChannelSettings)>,
    /// Packages whose signatures hold for channels that ask for them.
    packages: BTreeSet<(ChannelName, Digest)>,
}

impl Checked {
    /// Makes sure that it is still so.
    fn hold(&self, state: &RepositoryState, packages: &[PackageRecord]) -> Result<(), RepositoryError> {
        for (name, settings) in &self.settings {
            same_settings(name, resolve::channel(state, name)?, settings)?;
            let asks = settings.signatures != SignaturePolicy::Any;
            let is_new = |package: &PackageRecord| !self.packages.contains(&(name.clone(), package.sha256));
            if asks && packages.iter().any(is_new) {
                return Err(PolicyError::Meanwhile(name.clone()).into());
            }
        }
        Ok(())
    }
}

fn same_settings(name: &ChannelName, channel: &Channel, settings: &ChannelSettings) -> Result<(), RepositoryError> {
    if channel.settings() == settings { Ok(()) } else { Err(PolicyError::Meanwhile(name.clone()).into()) }
}

fn listed(
    state: &RepositoryState,
    channel: &ChannelName,
    queries: &[PackageQuery],
) -> Result<Vec<PackageRecord>, RepositoryError> {
    let find = |query| resolve::listed_package(state, channel, query).map(|package| PackageRecord::clone(&package));
    queries.iter().map(find).collect()
}

/// Their names, each once, in order.
fn distinct(packages: &[PackageRecord]) -> Vec<Nevra> {
    let mut nevras: Vec<_> = packages.iter().map(|package| package.nevra.clone()).collect();
    nevras.sort_unstable();
    nevras.dedup();
    nevras
}

fn named<T>(packages: &[T]) -> Result<(), RepositoryError> {
    if packages.is_empty() { Err(RepositoryError::NothingNamed) } else { Ok(()) }
}
