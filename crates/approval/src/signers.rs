//! Those who may approve, and whether a signature is one of theirs.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chrono::{DateTime, Utc};

use crate::Approval;
use crate::statement::NAMESPACE;

/// The file of those who may approve, in the format of ALLOWED SIGNERS in ssh-keygen(1): a name and a public key a line,
/// such as `ben@example.com namespaces="pkg-approval" ssh-ed25519 AAAA…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedSigners(PathBuf);

/// Says why an approval does not count.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is about another environment.
    #[error("the approval is for environment `{approved}`, not for `{wanted}`")]
    Environment {
        /// The one in the statement.
        approved: String,
        /// The one that is deployed to.
        wanted: String,
    },
    /// It is about another plan.
    #[error("the approval is for plan `{approved}`, not for `{wanted}`")]
    Plan {
        /// The digest in the statement.
        approved: String,
        /// The digest of the plan at hand.
        wanted: String,
    },
    /// It is too late, or too early.
    #[error("the approval holds from {} to {}", .0.to_rfc3339(), .1.to_rfc3339())]
    Time(DateTime<Utc>, DateTime<Utc>),
    /// Nobody who may approve has signed it.
    #[error("the approval is signed by nobody in `{}`: {reason}", file.display())]
    Signer {
        /// The file of those who may.
        file: PathBuf,
        /// What `ssh-keygen` says.
        reason: String,
    },
    /// The file of those who may approve can't be read.
    #[error("`{}`, those who may approve, can't be read", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `ssh-keygen` could not be run.
    #[error("`ssh-keygen` can't be run")]
    Run(#[source] io::Error),
}

impl AllowedSigners {
    /// Names the file. It is read at each verification.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self(file)
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.0
    }

    /// Gives who signed an approval of this plan for this environment that holds now.
    ///
    /// # Errors
    /// [`VerifyError`] where it does not hold.
    pub fn verify(
        &self,
        approval: &Approval,
        environment: &str,
        plan: &str,
        now: DateTime<Utc>,
    ) -> Result<String, VerifyError> {
        let statement = &approval.statement;
        if statement.environment != environment {
            let (approved, wanted) = (statement.environment.clone(), environment.to_owned());
            return Err(VerifyError::Environment { approved, wanted });
        }
        if statement.plan != plan {
            return Err(VerifyError::Plan { approved: statement.plan.clone(), wanted: plan.to_owned() });
        }
        // Two clocks are never the same: a minute is forgiven.
        if now < statement.at - chrono::TimeDelta::minutes(1) || now >= statement.until {
            return Err(VerifyError::Time(statement.at, statement.until));
        }
        self.signer(approval)
    }

    /// Gives those who approve a plan, each once, and why other approvals don't count.
    #[must_use]
    pub fn people(
        &self,
        approvals: &[Approval],
        environment: &str,
        plan: &str,
        now: DateTime<Utc>,
    ) -> (BTreeSet<String>, Vec<VerifyError>) {
        let (mut people, mut wrong) = (BTreeSet::new(), Vec::new());
        for approval in approvals {
            match self.verify(approval, environment, plan, now) {
                Ok(person) => drop(people.insert(person)),
                Err(error) => wrong.push(error),
            }
        }
        (people, wrong)
    }

    /// The name that the file gives the key that signed, however many keys and names there are.
    fn signer(&self, approval: &Approval) -> Result<String, VerifyError> {
        std::fs::metadata(&self.0).map_err(|source| VerifyError::File { file: self.0.clone(), source })?;
        let mut signature = tempfile::NamedTempFile::new().map_err(VerifyError::Run)?;
        signature.write_all(approval.signature.as_bytes()).map_err(VerifyError::Run)?;
        let refused = |output: &Output| VerifyError::Signer {
            file: self.0.clone(),
            reason: String::from_utf8_lossy(&output.stderr).trim().replace('\n', " · "),
        };
        let found = self.ssh_keygen("find-principals", signature.path(), &[], "")?;
        if !found.status.success() {
            return Err(refused(&found));
        }
        let names = String::from_utf8_lossy(&found.stdout).into_owned();
        let mut last = found;
        // A key may stand under several patterns; a name that verifies is the person.
        for name in names.lines().flat_map(|line| line.split(',')).map(str::trim).filter(|name| is_name(name)) {
            let further = ["-n", NAMESPACE, "-I", name].map(OsStr::new);
            let verified = self.ssh_keygen("verify", signature.path(), &further, &approval.statement.text())?;
            if verified.status.success() {
                return Ok(name.to_owned());
            }
            last = verified;
        }
        Err(refused(&last))
    }

    fn ssh_keygen(
        &self,
        action: &str,
        signature: &Path,
        further: &[&OsStr],
        message: &str,
    ) -> Result<Output, VerifyError> {
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", action, "-f"]).arg(&self.0).arg("-s").arg(signature).args(further);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(VerifyError::Run)?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(message.as_bytes());
        }
        child.wait_with_output().map_err(VerifyError::Run)
    }
}

