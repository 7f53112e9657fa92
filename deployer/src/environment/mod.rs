//! Environments: which hosts there are, how to reach them, what keeps them serving, and how to deploy to them.
//!
//! Each section of the file has a module of its own: what is written, what it means, and how the one becomes the other.

mod approval;
mod balancer;
mod clusters;
mod error;
mod fields;
mod health;
mod hooks;
mod hosts;
mod inventory;
mod load;
mod notes;
mod notifications;
mod pattern;
mod policy;
mod reader;
mod repository;
mod service;
mod ssh;
mod standard;
mod strategy;
mod text;
mod windows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use self::approval::Approval;
pub use self::balancer::Balancer;
pub use self::clusters::{Cluster, Proxy};
pub use self::error::{EnvironmentError, EnvironmentProblem};
pub use self::health::{Check, From, Health, HttpCheck};
pub use self::hooks::{Hook, HookPoint, On, Place, Task};
pub use self::hosts::{Endpoint, Host};
pub use self::notes::{NotesAudience, NotesDestination, NotesPlace};
pub use self::notifications::{News, Notification, Via};
pub use self::policy::{FailurePolicy, OnFailure};
pub use self::service::{Service, ServiceKind, TomcatManager};
pub use self::ssh::SshSettings;
pub use self::standard::{Standard, StandardDirectory, StandardKey, StandardRepository};
pub use self::strategy::{Portion, Strategy, StrategyKind};
pub use self::windows::{Freeze, Window};
use crate::{ClusterName, EnvironmentName, HostName};

/// An environment, read from its file and valid.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Where its ledger is: a directory, or a URL of an object store.
    pub ledger: String,
    /// Who has to agree to a change.
    pub approval: Approval,
    /// The file of those who may sign an approval; always there where two have to agree.
    pub approvers: Option<PathBuf>,
    /// When deployments may begin: at any time, if there are none.
    pub windows: Vec<Window>,
    /// Where a freeze is declared.
    pub freeze: Option<Freeze>,
    /// What follows a step that failed.
    pub policy: FailurePolicy,
    /// Commands that run at points of each deployment, in the file's order.
    pub hooks: Vec<Hook>,
    /// Commands that are run on request, by name.
    pub tasks: BTreeMap<String, Task>,
    /// Who is told of deployments.
    pub notifications: Vec<Notification>,
    /// Where release notes are published after a deployment that was done.
    pub notes: Vec<NotesDestination>,
    /// What every host is to have before anything is deployed to it.
    pub standard: Standard,
    /// The ids of the yum repositories, configured on the hosts, that packages may come from. Never empty.
    pub repositories: Vec<String>,
    /// The address of the repository server that is told what the hosts run and would go back to, so that it keeps that.
    pub repository_server: Option<String>,
    /// How to reach the hosts.
    pub ssh: SshSettings,
    /// The service that runs the application.
    pub service: Service,
    /// How a host shows that it serves the right version.
    pub health: Health,
    /// The load balancers in front of the hosts, all of which are told of each change.
    pub balancers: Vec<Balancer>,
    /// In what order and how carefully hosts are changed.
    pub strategy: Strategy,
    /// Hosts that are taken out of service together; each host is in one of them or in none.
    pub clusters: Vec<Cluster>,
    /// The balancers before the clusters, which are told of the clusters' proxies.
    pub front: Vec<Balancer>,
    /// What `{KEY}` stands for on every host.
    pub variables: BTreeMap<String, String>,
    /// The hosts, in the order in which they are deployed to. Never empty.
    pub hosts: Vec<Host>,
    /// The hosts that a person wanted left out; they are not among `hosts`.
    pub left_out: Vec<HostName>,
}

impl Environment {
    /// Finds a host by its name.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name() == name)
    }

    /// How long a host, or another machine of the environment, is waited for once it can't be reached any more.
    #[must_use]
    pub fn reconnect_timeout(&self, name: &HostName) -> Duration {
        self.host(name).and_then(|host| host.ssh.as_ref()).unwrap_or(&self.ssh).reconnect_timeout
    }

    /// The cluster that a host is in.
    #[must_use]
    pub fn cluster_of(&self, host: &HostName) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.hosts.contains(host))
    }

    /// Finds a cluster by its name.
    #[must_use]
    pub fn cluster(&self, name: &ClusterName) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name == *name)
    }

    /// Leaves hosts out: they are not looked at and keep what they have.
    ///
    /// # Errors
    /// The first name that no host has.
    pub fn leave_out(&mut self, names: &[HostName]) -> Result<(), HostName> {
        if let Some(unknown) = names.iter().find(|name| self.host(name).is_none()) {
            return Err(unknown.clone());
        }
        self.hosts.retain(|host| !names.contains(host.name()));
        for cluster in &mut self.clusters {
            cluster.hosts.retain(|host| !names.contains(host));
        }
        self.clusters.retain(|cluster| !cluster.hosts.is_empty());
        self.left_out.extend(names.iter().cloned());
        Ok(())
    }
}
