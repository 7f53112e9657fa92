//! The fence: what makes a host refuse the scripts of a controller that lost its lease.

use crate::{EnvironmentName, Script};

/// Whose changes a host takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence<'a> {
    /// The environment whose tokens the host remembers.
    pub(crate) environment: &'a EnvironmentName,
    /// The token of the lease: the number of the commit that took it.
    pub(crate) token: u64,
}

/// How long a step waits for another that still runs on the host.
const LOCK_WAIT_SECONDS: u32 = 30;

impl Fence<'_> {
    /// Makes a script that a host refuses once it has seen a newer token.
    pub(crate) fn script(&self, name: &'static str, parts: &[&'static str]) -> Script {
        let mut all = vec![include_str!("scripts/fence.sh")];
        all.extend_from_slice(parts);
        Script::new(name, &all)
            .set("ENVIRONMENT", self.environment.as_str())
            .set("TOKEN", self.token.to_string())
            .set("LOCK_WAIT", LOCK_WAIT_SECONDS.to_string())
    }
}
