//! All environments of a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Author, LedgerError, Store};
use repo_api::{EnvironmentSettings, TagName};
use serde::Deserialize;
use serde_json::Value;

use super::entry::Entry;
use super::environment::{Appended, Environment};
use super::error::EnvironmentError;
use super::gate::Controller;
use super::rules::RuleBook;

/// How many environments are looked at side by side.
const SIDE_BY_SIDE: usize = 16;

/// The environments whose ledgers are in a store, with what is asked of deployments to them.
#[derive(Debug)]
pub(crate) struct Environments {
    store: Store,
    rules: RuleBook,
    known: RwLock<BTreeMap<TagName, Arc<Environment>>>,
}

impl Environments {
    /// Nothing is read yet.
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone(), rules: RuleBook::new(store), known: RwLock::default() }
    }

    /// The environment of a name; it need not exist yet. A name that nobody ever wrote to is not remembered.
    pub(crate) fn at_hand(&self, name: &TagName) -> Arc<Environment> {
        let known = self.known().get(name).cloned();
        known.unwrap_or_else(|| Arc::new(Environment::new(&self.store, name.clone())))
    }

    /// The environment of a name as it is now, which may be that it has no ledger yet.
    pub(crate) async fn current(&self, name: &TagName) -> Result<Arc<Environment>, EnvironmentError> {
        let environment = self.at_hand(name);
        environment.refresh().await?;
        Ok(if environment.position() > 0 { self.remembered(name, environment) } else { environment })
    }

    /// The environment of a name, as it is now.
    ///
    /// # Errors
    /// [`EnvironmentError::Unknown`] where it has neither a ledger nor settings.
    pub(crate) async fn fresh(&self, name: &TagName) -> Result<Arc<Environment>, EnvironmentError> {
        self.rules.refresh().await?;
        let environment = self.current(name).await?;
        let exists = environment.position() > 0 || self.rules.names().contains(name);
        if exists { Ok(self.remembered(name, environment)) } else { Err(EnvironmentError::Unknown(name.to_string())) }
    }

    fn remembered(&self, name: &TagName, environment: Arc<Environment>) -> Arc<Environment> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(name.clone()).or_insert(environment))
    }

    /// All of them as they are now, by name.
    pub(crate) async fn all(&self) -> Result<BTreeMap<TagName, Arc<Environment>>, EnvironmentError> {
        self.rules.refresh().await?;
        let ledgers = self.store.ledgers("environments").await;
        let unreachable = |source| LedgerError::Store { ledger: "environments".to_owned(), source };
        let ledgers = ledgers.map_err(unreachable)?;
        let named = ledgers.iter().filter_map(|name| name.rsplit('/').next()?.parse::<TagName>().ok());
        let names: BTreeSet<TagName> = named.chain(self.rules.names()).collect();
        let current = stream::iter(names).map(|name| async move { Ok((self.current(&name).await?, name)) });
        let all = current.buffer_unordered(SIDE_BY_SIDE).map_ok(|(environment, name)| (name, environment));
        all.try_collect().await
    }

    /// Makes a commit of an environment's ledger that a controller put together, if it may.
    pub(crate) async fn append(
        &self,
        name: &TagName,
        number: u64,
        bytes: Bytes,
        controller: &Controller,
    ) -> Result<Appended, EnvironmentError> {
        #[derive(Deserialize)]
        struct Head {
            payload: Value,
        }
        let unreadable = |source: serde_json::Error| EnvironmentError::Unreadable { number, source: source.into() };
        let head: Head = serde_json::from_slice(&bytes).map_err(unreadable)?;
        // A rule that another server was given a moment ago counts, but every step need not ask for it.
        if matches!(Entry::kind(&head.payload), "begun" | "resumed" | "planned") {
            self.rules.refresh().await?;
        }
        let settings = self.rules.of(name);
        let environment = self.at_hand(name);
        let appended = environment.append(number, bytes, controller, &settings).await?;
        self.remembered(name, environment);
        Ok(appended)
    }

    /// Takes in what others wrote to those that somebody watches and those that are deployed to.
    pub(crate) async fn refresh_lively(&self) -> Result<(), EnvironmentError> {
        let lively: Vec<_> = self.known().values().filter(|one| one.is_lively()).cloned().collect();
        for environment in lively {
            environment.refresh().await?;
        }
        Ok(())
    }

    /// What is asked of deployments to an environment, as far as this server knows.
    pub(crate) fn settings(&self, name: &TagName) -> EnvironmentSettings {
        self.rules.of(name)
    }

    /// Gives an environment other settings; tells whether anything changed, and the newest commit of all settings.
    pub(crate) async fn set(
        &self,
        name: &TagName,
        settings: EnvironmentSettings,
        before: Option<&EnvironmentSettings>,
        author: Author,
    ) -> Result<(bool, u64), EnvironmentError> {
        self.rules.set(name, settings, before, author).await
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<TagName, Arc<Environment>>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}
