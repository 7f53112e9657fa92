//! The entries of an environment's ledger, as far as the server reads them.

use approval::Approval;
use chrono::{DateTime, Utc};
use nevra::Nevra;
use repo_api::HostOutcome;
use serde::Deserialize;
use serde_json::Value;

/// What an entry says.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(super) enum Entry {
    /// A deployment takes the lease.
    Begun { deployment: String, action: String, until: DateTime<Utc> },
    /// Another controller takes over what was left.
    Resumed { deployment: String, until: DateTime<Utc> },
    /// The controller lives.
    Extended { until: DateTime<Utc> },
    /// The plan that was agreed to.
    Planned {
        plan: Plan,
        /// How it was agreed to.
        #[serde(default)]
        agreement: Agreement,
    },
    /// A step is about to begin.
    StepBegun { host: String, step: Value, direction: String },
    /// A step has ended.
    StepEnded { host: String, step: Value, result: StepResult, milliseconds: u64 },
    /// Several of the two, in their order.
    Steps { steps: Vec<Entry> },
    /// It is over, and the lease is free.
    Finished {
        ending: String,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        hosts: Vec<HostOutcome>,
        /// Whether no step up to here is needed to go on from.
        #[serde(default)]
        clean: bool,
    },
    /// Something that the server need not know.
    #[serde(other)]
    Other,
}

/// A plan, as far as packages are concerned.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Plan {
    #[serde(default)]
    pub(super) hosts: Vec<HostPlan>,
}

/// How a plan was agreed to.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Agreement {
    /// What the one who deploys did; [`NAME_TYPED`] is what a person does.
    #[serde(default)]
    pub(super) consent: String,
    /// Who signed the plan's digest, as the controller says.
    #[serde(default)]
    pub(super) people: Vec<String>,
    /// What they signed.
    #[serde(default)]
    pub(super) approvals: Vec<Approval>,
}

/// The environment's name was typed at a terminal.
pub(super) const NAME_TYPED: &str = "name_typed";

/// What is planned for a host.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct HostPlan {
    pub(super) host: String,
    #[serde(default)]
    pub(super) changes: Vec<Change>,
}

/// What happens to a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Change {
    #[serde(default)]
    pub(super) from: Option<Nevra>,
    pub(super) to: Nevra,
}

/// How a step ended.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StepResult {
    pub(super) is: String,
    #[serde(default)]
    pub(super) detail: Option<String>,
    #[serde(default)]
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) log: Vec<String>,
}

impl Entry {
    /// Reads an entry; one of a known kind that lacks what the server needs of it is an error.
    pub(super) fn read(payload: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(payload)
    }

    /// Whether it says that one step has begun or ended.
    pub(super) fn is_step(&self) -> bool {
        matches!(self, Self::StepBegun { .. } | Self::StepEnded { .. })
    }

    /// The deployment that an entry is about, whatever else it says.
    pub(super) fn deployment(payload: &Value) -> Option<&str> {
        payload.get("deployment").and_then(Value::as_str)
    }

    /// Whether an entry still matters after a clean end.
    pub(super) fn is_lasting(payload: &Value) -> bool {
        !matches!(Self::kind(payload), "step_begun" | "step_ended" | "steps" | "extended")
    }

    /// The kind of an entry, whatever else it says.
    pub(super) fn kind(payload: &Value) -> &str {
        payload.get("entry").and_then(Value::as_str).unwrap_or_default()
    }
}

impl Change {
    /// Whether another version is there afterwards.
    pub(super) fn moves(&self) -> bool {
        self.from.as_ref() != Some(&self.to)
    }
}

/// A step's name: what its controller calls it.
pub(super) fn step_name(step: &Value) -> String {
    step.as_str().map_or_else(|| step.to_string(), str::to_owned)
}
