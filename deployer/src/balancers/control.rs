//! What a driver reaches its balancer with.

use std::time::Duration;

use tokio::time::Instant;

use crate::environment::Endpoint;
use crate::fence::Fence;
use crate::transport::{ScriptError, TransportError, run_checked};
use crate::{Script, Transport};

/// How long a connection that broke is tried again.
const PATIENCE: Duration = Duration::from_secs(15);
const RECONNECT_INTERVAL: Duration = Duration::from_millis(500);

/// Runs what a driver wants to have run.
#[derive(Clone, Copy)]
pub(crate) struct Control<'a> {
    transport: &'a dyn Transport,
    fence: Option<Fence<'a>>,
}

impl<'a> Control<'a> {
    /// Makes one that changes nothing.
    pub(crate) fn looking(transport: &'a dyn Transport) -> Self {
        Self { transport, fence: None }
    }

    /// Makes one that changes what its fence lets it change.
    pub(crate) fn changing(transport: &'a dyn Transport, fence: Fence<'a>) -> Self {
        Self { transport, fence: Some(fence) }
    }

    /// Begins a script that changes something: the host refuses it from a controller that lost its lease.
    pub(crate) fn change(&self, name: &'static str, parts: &[&'static str]) -> Script {
        match self.fence {
            Some(fence) => fence.script(name, parts),
            None => Script::new(name, parts),
        }
    }

    /// Runs a script on a host; a connection that breaks is made again, so it must be one that may be run twice.
    pub(crate) async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<String, ScriptError> {
        let began = Instant::now();
        loop {
            match run_checked(self.transport, endpoint, script).await {
                Err(ScriptError::Transport(TransportError::Unreachable { .. })) if began.elapsed() < PATIENCE => {
                    tokio::time::sleep(RECONNECT_INTERVAL).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Runs a script on a host once.
    pub(crate) async fn ask(&self, endpoint: &Endpoint, script: &Script) -> Result<String, ScriptError> {
        run_checked(self.transport, endpoint, script).await
    }
}
