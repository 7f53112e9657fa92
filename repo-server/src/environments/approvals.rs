//! Whether another person agreed to a plan: their signature under its digest, by a key that the environment's settings
//! name.

use std::io::Write;

use approval::{AllowedSigners, Approval};
use chrono::Utc;
use repo_api::{EnvironmentSettings, TagName};

use super::error::EnvironmentError;
use super::gate::Controller;

/// What somebody else has to have agreed to.
#[derive(Debug, Clone)]
pub(super) struct Agreement {
    pub(super) environment: TagName,
    /// The plan's digest.
    pub(super) digest: String,
    pub(super) approvals: Vec<Approval>,
    pub(super) controller: Controller,
    pub(super) who: String,
}

impl Agreement {
    /// Verifies the signatures. Runs `ssh-keygen`, and blocks as long as that takes.
    pub(super) fn check(&self, settings: &EnvironmentSettings) -> Result<(), EnvironmentError> {
        let environment = &self.environment;
        let missing = |text: String| EnvironmentError::Approval(text);
        let Some(approvers) = &settings.approvers else {
            return Err(missing(format!(
                "environment `{environment}` needs two people, but names none who may approve"
            )));
        };
        let mut file = tempfile::NamedTempFile::new().map_err(|error| missing(error.to_string()))?;
        file.write_all(approvers.as_bytes()).map_err(|error| missing(error.to_string()))?;
        let signers = AllowedSigners::new(file.path().to_owned());
        let (people, wrong) = signers.people(&self.approvals, environment.as_str(), &self.digest, Utc::now());
        let own = [self.controller.token.as_deref(), Some(self.who.as_str())].map(|name| name.map(person));
        if people.iter().any(|name| !own.contains(&Some(person(name)))) {
            return Ok(());
        }
        let why: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        Err(missing(format!(
            "environment `{environment}` needs another person's approval of plan `{}`{}{why}",
            self.digest,
            if people.is_empty() { "" } else { ", and the one that is there is by who deploys" },
        )))
    }
}

/// Who a name means: `ana` deploys with a token, `ana@example.com` signs, and they are the same.
fn person(name: &str) -> String {
    let name = name.split([' ', '@']).next().unwrap_or(name);
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people() {
        assert_eq!(person("Ana@example.com"), person("ana (ana@pc)"));
        assert_ne!(person("ana"), person("ben"));
    }
}
