//! The entries of an environment's ledger, as they are stored.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use nevra::Nevra;
use serde::{Deserialize, Serialize};

use crate::approval::Agreement;
use crate::environment::HookPoint;
use crate::plan::{Plan, Step};
use crate::policy::{Decision, Pause};
use crate::{ClusterName, DeploymentId, HostName, Target};

/// One entry. The number of the commit that holds `Begun` or `Resumed` is the fencing token of what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A deployment takes the lease.
    Begun {
        /// Its id.
        deployment: DeploymentId,
        /// What is done.
        action: Action,
        /// What the environment is to run.
        target: Target,
        /// When the lease ends unless it is extended.
        until: DateTime<Utc>,
    },
    /// Another controller takes over what was left.
    Resumed {
        /// What is resumed.
        deployment: DeploymentId,
        /// When the lease ends unless it is extended.
        until: DateTime<Utc>,
    },
    /// The controller lives.
    Extended {
        /// What it is at.
        deployment: DeploymentId,
        /// When the lease ends unless it is extended again.
        until: DateTime<Utc>,
    },
    /// The plan that was agreed to.
    Planned {
        /// Of what.
        deployment: DeploymentId,
        /// The plan.
        plan: Plan,
        /// How it was agreed to.
        agreement: Agreement,
    },
    /// A command of the environment's has run.
    HookEnded {
        /// Of what.
        deployment: DeploymentId,
        /// Which, and what came of it.
        hook: HookRecord,
    },
    /// A step on a host is about to begin.
    StepBegun {
        /// Of what.
        deployment: DeploymentId,
        /// Where; for a whole cluster, its first proxy, or its first host.
        host: HostName,
        /// The cluster, where the step is about a whole one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cluster: Option<ClusterName>,
        /// Which.
        step: Step,
        /// Onward or back.
        direction: Direction,
    },
    /// A step on a host has ended.
    StepEnded {
        /// Of what.
        deployment: DeploymentId,
        /// Where; for a whole cluster, its first proxy, or its first host.
        host: HostName,
        /// The cluster, where the step is about a whole one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cluster: Option<ClusterName>,
        /// Which.
        step: Step,
        /// Onward or back.
        direction: Direction,
        /// How it ended.
        result: StepResult,
        /// How long it took.
        milliseconds: u64,
    },
    /// Steps of several hosts that began or ended while the entry before was being written.
    Steps {
        /// Of what.
        deployment: DeploymentId,
        /// `StepBegun` and `StepEnded`, in their order; two at least.
        steps: Vec<Entry>,
    },
    /// Steps failed, and it is to be decided what follows.
    Paused {
        /// Of what.
        deployment: DeploymentId,
        /// Where it stands.
        pause: Pause,
    },
    /// It is decided what follows.
    Decided {
        /// Of what.
        deployment: DeploymentId,
        /// What.
        decision: Decision,
    },
    /// A step failed: from here on hosts are taken back.
    BackingOut {
        /// Of what.
        deployment: DeploymentId,
        /// Why.
        because: String,
        /// Which hosts; `None` for all that were touched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hosts: Option<Vec<HostName>>,
    },
    /// It is over, and the lease is free.
    Finished {
        /// What.
        deployment: DeploymentId,
        /// How it ended.
        ending: Ending,
        /// Why it ended so, where that was not the aim.
        reason: Option<String>,
        /// What the hosts of the plan were left with.
        hosts: Vec<HostReport>,
        /// Whether no step up to here is needed to go on from: every host that was touched has finished its walk, no cluster
        /// is out, and there is nothing to resume.
        #[serde(default)]
        clean: bool,
    },
}

/// A command that ran at a point of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRecord {
    /// At which point.
    pub point: HookPoint,
    /// Where, in words.
    pub place: String,
    /// The host that it ran on, or was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// What ran.
    pub command: String,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Whether a failure stops the deployment.
    pub required: bool,
    /// The last lines that it printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// To a version that a person named.
    Deploy,
    /// To an earlier version.
    Rollback,
}

/// Onward to the target, or back to what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the target.
    Onward,
    /// To what was there before.
    Back,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum StepResult {
    /// Well.
    Ok {
        /// What was seen, where it says more than that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// Not.
    Failed {
        /// Why.
        error: String,
        /// The last lines of the log that tell more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<String>,
    },
}

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every host runs the target and serves.
    Done,
    /// Every host ran it already.
    NothingToDo,
    /// It failed before it changed anything.
    NothingChanged,
    /// It failed, and every host that it touched is back and serves.
    RolledBack,
    /// It failed and left hosts changed.
    PartlyChanged,
    /// A person did not approve; nothing was changed.
    NotApproved,
}

/// What a host was left with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReport {
    /// The host.
    pub host: HostName,
    /// What it had before, of the packages that the deployment is about.
    pub before: BTreeSet<Nevra>,
    /// What it has now; `None` where that could not be seen.
    pub now: Option<BTreeSet<Nevra>>,
    /// The service's state, as the host's service manager says it.
    pub service: Option<String>,
    /// How the balancers see it.
    pub balancers: Vec<String>,
    /// The states of those balancers that send it nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_of_balancer: Vec<String>,
    /// Whether it finished its walk, in whichever direction; a host that did not is out of service.
    pub settled: bool,
}

impl Entry {
    /// Whether it still matters after a clean end.
    pub(crate) fn is_lasting(&self) -> bool {
        !(self.is_step() || matches!(self, Self::Steps { .. } | Self::Extended { .. }))
    }

    /// Whether it says that one step has begun or ended.
    pub(super) fn is_step(&self) -> bool {
        matches!(self, Self::StepBegun { .. } | Self::StepEnded { .. })
    }

    /// What is written at once as one entry; all but a single one are steps of one deployment.
    pub(super) fn together(mut entries: Vec<Self>) -> Option<Self> {
        match entries.len() {
            0 | 1 => entries.pop(),
            _ => Some(Self::Steps { deployment: entries[0].deployment(), steps: entries }),
        }
    }

    /// What it says, one thing after the other.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Self> {
        let (one, steps) = match self {
            Self::Steps { steps, .. } => (None, steps.as_slice()),
            one => (Some(one), [].as_slice()),
        };
        one.into_iter().chain(steps.iter().filter(|step| step.is_step()))
    }

    /// The deployment that the entry is about.
    #[must_use]
    pub fn deployment(&self) -> DeploymentId {
        match self {
            Self::Begun { deployment, .. }
            | Self::Resumed { deployment, .. }
            | Self::Extended { deployment, .. }
            | Self::Planned { deployment, .. }
            | Self::HookEnded { deployment, .. }
            | Self::StepBegun { deployment, .. }
            | Self::StepEnded { deployment, .. }
            | Self::Steps { deployment, .. }
            | Self::Paused { deployment, .. }
            | Self::Decided { deployment, .. }
            | Self::BackingOut { deployment, .. }
            | Self::Finished { deployment, .. } => *deployment,
        }
    }
}
