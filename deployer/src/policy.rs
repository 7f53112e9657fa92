//! What follows a step that failed: the walk pauses, and somebody decides.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::plan::Step;
use crate::{DeploymentId, Environment, HostName};

/// Decides what follows when steps failed.
#[async_trait]
pub trait Policy: Send + Sync {
    /// Gives one of the pause's `choices`; anything else counts as [`Decision::Stop`].
    async fn decide(&self, environment: &Environment, pause: &Pause) -> Decision;
}

/// A deployment that stands still because steps failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Which.
    pub deployment: DeploymentId,
    /// The title of the plan's stage that it is in.
    pub stage: String,
    /// The hosts that are worked on; empty where a whole cluster could not be taken out, watched or brought back.
    pub batch: Vec<HostName>,
    /// What failed.
    pub failures: Vec<StepFailure>,
    /// The hosts that were skipped before.
    pub skipped: Vec<HostName>,
    /// The hosts that were changed so far, those of the batch among them.
    pub touched: Vec<HostName>,
    /// What can be decided here.
    pub choices: Vec<Decision>,
}

/// A step that failed, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFailure {
    /// The host; the proxy's for a whole cluster.
    pub host: HostName,
    /// The step; `None` where none was begun, as with too few others serving.
    pub step: Option<Step>,
    /// Why.
    pub error: String,
    /// The last lines of the log that tell more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// What follows a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The failed hosts try again.
    Retry,
    /// The failed hosts stay out of service as they are; the others go on.
    Skip,
    /// The hosts of the batch are taken back; then it stops.
    BackOutBatch,
    /// Every touched host is taken back, the last first.
    BackOut,
    /// It stops as it is; `resume` goes on from there.
    Stop,
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::BackOutBatch => "back out the batch",
            Self::BackOut => "back out everything",
            Self::Stop => "stop",
        })
    }
}

/// Takes everything back at the first failure, as nobody is there to ask.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysBackOut;

#[async_trait]
impl Policy for AlwaysBackOut {
    async fn decide(&self, _: &Environment, _: &Pause) -> Decision {
        Decision::BackOut
    }
}
