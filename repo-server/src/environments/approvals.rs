//! Whether two people agreed to a plan: their signatures under its digest, by keys that the environment's settings name.

use std::io::Write;

use approval::{AllowedSigners, Approval, plan_digest};
use chrono::Utc;
use repo_api::{ApprovalRule, EnvironmentSettings, TagName};
use serde_json::Value;

use super::entry::Entry;
use super::error::EnvironmentError;

/// How many people have to sign.
const PEOPLE: usize = 2;

/// A plan that has to be signed, and what came with it.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    environment: TagName,
    digest: String,
    approvals: Vec<Approval>,
    approvers: String,
}

impl Signed {
    /// What an entry has to have signed; `None` for one that needs no signature.
    pub(super) fn of(
        entry: &Entry,
        payload: &Value,
        environment: &TagName,
        settings: &EnvironmentSettings,
    ) -> Option<Self> {
        let Entry::Planned { agreement, .. } = entry else { return None };
        (settings.approval == ApprovalRule::Two).then(|| Self {
            environment: environment.clone(),
            digest: plan_digest(payload.get("plan").unwrap_or(&Value::Null)),
            approvals: agreement.approvals.clone(),
            approvers: settings.approvers.clone().unwrap_or_default(),
        })
    }

    /// Verifies the signatures. Runs `ssh-keygen`, and blocks as long as that takes.
    pub(super) fn check(&self) -> Result<(), EnvironmentError> {
        let Self { environment, digest, approvals, approvers } = self;
        let failed =
            |error: std::io::Error| EnvironmentError::Approval(format!("signatures can't be verified: {error}"));
        let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
        file.write_all(approvers.as_bytes()).map_err(failed)?;
        let signers = AllowedSigners::new(file.path().to_owned());
        let (people, wrong) = signers.people(approvals, environment.as_str(), digest, Utc::now());
        if people.len() >= PEOPLE {
            return Ok(());
        }
        let why: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        Err(EnvironmentError::Approval(format!(
            "environment `{environment}` needs {PEOPLE} people's signatures under plan `{digest}`, {} counts{why}",
            people.len()
        )))
    }
}
