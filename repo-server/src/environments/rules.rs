//! What the server asks of deployments, per environment: a ledger of its own, which all servers of a store share.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::Utc;
use ledger::{AppendError, Author, Commit, Ledger, LedgerError, Position, Store};
use repo_api::{ApprovalRule, EnvironmentSettings, TagName};
use serde::{Deserialize, Serialize};

use super::error::EnvironmentError;

const LEDGER: &str = "rules";
/// How often a change is tried against other writers.
const ATTEMPTS: u32 = 20;
/// The longest list of those who may approve, and the longest reason, bytes.
const LONGEST: usize = 64 << 10;

/// What a commit of the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Set {
    environment: TagName,
    settings: EnvironmentSettings,
}

/// The settings of all environments, as this process knows them.
#[derive(Debug)]
pub(super) struct RuleBook {
    ledger: Ledger<Set>,
    rules: RwLock<Arc<Rules>>,
}

#[derive(Debug, Clone)]
struct Rules {
    position: Position,
    settings: BTreeMap<TagName, EnvironmentSettings>,
}

impl RuleBook {
    pub(super) fn new(store: &Store) -> Self {
        let rules = Rules { position: Position::start(), settings: BTreeMap::new() };
        Self { ledger: store.ledger(LEDGER), rules: RwLock::new(Arc::new(rules)) }
    }

    /// The environments that have settings.
    pub(super) fn names(&self) -> Vec<TagName> {
        self.rules().settings.keys().cloned().collect()
    }

    /// The settings of an environment, those of one that nobody gave any included.
    pub(super) fn of(&self, environment: &TagName) -> EnvironmentSettings {
        self.rules().settings.get(environment).cloned().unwrap_or_default()
    }

    /// Takes in what other processes changed since.
    pub(super) async fn refresh(&self) -> Result<(), LedgerError> {
        let commits = self.ledger.since(&self.rules().position).await?;
        if !commits.is_empty() {
            self.adopt(&commits);
        }
        Ok(())
    }

    /// Gives an environment other settings; tells whether anything changed, and the ledger's newest commit.
    pub(super) async fn set(
        &self,
        environment: &TagName,
        settings: EnvironmentSettings,
        before: Option<&EnvironmentSettings>,
        author: Author,
    ) -> Result<(bool, u64), EnvironmentError> {
        check(&settings)?;
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let rules = self.rules();
            let known = rules.settings.get(environment).cloned().unwrap_or_default();
            if known == settings {
                return Ok((false, rules.position.number));
            }
            if known != before.cloned().unwrap_or_default() {
                return Err(EnvironmentError::SettingsChanged(environment.to_string()));
            }
            let set = Set { environment: environment.clone(), settings: settings.clone() };
            match self.ledger.append(&rules.position, author.clone(), set).await {
                Ok(commit) => {
                    self.adopt(std::slice::from_ref(&commit));
                    return Ok((true, commit.number));
                }
                Err(AppendError::Lost { .. }) => {}
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
        Err(EnvironmentError::Busy)
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes commits in; those that another task took in meanwhile are left.
    fn adopt(&self, commits: &[Commit<Set>]) {
        let mut current = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let mut rules = Rules::clone(&current);
        for commit in commits.iter().filter(|commit| commit.number > current.position.number) {
            rules.settings.insert(commit.payload.environment.clone(), commit.payload.settings.clone());
            rules.position = commit.position();
        }
        *current = Arc::new(rules);
    }
}

fn check(settings: &EnvironmentSettings) -> Result<(), EnvironmentError> {
    let wrong = |text: &str| Err(EnvironmentError::Settings(text.to_owned()));
    let EnvironmentSettings { approval, approvers, freeze } = settings;
    let has_signer = |text: &String| text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#'));
    if *approval == ApprovalRule::Two && !approvers.as_ref().is_some_and(has_signer) {
        return wrong("approval by two needs `approvers`, the public keys of those who may");
    }
    if approvers.as_ref().is_some_and(|text| text.len() > LONGEST || text.contains('\0')) {
        return wrong("`approvers` is too long, or no text");
    }
    match freeze {
        Some(freeze) if freeze.because.trim().is_empty() || freeze.because.len() > LONGEST => {
            wrong("a freeze needs a reason, of a sensible length")
        }
        Some(freeze) if !freeze.holds(Utc::now()) => wrong("the freeze would end in the past"),
        _ => Ok(()),
    }
}
