//! Why a step on a host failed.

use std::time::Duration;

use super::transaction::TransactionError;
use crate::HostName;
use crate::balancers::BalancerError;
use crate::health::HealthError;
use crate::hooks::HookError;
use crate::journal::JournalError;
use crate::plan::WayBack;
use crate::site::ProbeError;
use crate::transport::ScriptError;

/// Says why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The host did not do it.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A balancer can't be asked.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The packages are not what they should be.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The host does not come up with the right version.
    #[error("not healthy after {} s: {last}", limit.as_secs())]
    Health {
        /// How long it had.
        limit: Duration,
        /// What was wrong at last.
        last: HealthError,
        /// The last lines of the service's log.
        log: Vec<String>,
    },
    /// A balancer does not do what it is told, or does not answer.
    #[error(transparent)]
    Balancer(#[from] BalancerError),
    /// Too few others serve for the host to be taken out.
    #[error("only {serving} other hosts serve ({}); `min_serving` is {min_serving}", hosts(serving_hosts))]
    Capacity {
        /// How many others serve.
        serving: usize,
        /// Which.
        serving_hosts: Vec<HostName>,
        /// How many must.
        min_serving: usize,
    },
    /// A host that served no longer answers rightly.
    #[error("no longer healthy after {:.1} s: {last}", after.as_secs_f64())]
    Lost {
        /// How long it was watched until then.
        after: Duration,
        /// What was wrong at last.
        last: HealthError,
    },
    /// A cluster stays in, since the one that was to take over could not.
    #[error("`{0}` could not take over")]
    NotHandedOver(HostName),
    /// What was there before can't be had.
    #[error("there is no way back: {}", ways(.0))]
    NoWayBack(Vec<WayBack>),
    /// A hook failed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// A person wanted it to stop.
    #[error("interrupted")]
    Interrupted,
    /// The journal can't be written: nothing may be changed any more.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn ways(ways: &[WayBack]) -> String {
    let missing = ways.iter().find(|way| **way != WayBack::Offered);
    missing.map(WayBack::to_string).unwrap_or_default()
}

fn hosts(names: &[HostName]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ") }
}

impl StepError {
    /// The last lines of the log that tell more.
    pub(crate) fn log(&self) -> &[String] {
        match self {
            Self::Health { log, .. } | Self::Transaction(TransactionError::Exit { log, .. }) => log,
            _ => &[],
        }
    }

    /// Whether this controller may change nothing any more: its lease is gone, or the journal is out of reach.
    pub(crate) fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Journal(_)
                | Self::Script(ScriptError::Fenced { .. })
                | Self::Balancer(BalancerError::Script(ScriptError::Fenced { .. }))
                | Self::Probe(ProbeError::Balancer(BalancerError::Script(ScriptError::Fenced { .. })))
        )
    }
}
