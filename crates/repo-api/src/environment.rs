//! Environments: the rules that the server keeps for them, and what it knows of what runs where.

use chrono::{DateTime, Utc};
use nevra::Nevra;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::TagName;

/// Who has to agree before a deployment changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalRule {
    /// What the environment's own file says; the server asks for nothing.
    #[default]
    None,
    /// A person: tokens that are marked as unattended can't deploy.
    Person,
    /// A person who deploys, and another one's signature under the plan.
    Two,
}

/// What the server asks of deployments to an environment, whatever the controller's own file says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSettings {
    /// Who has to agree.
    #[serde(default)]
    pub approval: ApprovalRule,
    /// Those who may agree: lines as in ALLOWED SIGNERS of ssh-keygen(1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<String>,
    /// Why nothing may be deployed; `None` where it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
}

/// A time in which nothing is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Why.
    pub because: String,
    /// When it ends by itself; never, where that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// Asks to give an environment other settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRequest {
    /// All its settings.
    pub settings: EnvironmentSettings,
    /// The settings that it has as far as the client knows: others are a conflict. Without them, it has to have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<EnvironmentSettings>,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The environments that the caller may see, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentList {
    /// The environments.
    pub environments: Vec<EnvironmentSummary>,
}

/// An environment in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentSummary {
    /// Its name.
    pub name: TagName,
    /// The newest commit of its ledger; 0 where there is none.
    pub commit: u64,
    /// How many hosts are known.
    pub hosts: usize,
    /// How many of them differ from what was deployed, as far as was seen.
    pub drifting: usize,
    /// What runs on any of its hosts.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
    /// The deployment that has not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<DeploymentSummary>,
    /// The last one that has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DeploymentSummary>,
    /// What the server asks of deployments.
    pub settings: EnvironmentSettings,
}

/// An environment, and what its hosts run or ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentInfo {
    /// Its name.
    pub name: TagName,
    /// The newest commit of its ledger; 0 where there is none.
    pub commit: u64,
    /// The time that the hosts' versions are of.
    pub at: DateTime<Utc>,
    /// The hosts by name.
    pub hosts: Vec<HostInfo>,
    /// The deployment that has not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<DeploymentSummary>,
    /// What is kept for it: what its hosts run or would go back to.
    #[schemars(with = "Vec<String>")]
    pub needs: Vec<Nevra>,
    /// What the server asks of deployments.
    pub settings: EnvironmentSettings,
}

/// A host as its last deployment left it, and as it was seen since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostInfo {
    /// Its name.
    pub host: String,
    /// The packages that it runs, of those that are deployed.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
    /// Whether that was seen after the deployment; otherwise it is what was there before.
    pub seen: bool,
    /// The deployment that left it so.
    pub deployment: String,
    /// When that ended.
    pub since: DateTime<Utc>,
    /// Whether it finished its walk; a host that did not is out of service.
    pub settled: bool,
    /// How it was seen since, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sighting: Option<Sighting>,
}

/// How a host was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sighting {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// The packages that it had, of those that are deployed.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
    /// In what it differs from what was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
}

/// Tells how hosts were seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SightingRequest {
    /// The hosts.
    pub hosts: Vec<SeenHost>,
    /// The person or the job that saw them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// One host as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenHost {
    /// Its name.
    pub host: String,
    /// The packages that it has, of those that are deployed.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
    /// In what it differs from what was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
}

/// A part of an environment's history, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeploymentList {
    /// The deployments.
    pub deployments: Vec<DeploymentSummary>,
    /// Where older ones go on: ask again with `before` set to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// A deployment in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeploymentSummary {
    /// Its number within the environment, such as `D-0012`.
    pub id: String,
    /// `deploy` or `rollback`.
    pub action: String,
    /// Who began it.
    pub who: String,
    /// From where.
    pub from: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who holds its lease: whoever began or resumed it last.
    pub holder: String,
    /// Until when, unless it is extended.
    pub until: DateTime<Utc>,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When its last entry was written.
    pub last: DateTime<Utc>,
    /// How it ended, as its controller calls it (`done`, `rolled_back` …); `None` while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
    /// Why it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it moves, each move once.
    pub moves: Vec<PackageMove>,
    /// Who else agreed to its plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_by: Vec<String>,
}

/// A package on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageMove {
    /// What was there before; `None` for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<Nevra>,
    /// What is there after it.
    #[schemars(with = "String")]
    pub to: Nevra,
    /// On how many hosts.
    pub hosts: usize,
}

/// A deployment with its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeploymentInfo {
    /// What a list says of it.
    pub summary: DeploymentSummary,
    /// The steps, in the order in which they began.
    pub steps: Vec<StepInfo>,
    /// What its hosts were left with.
    pub hosts: Vec<HostOutcome>,
}

/// One step of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepInfo {
    /// Where.
    pub host: String,
    /// Which, as the controller calls it.
    pub step: String,
    /// `onward` or `back`.
    pub direction: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// How long it took, if it is known to have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// How it ended: `ok` or `failed`; `None` where it is not known to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// What was seen, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The last lines of the log that tell more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// What a host was left with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostOutcome {
    /// The host.
    pub host: String,
    /// What it had before, of the packages that the deployment is about.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub before: Vec<Nevra>,
    /// What it had afterwards; `None` where that could not be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub now: Option<Vec<Nevra>>,
    /// The service's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How the balancers saw it.
    #[serde(default)]
    pub balancers: Vec<String>,
    /// Whether it finished its walk.
    #[serde(default)]
    pub settled: bool,
}

/// Says that a commit of an environment's ledger is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Committed {
    /// Its number.
    pub commit: u64,
}

impl Freeze {
    /// Tells whether it holds at a time.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
