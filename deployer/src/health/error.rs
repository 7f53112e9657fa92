//! Why a host is not healthy.

use std::time::Duration;

/// Says why a host is not healthy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// The HTTP client could not be made.
    #[error("HTTP client can't be made: {0}")]
    Client(String),
    /// No whole answer.
    #[error("`{url}` gives no answer: {reason}")]
    Request {
        /// The URL.
        url: String,
        /// What the client says.
        reason: String,
    },
    /// The wrong status.
    #[error("`{url}` answers {status} instead of {expected}")]
    Status {
        /// The URL.
        url: String,
        /// The status.
        status: u16,
        /// The right one.
        expected: u16,
    },
    /// The wrong body.
    #[error("`{url}` answers without `{expected}`; it begins `{begin}`")]
    Body {
        /// The URL.
        url: String,
        /// What should be in it.
        expected: String,
        /// The first line.
        begin: String,
    },
    /// The JSON body has something else at a path.
    #[error("`{url}` has {found} at `{path}` instead of `{expected}`")]
    Json {
        /// The URL.
        url: String,
        /// The path.
        path: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The answer took too long.
    #[error("`{url}` answers after {} ms; {} ms are allowed", took.as_millis(), limit.as_millis())]
    Latency {
        /// The URL.
        url: String,
        /// How long it took.
        took: Duration,
        /// How long it may take.
        limit: Duration,
    },
    /// The port takes no connections.
    #[error("`{address}` takes no connections: {reason}")]
    Connection {
        /// The address and the port.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// A check on the host, or a command, says no.
    #[error("the health check says: {reason}")]
    Command {
        /// What it says.
        reason: String,
    },
}