/// Whether a principal names one person: a pattern such as `*@example.com` names nobody.
fn is_name(principal: &str) -> bool {
    !principal.is_empty() && !principal.starts_with(['-', '!']) && !principal.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::Statement;

    fn key(directory: &Path, name: &str) -> (PathBuf, String) {
        let file = directory.join(name);
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file).status();
        assert!(made.unwrap().success());
        let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
        (file, public.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
    }

    fn statement(environment: &str, plan: &str) -> Statement {
        let now = Utc::now();
        Statement { environment: environment.into(), plan: plan.into(), at: now, until: now + TimeDelta::hours(1) }
    }

    #[test]
    fn who_approves_what() {
        let directory = tempfile::tempdir().unwrap();
        let (ana, ana_public) = key(directory.path(), "ana");
        let (ben, ben_public) = key(directory.path(), "ben");
        let (eve, eve_public) = key(directory.path(), "eve");
        let (git, git_public) = key(directory.path(), "git");
        let file = directory.path().join("approvers");
        let lines = format!(
            "ana@x {ana_public}\nben@x,ben@y namespaces=\"pkg-approval\" {ben_public}\n\
             git@x namespaces=\"git\" {git_public}\n*@x {eve_public}\n"
        );
        std::fs::write(&file, lines).unwrap();
        let signers = AllowedSigners::new(file);
        let now = Utc::now();
        let who =
            |approval: &Approval| signers.verify(approval, "prod", "ab12", now).map_err(|error| error.to_string());

        assert_eq!(who(&statement("prod", "ab12").sign(&ana).unwrap()).unwrap(), "ana@x");
        let good = statement("prod", "ab12").sign(&ben).unwrap();
        assert_eq!(who(&good).unwrap(), "ben@x");
        let again: Approval = Approval { ..good.clone() };
        let (people, wrong) = signers.people(&[good.clone(), again], "prod", "ab12", now);
        assert_eq!((people.len(), wrong.len()), (1, 0), "one person counts once");

        let altered = |change: fn(&mut Statement)| {
            let mut approval = good.clone();
            change(&mut approval.statement);
            approval
        };
        for (approval, expected) in [
            (statement("prod", "ab12").sign(&eve).unwrap(), "signed by nobody"),
            (statement("prod", "ab12").sign(&git).unwrap(), "signed by nobody"),
            (statement("dev", "ab12").sign(&ben).unwrap(), "for environment `dev`, not for `prod`"),
            (statement("prod", "cd34").sign(&ben).unwrap(), "for plan `cd34`, not for `ab12`"),
            (altered(|statement| statement.until += TimeDelta::hours(9)), "signed by nobody"),
            (altered(|statement| statement.at -= TimeDelta::hours(9)), "signed by nobody"),
            (altered(|statement| statement.until = statement.at - TimeDelta::hours(1)), "holds from"),
            (Approval { signature: "hello".into(), ..good.clone() }, "signed by nobody"),
        ] {
            let error = who(&approval).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let late = signers.verify(&good, "prod", "ab12", now + TimeDelta::hours(2)).unwrap_err();
        assert!(late.to_string().contains("holds from"), "{late}");
        let missing = AllowedSigners::new("/nowhere".into()).verify(&good, "prod", "ab12", now).unwrap_err();
        assert!(missing.to_string().contains("`/nowhere`"), "{missing}");
    }

    #[test]
    fn a_key_that_is_not_there() {
        let error = statement("prod", "ab12").sign(Path::new("/nowhere/key")).unwrap_err();
        assert!(error.to_string().contains("`/nowhere/key`"), "{error}");
    }
}
