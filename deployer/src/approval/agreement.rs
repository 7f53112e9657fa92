//! How a plan was agreed to, as the journal keeps it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How a plan was agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// What the one who deploys did.
    pub consent: Consent,
    /// Who signed the plan's digest; empty where the environment does not ask for that.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<String>,
    /// What they signed, for whoever wants to verify it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<::approval::Approval>,
    /// Why the environment was closed at that time, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// Why a person went on all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub despite: Option<String>,
}

/// What the one who deploys did to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Nothing: the environment asks for nothing.
    Unattended,
    /// Said yes at a terminal.
    Confirmed,
    /// Typed the environment's name at a terminal.
    NameTyped,
}

impl Agreement {
    /// One where nothing but this was done.
    #[must_use]
    pub fn by(consent: Consent) -> Self {
        Self { consent, people: BTreeSet::new(), approvals: Vec::new(), closed: None, despite: None }
    }
}
