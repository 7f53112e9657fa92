//! What goes wrong between us and a JIRA.

use crate::Line;

/// Says why JIRA's tickets could not be had.
#[derive(Debug, thiserror::Error)]
pub enum JiraError {
    /// The address is none.
    #[error("`{0}` is no JIRA's address: allowed is `https://HOST` or `http://HOST`, with a path if needed")]
    Address(String),
    /// The token can't stand in a request.
    #[error("the token for JIRA holds characters that can't be sent: allowed is printable ASCII without blanks")]
    Token,
    /// The HTTP client can't be made.
    #[error("HTTPS can't be used on this machine")]
    Setup(#[source] reqwest::Error),
    /// No answer came, whatever was tried.
    #[error("JIRA at `{server}` can't be reached")]
    Unreachable {
        /// Its address.
        server: String,
        /// What failed at last.
        source: reqwest::Error,
    },
    /// JIRA does not know us, or does not let us.
    #[error("JIRA at `{server}` refuses ({status}): {said}")]
    Refused {
        /// Its address.
        server: String,
        /// The HTTP status.
        status: u16,
        /// What it says.
        said: Line,
    },
    /// The query does not hold.
    #[error("JIRA does not take the query `{jql}`: {said}")]
    Query {
        /// The query.
        jql: Line,
        /// What it says.
        said: Line,
    },
    /// It is busy for longer than we wait.
    #[error("JIRA at `{server}` lets nobody in for another {seconds} seconds; asked {attempts} times")]
    Busy {
        /// Its address.
        server: String,
        /// How long it asks to wait.
        seconds: u64,
        /// How often it was asked.
        attempts: u32,
    },
    /// The answer is none that JIRA gives.
    #[error("`{url}` answered {status}, but not as JIRA does")]
    Foreign {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// There are more tickets than notes can hold.
    #[error("more than {0} tickets are found; narrow the query")]
    TooMany(usize),
}
