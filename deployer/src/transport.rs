//! How scripts get to hosts.

use std::time::Duration;

use async_trait::async_trait;

use crate::environment::Endpoint;
use crate::{HostName, Script};

/// Runs scripts on hosts.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Runs a script on a host as root and waits for its end.
    ///
    /// # Errors
    /// [`TransportError`] where it is unknown whether or how the script ended; a script that ended with an exit code
    /// other than 0 is an [`Answer`].
    async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError>;

    /// Ends what is kept open between scripts.
    async fn close(&self);
}

/// What a script that ended left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit code.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// Says why there is no answer from a host.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransportError {
    /// `ssh` could not be started.
    #[error("`ssh` to `{host}` can't be started: {reason}")]
    Start {
        /// The host.
        host: HostName,
        /// What the system says.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("host `{host}` can't be reached for `{script}`: {reason}")]
    Unreachable {
        /// The host.
        host: HostName,
        /// The script.
        script: &'static str,
        /// The last lines of what `ssh` says.
        reason: String,
    },
    /// No answer in time; what was started may still run.
    #[error("host `{host}` gave no answer to `{script}` within {} s", limit.as_secs())]
    Late {
        /// The host.
        host: HostName,
        /// The script.
        script: &'static str,
        /// The time it had.
        limit: Duration,
    },
}

/// Says why a script did not do its work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ScriptError {
    /// There is no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The script ended with an exit code other than 0.
    #[error("`{script}` on `{host}` ended with exit code {status}{}{output}", if output.is_empty() { "" } else { ": " })]
    Failed {
        /// The host.
        host: HostName,
        /// The script.
        script: &'static str,
        /// The exit code.
        status: i32,
        /// The last lines of its complaints, or of what it printed.
        output: String,
    },
    /// A newer controller was here: this one has lost its lease.
    #[error("host `{host}` refuses `{script}`: {output}")]
    Fenced {
        /// The host.
        host: HostName,
        /// The script.
        script: &'static str,
        /// What the host says.
        output: String,
    },
    /// The script printed something else than it should.
    #[error("`{script}` on `{host}` printed `{line}`, which can't be understood")]
    Unexpected {
        /// The host.
        host: HostName,
        /// The script.
        script: &'static str,
        /// The line.
        line: String,
    },
}

/// The exit code of a script that the host refuses because it has seen a newer fencing token (`scripts/fence.sh`).
pub(crate) const FENCED: i32 = 72;

/// Runs a script and takes any exit code but 0 for a failure.
pub(crate) async fn run_checked(
    transport: &dyn Transport,
    endpoint: &Endpoint,
    script: &Script,
) -> Result<String, ScriptError> {
    let answer = transport.run(endpoint, script).await?;
    let (host, script) = (endpoint.name.clone(), script.name());
    match answer.status {
        0 => Ok(answer.stdout),
        FENCED => Err(ScriptError::Fenced { host, script, output: last_lines(&answer.stderr, 1) }),
        status => {
            let complaints = last_lines(&answer.stderr, 5);
            let output = if complaints.is_empty() { last_lines(&answer.stdout, 5) } else { complaints };
            Err(ScriptError::Failed { host, script, status, output })
        }
    }
}

/// The last lines of a text that are not empty, joined by ` · `.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join(" · ")
}
