//! Administering channels: settings, tags, holds, retention, keys, history.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use ledger::Author;
use nevra::Nevra;
use repo_api::{ChannelName, ChannelSettings, Log, LogEntry, LogQuery, TagName};

use super::group::Decision;
use super::repository::{Outcome, Repository, server_author};
use crate::error::RepositoryError;
use crate::policy::{Candidate, Intake, PolicyError, Sight, Verdict, judge, log_entries};
use crate::resolve;
use crate::signing::Standing;
use crate::state::{Action, Channel, RepositoryState};

/// How many changes are given at a time.
const LOG_LIMIT: usize = 500;
/// How many commits are looked through at a time.
const COMMITS_LIMIT: u64 = 5_000;

impl Repository {
    /// Creates a channel, or gives it other settings. `before` are those that it has as far as the client knows; `None`
    /// for a channel that has to be new.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn set_channel(
        &self,
        name: &ChannelName,
        settings: ChannelSettings,
        before: Option<ChannelSettings>,
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        Intake::of(name, &settings)?;
        let name = name.clone();
        self.administer(author, move |state| {
            match (state.channel(&name).map(|channel| channel.settings()), &before) {
                // So it was asked before, perhaps by this very request, whose answer was lost.
                (Some(known), _) if *known == settings => return Ok(None),
                (Some(_), None) => return Err(PolicyError::ChannelExists(name.clone()).into()),
                (Some(known), Some(before)) if known != before => {
                    return Err(PolicyError::SettingsChanged(name.clone()).into());
                }
                (None, Some(_)) => resolve::channel(state, &name).map(drop)?,
                _ => {}
            }
            Ok(Some(Action::ChannelSet { channel: name.clone(), settings: settings.clone() }))
        })
        .await
    }

    /// Removes a channel that lists nothing, neither now nor as of a tag. Its URLs end.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn remove_channel(&self, name: &ChannelName, author: Author) -> Result<Outcome, RepositoryError> {
        let name = name.clone();
        self.administer(author, move |state| {
            let found = resolve::channel(state, &name)?;
            let count = found.listed().len();
            if count > 0 {
                return Err(PolicyError::ChannelNotEmpty { channel: name.clone(), count }.into());
            }
            let shows = |at: u64| found.listed_at(at).next().is_some();
            if let Some((tag, _)) = state.tags().iter().find(|(_, tag)| shows(tag.at)) {
                return Err(PolicyError::ChannelTagged { channel: name.clone(), tag: tag.clone() }.into());
            }
            Ok(Some(Action::ChannelRemoved { channel: name.clone() }))
        })
        .await
    }

    /// Names a commit; the newest, where none is given. Gives its number, too.
    ///
    /// # Errors
    /// [`RepositoryError`]
    pub async fn set_tag(
        &self,
        tag: &TagName,
        at: Option<u64>,
        author: Author,
    ) -> Result<(Outcome, u64), RepositoryError> {
        let name = tag.clone();
        let outcome = self
            .administer(author, move |state| {
                let newest = state.position().number;
                let known = state.tags().get(&name).map(|tag| tag.at);
                let commit = at.or(known).unwrap_or(newest);
                if commit == 0 || commit > newest {
                    return Err(PolicyError::UnknownCommit { at: commit, newest }.into());
                }
                match known {
                    Some(known) if known == commit => Ok(None),
                    Some(at) => Err(PolicyError::TagTaken { tag: name.clone(), at }.into()),
                    None => Ok(Some(Action::Tagged { tag: name.clone(), at: commit })),
                }
            })
            .await?;
        let at = outcome.state.tags().get(tag).map_or(0, |tag| tag.at);
        Ok((outcome, at))
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`RepositoryError`]
    pub async fn remove_tag(&self, tag: &TagName, author: Author) -> Result<Outcome, RepositoryError> {
        let tag = tag.clone();
        self.administer(author, move |state| {
            resolve::tag(state, &tag)?;
            Ok(Some(Action::Untagged { tag: tag.clone() }))
        })
        .await
    }

    /// Keeps what an environment's hosts run and would go back to, and nothing that it held before.
    ///
    /// # Errors
    /// [`RepositoryError`]
    pub async fn hold(
        &self,
        environment: &TagName,
        packages: &[Nevra],
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        let packages: BTreeSet<Nevra> = packages.iter().cloned().collect();
        let environment = environment.clone();
        self.administer(author, move |state| {
            let known = state.environments().get(&environment).map(|hold| &hold.packages);
            if known.unwrap_or(&BTreeSet::new()) == &packages {
                return Ok(None);
            }
            let packages = packages.iter().cloned().collect();
            Ok(Some(Action::Held { environment: environment.clone(), packages }))
        })
        .await
    }

    /// Says what a channel's retention would withdraw.
    ///
    /// # Errors
    /// [`RepositoryError::UnknownChannel`]
    pub fn judge(&self, name: &ChannelName) -> Result<Verdict, RepositoryError> {
        verdict(&self.state(), name, Utc::now())
    }

    /// Withdraws what a channel's retention no longer keeps.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn retain(&self, name: &ChannelName, author: Author) -> Result<(Outcome, Verdict), RepositoryError> {
        // What holds is what was judged last: another server's commits may come in between.
        let judged = Arc::new(Mutex::new(self.judge(name)?));
        let (name, last) = (name.clone(), Arc::clone(&judged));
        let outcome = self
            .administer(author, move |state| {
                let verdict = verdict(state, &name, Utc::now())?;
                last.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&verdict);
                let retained = Action::Retained { channel: name.clone(), packages: verdict.go.clone() };
                Ok((!verdict.go.is_empty()).then_some(retained))
            })
            .await?;
        let verdict = judged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((outcome, verdict))
    }

    /// Applies the retention of every channel that has one.
    ///
    /// # Errors
    /// [`RepositoryError`]
    pub async fn retain_all(&self) -> Result<(), RepositoryError> {
        let state = self.state();
        for name in state.channels().keys() {
            if !verdict(&state, name, Utc::now())?.go.is_empty() {
                let why = state.channel(name).map(|channel| format!("retention {}", rules(channel.settings())));
                self.retain(name, Author { why, ..server_author() }).await?;
            }
        }
        Ok(())
    }

    /// Reads the keys again where they changed, and lets the key that signs now sign what earlier ones did.
    ///
    /// # Errors
    /// [`RepositoryError`]
    pub async fn follow_keys(&self) -> Result<(), RepositoryError> {
        self.keys.reload()?;
        let keys = self.keys.keys();
        let is_earlier = |state: &RepositoryState, name: &ChannelName| {
            let view = state.channel(name).and_then(|channel| channel.view());
            view.is_some_and(|(_, view)| keys.standing(&view.blobs.key) == Standing::Earlier)
        };
        let state = self.state();
        let stale: Vec<ChannelName> =
            state.channels().keys().filter(|name| is_earlier(&state, name)).cloned().collect();
        if stale.is_empty() {
            return Ok(());
        }
        let key = keys.fingerprint().to_owned();
        let author = Author { why: Some("another key signs".to_owned()), ..server_author() };
        self.administer(author, move |state| {
            // Another server of the same store may have been faster.
            let is_left = |name: &&ChannelName| {
                state.channel(name).and_then(|channel| channel.view()).is_some_and(|(_, view)| view.blobs.key != key)
            };
            let channels: Vec<_> = stale.iter().filter(is_left).cloned().collect();
            Ok((!channels.is_empty()).then(|| Action::Resigned { channels, key: key.clone() }))
        })
        .await
        .map(drop)
    }

    /// Gives a part of the history, the newest first, of those channels that `may_read` lets through; `None` asks whether
    /// it lets everything through.
    ///
    /// # Errors
    /// [`RepositoryError`]
    pub async fn log(
        &self,
        query: &LogQuery,
        may_read: impl Fn(Option<&ChannelName>) -> bool,
    ) -> Result<Log, RepositoryError> {
        let state = self.state();
        let sight = Readable { state: &state, may_read };
        let newest = state.position().number;
        let limit = query.limit.unwrap_or(LOG_LIMIT).min(LOG_LIMIT);
        let first = query.before.map_or(newest, |before| before.saturating_sub(1).min(newest));
        let mut entries = Vec::new();
        for number in (1..=first).rev() {
            if entries.len() >= limit || first - number >= COMMITS_LIMIT {
                return Ok(Log { entries, before: Some(number + 1) });
            }
            let Some(commit) = self.ledger.read(number).await? else { break };
            if query.since.is_some_and(|since| commit.at < since) {
                break;
            }
            let is_about =
                |entry: &LogEntry| query.channel.as_ref().is_none_or(|channel| entry.channels.contains(channel));
            entries.extend(log_entries(&commit, &sight).filter(is_about));
        }
        Ok(Log { entries, before: None })
    }

    async fn administer(
        &self,
        author: Author,
        decide: impl Fn(&RepositoryState) -> Result<Option<Action>, RepositoryError> + Send + Sync + 'static,
    ) -> Result<Outcome, RepositoryError> {
        self.change(author, move |state| Ok(Decision { action: decide(state)?, packages: Vec::new() })).await
    }
}

