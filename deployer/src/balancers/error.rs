//! Why a balancer is not understood, or does not do what it is told.

use std::time::Duration;

use super::Counters;
use crate::transport::ScriptError;

/// Says what is wrong with a balancer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BalancerError {
    /// The machine that it runs on did not do what it was told.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// What it answers can't be read.
    #[error("{balancer} answers what can't be understood: {problem}")]
    Answer {
        /// The balancer.
        balancer: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// A command that speaks with it did not do its work.
    #[error("{balancer} can't be reached: {problem}")]
    Command {
        /// The balancer.
        balancer: String,
        /// What went wrong.
        problem: String,
    },
    /// It is set up so that taking a server out would cost requests.
    #[error("{balancer} can't drain a server: {problem}")]
    Undrainable {
        /// The balancer.
        balancer: String,
        /// What stands in the way, and what helps.
        problem: String,
    },
    /// It does not know a host.
    #[error("{balancer} has no server `{server}`; it has {}", list(known))]
    NoServer {
        /// The balancer.
        balancer: String,
        /// The server that it should know.
        server: String,
        /// Those that it knows.
        known: Vec<String>,
    },
    /// It was told, and does not do it.
    #[error("{balancer} sees `{server}` as {seen}, {} s after it was told `{told}`", limit.as_secs())]
    Unmoved {
        /// The balancer.
        balancer: String,
        /// The server.
        server: String,
        /// What it was told.
        told: super::Rotation,
        /// What it sees.
        seen: String,
        /// How long it had.
        limit: Duration,
    },
    /// It does not send requests where it should.
    #[error("the balancers see it as {seen}, not as serving, {} s after it was put back", limit.as_secs())]
    NotServing {
        /// How they see it.
        seen: String,
        /// How long they had.
        limit: Duration,
    },
    /// More of the requests to a server that was put back fail than elsewhere.
    #[error(
        "{} of {} requests failed in the first {:.1} s after `{server}` was put back; elsewhere {} of {}",
        own.errors, own.requests, watched.as_secs_f64(), others.errors, others.requests
    )]
    Failing {
        /// The server.
        server: String,
        /// What was counted there.
        own: Counters,
        /// What was counted of all others in the same time.
        others: Counters,
        /// How long it was watched.
        watched: Duration,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl BalancerError {
    /// Whether asking again may help: it restarts, or its machine can't be reached at the moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Script(error) => !matches!(error, ScriptError::Fenced { .. }),
            Self::Command { .. } | Self::Answer { .. } | Self::NoServer { .. } => true,
            Self::Undrainable { .. } | Self::Unmoved { .. } | Self::NotServing { .. } | Self::Failing { .. } => false,
        }
    }
}
