//! What follows a step that failed.

use serde::{Deserialize, Serialize};

/// What follows a step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailurePolicy {
    /// What is done; without it, a person at the terminal is asked and an unattended deployment rolls back.
    pub on_failure: Option<OnFailure>,
    /// How many hosts may fail, be left out of service and be passed over before it is done; 0 by default.
    #[serde(default)]
    pub max_failed_hosts: usize,
}

/// What is done about a step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Pause: a person at the terminal chooses; without one it stops.
    Pause,
    /// Every host that was touched is taken back.
    RollBack,
    /// Everything stays as it is, and `pkg resume` goes on from there.
    Stop,
}
