//! What is told: a text for people and fields for programs.

use nevra::Nevra;
use serde::Serialize;

use crate::environment::{Environment, News};
use crate::journal::{Action, Ending};
use crate::observer::{Event, Happening};
use crate::plan::Plan;
use crate::policy::Pause;
use crate::{DeploymentId, EnvironmentName, HostName, Report};

/// One message, as it is sent: `text` is what Slack and others show, the rest is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) event: News,
    pub(crate) environment: EnvironmentName,
    pub(crate) deployment: Option<DeploymentId>,
    pub(crate) action: Option<Action>,
    /// What the hosts are to run, each once.
    pub(crate) packages: Vec<Nevra>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What each host was left with, at the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hosts: Vec<HostNews>,
}

/// What a host was left with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HostNews {
    pub(crate) host: HostName,
    pub(crate) packages: Option<Vec<Nevra>>,
    pub(crate) settled: bool,
}

/// What is known of the deployment so far.
#[derive(Debug)]
pub(crate) struct Story {
    environment: EnvironmentName,
    deployment: Option<DeploymentId>,
    action: Option<Action>,
    packages: Vec<Nevra>,
}

impl Story {
    pub(crate) fn of(environment: &Environment) -> Self {
        Self { environment: environment.name.clone(), deployment: None, action: None, packages: Vec::new() }
    }

    /// Takes an event in; gives a message if it is one that people want to know of.
    pub(crate) fn take(&mut self, event: &Event) -> Option<Message> {
        self.deployment = Some(event.deployment);
        match &event.happening {
            Happening::Begun { action, .. } => self.action = Some(*action),
            Happening::Planned { plan } => self.packages = packages(plan),
            Happening::Approved { .. } => return Some(self.message(News::Begun, "begins", None)),
            Happening::Finished { report } => return self.finished(report),
            _ => {}
        }
        None
    }

    /// What is said of a deployment that waits for a person.
    pub(crate) fn paused(&self, pause: &Pause) -> Message {
        let failures: Vec<String> =
            pause.failures.iter().map(|failure| format!("{}: {}", failure.host, failure.error)).collect();
        self.message(News::Paused, "is paused, and waits for a person", Some(failures.join("; ")))
    }

    /// What is said of a deployment whose controller lost its lease or its journal.
    pub(crate) fn cut_off(&self, reason: &str) -> Option<Message> {
        self.deployment?;
        Some(self.message(News::Failed, "was cut off", Some(reason.to_owned())))
    }

    fn finished(&self, report: &Report) -> Option<Message> {
        let (news, said) = match report.ending {
            Ending::Done => (News::Done, "is done"),
            Ending::NothingToDo | Ending::NotApproved => return None,
            Ending::NothingChanged => (News::Failed, "failed; nothing was changed"),
            Ending::PartlyChanged => (News::Failed, "left hosts PARTLY CHANGED: a person is needed"),
            Ending::RolledBack => (News::RolledBack, "failed and was rolled back"),
        };
        let hosts = report.hosts.iter().map(|host| HostNews {
            host: host.host.clone(),
            packages: host.now.as_ref().map(|now| now.iter().cloned().collect()),
            settled: host.settled,
        });
        let hosts = hosts.collect();
        Some(Message { hosts, ..self.message(news, said, report.reason.clone()) })
    }

    fn message(&self, event: News, said: &str, reason: Option<String>) -> Message {
        let action = match self.action {
            Some(Action::Rollback) => "rollback",
            Some(Action::Deploy) | None => "deployment",
        };
        let packages = self.packages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let id = self.deployment.map(|id| format!("{id} ")).unwrap_or_default();
        let because = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        Message {
            text: format!("{id}{action} of {packages} to {} {said}{because}", self.environment),
            event,
            environment: self.environment.clone(),
            deployment: self.deployment,
            action: self.action,
            packages: self.packages.clone(),
            reason,
            hosts: Vec::new(),
        }
    }
}

impl Message {
    /// The same for a command, as variables.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PKG_EVENT", self.event.as_str().to_owned()),
            ("PKG_ENVIRONMENT", self.environment.to_string()),
            ("PKG_DEPLOYMENT", self.deployment.map(|id| id.to_string()).unwrap_or_default()),
            ("PKG_TEXT", self.text.clone()),
        ]
    }
}

fn packages(plan: &Plan) -> Vec<Nevra> {
    let mut packages: Vec<Nevra> =
        plan.hosts.iter().flat_map(|host| &host.changes).map(|change| change.to.clone()).collect();
    packages.sort();
    packages.dedup();
    packages
}
