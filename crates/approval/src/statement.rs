//! What is signed, and the signing.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Signatures made for something else don't count here (PROTOCOL.sshsig, `namespace`).
pub(crate) const NAMESPACE: &str = "pkg-approval";

/// What somebody agrees to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The environment's name.
    pub environment: String,
    /// The plan's digest, as hexadecimal sha256.
    pub plan: String,
    /// When it was signed, to the second.
    pub at: DateTime<Utc>,
    /// Until when the plan may be begun.
    pub until: DateTime<Utc>,
}

/// A statement with its signature. Who signed is what [`AllowedSigners`](crate::AllowedSigners) makes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What was signed.
    #[serde(flatten)]
    pub statement: Statement,
    /// The signature, as `ssh-keygen -Y sign` prints it.
    pub signature: String,
}

/// Says why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// `ssh-keygen` could not be run.
    #[error("`ssh-keygen` can't be run")]
    Run(#[source] io::Error),
    /// It refused.
    #[error("`ssh-keygen` does not sign with `{}`: {reason}", key.display())]
    Refused {
        /// The key.
        key: PathBuf,
        /// What it says.
        reason: String,
    },
}

impl Statement {
    /// The bytes that are signed: a line for each field, so that nothing can be read in two ways.
    pub(crate) fn text(&self) -> String {
        let time = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!(
            "pkg approval 1\nenvironment {:?}\nplan {:?}\nat {}\nuntil {}\n",
            self.environment,
            self.plan,
            time(&self.at),
            time(&self.until)
        )
    }

    /// Signs with a private key's file, or with a public key's whose private one an agent has. `ssh-keygen` may ask for
    /// the key's passphrase at the terminal.
    ///
    /// # Errors
    /// [`SignError`] where `ssh-keygen` does not do it.
    pub fn sign(self, key: &Path) -> Result<Approval, SignError> {
        let mut signing = Command::new("ssh-keygen");
        signing.args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(key);
        signing.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut signing = signing.spawn().map_err(SignError::Run)?;
        if let Some(mut stdin) = signing.stdin.take() {
            // Where it does not read, it says why on stderr.
            let _ = stdin.write_all(self.text().as_bytes());
        }
        let signed = signing.wait_with_output().map_err(SignError::Run)?;
        if !signed.status.success() {
            let reason = String::from_utf8_lossy(&signed.stderr).trim().replace('\n', " · ");
            return Err(SignError::Refused { key: key.to_owned(), reason });
        }
        Ok(Approval { statement: self, signature: String::from_utf8_lossy(&signed.stdout).into_owned() })
    }
}
