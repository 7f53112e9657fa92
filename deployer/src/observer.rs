//! What a deployment tells while it goes on, for whoever shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::approval::Agreement;
use crate::journal::{Action, Direction, HookRecord, StepResult};
use crate::plan::{Plan, Step};
use crate::policy::{Decision, Pause};
use crate::{ClusterName, DeploymentId, EnvironmentName, HostName, Report};

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
    /// The plan is agreed to, and is carried out from here on.
    Approved {
        /// How.
        agreement: Agreement,
    },
    /// A command of the environment's has run.
    HookEnded {
        /// Which, and what came of it.
        hook: HookRecord,
    },
    /// What is seen of a step that goes on.
    StepSeen {
        /// Where.
        host: HostName,
        /// The cluster, where the step is about a whole one.
        #[serde(skip_serializing_if = "Option::is_none")]
        cluster: Option<ClusterName>,
        /// Which.
        step: Step,
        /// What, in few words.
        seen: String,
    },
    /// Steps failed, and it is decided what follows.
    Paused {
        /// Where it stands.
        pause: Pause,
    },
    /// It is decided what follows.
    Decided {
        /// What.
        decision: Decision,
    },
    /// A step begins.
    StepBegun {
        /// Where.
        host: HostName,
        /// The cluster, where the step is about a whole one.
        #[serde(skip_serializing_if = "Option::is_none")]
        cluster: Option<ClusterName>,
        /// Which.
        step: Step,
        /// Onward or back.
        direction: Direction,
    },
    /// A step has ended.
    StepEnded {
        /// Where.
        host: HostName,
        /// The cluster, where the step is about a whole one.
        #[serde(skip_serializing_if = "Option::is_none")]
        cluster: Option<ClusterName>,
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
