//! Environments: which hosts there are, how to reach them, what keeps them serving, and how to deploy to them.

mod error;
mod load;
mod raw;
mod text;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::error::{EnvironmentError, EnvironmentProblem};
use crate::{EnvironmentName, HostName};
use nevra::Name;

/// An environment, read from its file and valid.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Where its ledger is: a directory, or a URL of an object store.
    pub ledger: String,
    /// Who has to agree to a change.
    pub approval: Approval,
    /// The ids of the yum repositories, configured on the hosts, that packages may come from. Never empty.
    pub repositories: Vec<String>,
    /// The address of the repository server that is told what the hosts run and would go back to, so that it keeps that.
    pub repository_server: Option<String>,
    /// How to reach the hosts.
    pub ssh: SshSettings,
    /// The service that runs the application, such as `tomcat10`.
    pub service: String,
    /// How a host shows that it serves the right version.
    pub health: Health,
    /// The load balancers in front of the hosts, all of which are told of each change.
    pub balancers: Vec<Balancer>,
    /// In what order and how carefully hosts are changed.
    pub strategy: Rolling,
    /// The hosts, in the order in which they are deployed to. Never empty.
    pub hosts: Vec<Host>,
}

/// Who has to agree before a deployment changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Nobody: a job may deploy on its own.
    None,
    /// A person at a terminal, who has seen the plan and types the environment's name.
    Person,
}

/// How the system's `ssh` is called. What is not said here is left to the user's own configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshSettings {
    /// The login name on the hosts.
    pub user: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The private key (`ssh -i`).
    pub key_file: Option<PathBuf>,
    /// The host to go through (`ssh -J`).
    pub jump_host: Option<String>,
    /// The configuration file to use (`ssh -F`).
    pub config_file: Option<PathBuf>,
    /// Whether root's rights come from `sudo -n`; otherwise the login has them.
    pub sudo: bool,
    /// Further `ssh -o` options, as `Key=value`.
    pub options: Vec<String>,
}

/// How a host shows that it serves the right version: a request from the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The URL, with `{address}` and `{host}` for the host's.
    pub url: String,
    /// The status that is right, 200 by default.
    pub expect_status: u16,
    /// What the body must contain, with `{version}` and `{release}` for the package's.
    pub expect_body: Option<String>,
    /// Whose version and release those are; by default those of the first package deployed.
    pub package: Option<Name>,
    /// How long a started host has until it must be right, 2 minutes by default.
    pub start_timeout: Duration,
    /// The time between two requests, 250 ms by default.
    pub interval: Duration,
}

/// An HAProxy in front of the hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    /// Where `ssh` finds it.
    pub host: Endpoint,
    /// Its admin socket.
    pub socket: String,
    /// The backend that holds the hosts.
    pub backend: String,
    /// How long a drained server has to finish its requests, 30 seconds by default.
    pub drain_timeout: Duration,
}

/// The rolling strategy: batch after batch, each put back before the next is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rolling {
    /// How many hosts are changed at a time, 1 by default.
    pub batch_size: usize,
    /// How many hosts the balancers must see serving at any time.
    pub min_serving: usize,
}

/// A host that packages are deployed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// How to reach it, and what it is called.
    pub endpoint: Endpoint,
    /// What the balancers call it.
    pub server: String,
}

/// A machine that `ssh` reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// What it is called in plans, events and errors.
    pub name: HostName,
    /// The destination given to `ssh`.
    pub address: String,
}

impl Host {
    /// The host's name.
    #[must_use]
    pub fn name(&self) -> &HostName {
        &self.endpoint.name
    }
}

impl Environment {
    /// Finds a host by its name.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name() == name)
    }
}
