//! Commands of the user's that run at certain points of a deployment, and tasks that are run on request.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reader::{Checked, Reader, Text, at};
use super::{EnvironmentProblem, Host};

/// A command that runs at a point of each deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// When.
    pub at: HookPoint,
    /// Where.
    pub place: Place,
    /// What, for `sh -c`.
    pub command: String,
    /// Whether the deployment stops if it fails: always for what comes before something, on request for what comes after.
    pub required: bool,
    /// After what time it is given up; 5 minutes by default.
    pub timeout: Duration,
}

/// A command that has a name: `pkg run ENV --task NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What it is for.
    pub description: Option<String>,
    /// Where.
    pub place: Place,
    /// What, for `sh -c`.
    pub command: String,
    /// How many hosts at a time; all by default.
    pub batch: Option<usize>,
    /// After what time it is given up; 5 minutes by default.
    pub timeout: Duration,
}

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// On what kind of machine.
    pub on: On,
    /// Only on hosts of this role.
    pub role: Option<String>,
}

/// On what kind of machine a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// On the machine that `pkg` runs on.
    #[default]
    Controller,
    /// On the host at hand; at points of the whole deployment, on every host.
    Host,
    /// On the first host.
    One,
}

/// A point of a deployment at which commands may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookPoint {
    /// The lease is taken; nothing was looked at yet.
    BeforePlan,
    /// The plan is approved; nothing was changed yet.
    BeforeDeploy,
    /// The host is about to be taken out of the balancers.
    BeforeHost,
    /// The host's service has stopped.
    AfterStop,
    /// The host's packages are changed; its service is about to start.
    BeforeStart,
    /// The host is back and serves.
    AfterHost,
    /// Every host runs the target.
    AfterDeploy,
    /// A step failed; nothing was done about it yet.
    OnFailure,
    /// Every host that was touched is back where it was.
    AfterRollback,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHook {
    at: HookPoint,
    #[serde(default)]
    on: On,
    role: Option<Text>,
    command: Text,
    #[serde(default)]
    required: bool,
    timeout: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTask {
    description: Option<Text>,
    #[serde(default = "on_hosts")]
    on: On,
    role: Option<Text>,
    command: Text,
    batch: Option<std::num::NonZeroUsize>,
    timeout: Option<Text>,
}

fn on_hosts() -> On {
    On::Host
}

const TIMEOUT: Duration = Duration::from_secs(300);

impl HookPoint {
    /// The name, as in the environment file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforePlan => "before-plan",
            Self::BeforeDeploy => "before-deploy",
            Self::BeforeHost => "before-host",
            Self::AfterStop => "after-stop",
            Self::BeforeStart => "before-start",
            Self::AfterHost => "after-host",
            Self::AfterDeploy => "after-deploy",
            Self::OnFailure => "on-failure",
            Self::AfterRollback => "after-rollback",
        }
    }

    /// Whether a failure there always stops what would come next.
    fn comes_before(self) -> bool {
        matches!(self, Self::BeforePlan | Self::BeforeDeploy | Self::BeforeHost | Self::BeforeStart)
    }
}

impl fmt::Display for HookPoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Place {
    /// Whether it may be on that host.
    pub(crate) fn fits(&self, host: &Host) -> bool {
        self.role.as_ref().is_none_or(|role| host.roles.contains(role))
    }

    /// Whether it may be where that host is at hand, if one is.
    pub(crate) fn fits_some(&self, host: Option<&Host>) -> bool {
        host.is_none_or(|host| self.fits(host))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, one) = match &self.role {
            Some(role) => (format!("hosts of role {role}"), format!("the first host of role {role}")),
            None => ("hosts".to_owned(), "the first host".to_owned()),
        };
        formatter.write_str(match self.on {
            On::Controller => "the controller",
            On::Host => &all,
            On::One => &one,
        })
    }
}

impl Reader<'_> {
    pub(super) fn hook(&self, raw: &RawHook) -> Checked<Hook> {
        Ok(Hook {
            at: raw.at,
            place: self.place(raw.on, raw.role.as_ref())?,
            command: self.shell_command(&raw.command)?,
            required: raw.required || raw.at.comes_before(),
            timeout: self.time(raw.timeout.as_ref(), TIMEOUT)?,
        })
    }

    pub(super) fn tasks(&self, raw: &BTreeMap<String, RawTask>) -> Checked<BTreeMap<String, Task>> {
        let task = |(name, raw): (&String, &RawTask)| {
            let description = raw.description.as_ref().map(|text| self.text(text)).transpose()?;
            let place = self.place(raw.on, raw.role.as_ref())?;
            let (command, batch) = (self.shell_command(&raw.command)?, raw.batch.map(usize::from));
            let timeout = self.time(raw.timeout.as_ref(), TIMEOUT)?;
            Ok((name.clone(), Task { description, place, command, batch, timeout }))
        };
        raw.iter().map(task).collect()
    }

    fn place(&self, on: On, role: Option<&Text>) -> Checked<Place> {
        Ok(Place { on, role: role.map(|role| self.word("role", role)).transpose()? })
    }

    fn shell_command(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        if value.trim().is_empty() || value.contains('\0') {
            return Err(at(
                text,
                EnvironmentProblem::Text { field: "command", value, rule: "nothing that `sh -c` runs" },
            ));
        }
        Ok(value)
    }
}