/// The history of the channels that a reader may read.
struct Readable<'a, F> {
    state: &'a RepositoryState,
    may_read: F,
}

impl<F: Fn(Option<&ChannelName>) -> bool> Sight for Readable<'_, F> {
    fn sees_channel(&self, name: &ChannelName) -> bool {
        (self.may_read)(Some(name))
    }

    fn sees_package(&self, nevra: &Nevra) -> bool {
        let has = |channel: &Channel| channel.history().get(nevra).is_some();
        let mut channels = self.state.channels().iter().filter(|(_, channel)| has(channel)).map(|(name, _)| name);
        channels.any(|name| (self.may_read)(Some(name))) || (self.may_read)(None)
    }
}

fn verdict(state: &RepositoryState, name: &ChannelName, now: DateTime<Utc>) -> Result<Verdict, RepositoryError> {
    let channel = resolve::channel(state, name)?;
    let listed = channel.listed().values();
    let candidates = listed.map(|listing| Candidate { nevra: &listing.package.nevra, at: listing.at });
    Ok(judge(candidates, &channel.settings().retention, now, |nevra| state.holders(nevra)))
}

fn rules(settings: &ChannelSettings) -> String {
    let rule = |name: &str, count: Option<u32>| count.map(|count| format!("{name} {count}"));
    let retention = settings.retention;
    let rules = [rule("keep_last", retention.keep_last), rule("keep_days", retention.keep_days)];
    rules.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
