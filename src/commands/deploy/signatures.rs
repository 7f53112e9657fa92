//! Where two people have to agree: their signatures of the plan's digest, and that of the one who deploys.

use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use deployer::{Agreement, AllowedSigners, Environment, Plan, SignedApproval, Statement};

use super::approver::Terminal;
use crate::render::printable;

/// How long the signature of the one who deploys holds: until it is verified, and not long after.
const OWN_HOLDS: TimeDelta = TimeDelta::minutes(10);

impl Terminal {
    /// Collects what others signed, adds what the one who deploys signs, and keeps those that count.
    pub(super) fn signatures(
        &self,
        environment: &Environment,
        plan: &Plan,
        agreement: &mut Agreement,
    ) -> Result<(), String> {
        let Some(file) = &environment.approvers else { return Ok(()) };
        let (name, digest) = (environment.name.as_str(), plan.digest());
        let mut approvals = Vec::new();
        for file in &self.change.approvals {
            approvals.extend(read(file)?);
        }
        let now = Utc::now();
        let own = Statement { environment: name.to_owned(), plan: digest.clone(), at: now, until: now + OWN_HOLDS };
        let key = key(self.change.key.as_deref())?;
        approvals.push(own.sign(&key).map_err(|error| error.to_string())?);
        let signers = AllowedSigners::new(file.clone());
        for approval in approvals {
            match signers.verify(&approval, name, &digest, now) {
                Ok(person) => {
                    if agreement.people.insert(person) {
                        agreement.approvals.push(approval);
                    }
                }
                Err(error) => self.printer.warning(&printable(&error.to_string())),
            }
        }
        let people = agreement.people.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.printer.talk(&format!(
            "plan {} is signed by {}",
            digest.chars().take(19).collect::<String>(),
            printable(&people)
        ));
        Ok(())
    }
}

/// Reads a file of approvals, one a line.
pub(crate) fn read(file: &Path) -> Result<Vec<SignedApproval>, String> {
    let text = fs_err::read_to_string(file).map_err(|error| error.to_string())?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| format!("{}:{number}: no approval: {error}", file.display()))
    };
    lines.map(parse).collect()
}

/// The key to sign with: the one given, or the first that `ssh` would try.
pub(crate) fn key(given: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(key) = given {
        return Ok(key.to_owned());
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let names = ["id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"];
    let found = names.iter().map(|name| home.join(".ssh").join(name)).find(|file| file.is_file());
    found.ok_or_else(|| "there is no SSH key in ~/.ssh to sign with; `--key FILE` names another".to_owned())
}
