//! What a deployment tells while it goes on, for whoever shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::journal::{Action, Direction, StepResult};
use crate::plan::{Plan, Step};
use crate::{DeploymentId, EnvironmentName, HostName, Report};

/// Is told of every event, in order; must not block for long.
pub trait Observer: Send + Sync {
    /// Takes an event.
    fn observe(&self, event: &Event);
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// In which deployment.
    pub deployment: DeploymentId,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// The lease is taken.
    Begun {
        /// Of which environment.
        environment: EnvironmentName,
        /// To do what.
        action: Action,
        /// The fencing token.
        token: u64,
    },
    /// There is a plan.
    Planned {
        /// The plan.
        plan: Plan,
    },
    /// A step begins.
    StepBegun {
        /// Where.
        host: HostName,
        /// Which.
        step: Step,
        /// Onward or back.
        direction: Direction,
    },
    /// A step has ended.
    StepEnded {
        /// Where.
        host: HostName,
        /// Which.
        step: Step,
        /// Onward or back.
        direction: Direction,
        /// How.
        result: StepResult,
        /// How long it took.
        milliseconds: u64,
    },
    /// Hosts are taken back from here on.
    BackingOut {
        /// Why.
        because: String,
    },
    /// A host that changed stays as it is.
    Left {
        /// Which.
        host: HostName,
        /// Why.
        because: String,
    },
    /// It is over.
    Finished {
        /// What came of it.
        report: Report,
    },
}
