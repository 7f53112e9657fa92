//! Why an environment's ledger did not take a commit in.

use chrono::{DateTime, Utc};
use ledger::LedgerError;

/// Says why an environment's ledger did not take a commit in, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// Another commit has the number.
    #[error("commit {0} has been made by another writer")]
    Taken(u64),
    /// Commits before it are missing.
    #[error("commit {number} can't follow: the newest is {newest}")]
    Gap {
        /// What was to be made.
        number: u64,
        /// The newest.
        newest: u64,
    },
    /// It is no commit.
    #[error("this is no commit {number} of an environment's ledger")]
    Unreadable {
        /// What was to be made.
        number: u64,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not follow from the one before.
    #[error("commit {0} does not follow from the one before it")]
    Chain(u64),
    /// It says that somebody else wrote it.
    #[error("the commit is said to be by `{who}`, but the token is `{token}`: allowed are `{token}` and `{token} (…)`")]
    Author {
        /// Who it says wrote it.
        who: String,
        /// The token's name.
        token: String,
    },
    /// The lease would last too short or too long.
    #[error(
        "the lease would end at {}, and the server's clock says {}: is the controller's clock right?",
        time(until),
        time(now)
    )]
    Clock {
        /// When it would end.
        until: DateTime<Utc>,
        /// The server's time.
        now: DateTime<Utc>,
    },
    /// Somebody else holds the lease, or nobody.
    #[error("{0}")]
    Held(String),
    /// An approval is missing.
    #[error("{0}")]
    Approval(String),
    /// Nothing may be deployed now.
    #[error("environment `{environment}` is frozen{}: {because}", until.map(|at| format!(" until {}", time(&at))).unwrap_or_default())]
    Frozen {
        /// The environment.
        environment: String,
        /// Why.
        because: String,
        /// Until when.
        until: Option<DateTime<Utc>>,
    },
    /// The environment has other settings than the client knew.
    #[error("environment `{0}` has other settings than those that were to be replaced; look at them again")]
    SettingsChanged(String),
    /// Settings that can't hold.
    #[error("{0}")]
    Settings(String),
    /// There is no such deployment.
    #[error("environment `{environment}` has no deployment `{id}`")]
    UnknownDeployment {
        /// The environment.
        environment: String,
        /// What was asked for.
        id: String,
    },
    /// There is nothing of this name.
    #[error("there is no environment `{0}`")]
    Unknown(String),
    /// Other writers were faster too often.
    #[error("other writers were faster too often")]
    Busy,
    /// The ledger failed.
    #[error("an environment's ledger failed")]
    Ledger(#[from] LedgerError),
}

fn time(at: &DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
