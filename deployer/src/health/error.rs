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

impl HealthError {
    /// The same in few words, for a row among many: of a URL the path alone.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Request { url, reason } => format!("{}: {reason}", path(url)),
            Self::Status { url, status, .. } => format!("{} {status}", path(url)),
            Self::Body { url, expected, begin } => format!("{} has no `{expected}`: `{begin}`", path(url)),
            Self::Json { url, path: at, found, .. } => format!("{} has {found} at `{at}`", path(url)),
            Self::Latency { url, took, .. } => format!("{} took {} ms", path(url), took.as_millis()),
            Self::Client(_) | Self::Connection { .. } | Self::Command { .. } => self.to_string(),
        }
    }

    /// Whether the host answers well, but with something else: another version, as a rule.
    #[must_use]
    pub fn is_about_content(&self) -> bool {
        matches!(self, Self::Body { .. } | Self::Json { .. })
    }
}

/// What follows the host in a URL.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_words_leave_the_host_out() {
        let error =
            HealthError::Status { url: "http://10.0.0.1:8080/shop/health".to_owned(), status: 503, expected: 200 };
        assert_eq!(error.brief(), "/shop/health 503");
        let error = HealthError::Request { url: "http://10.0.0.1".to_owned(), reason: "refused".to_owned() };
        assert_eq!(error.brief(), "/: refused");
    }
}
