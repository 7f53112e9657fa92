//! The load balancers in front of the hosts.

use std::time::Duration;

use serde::Deserialize;

use super::reader::{Checked, Reader, Text, at};
use super::{Endpoint, EnvironmentProblem};

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBalancer {
    #[expect(dead_code, reason = "the one kind there is; a file that names another is refused")]
    pub(super) kind: BalancerKind,
    pub(super) host: Text,
    pub(super) socket: Option<Text>,
    pub(super) backend: Text,
    pub(super) drain_timeout: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BalancerKind {
    Haproxy,
}

impl Reader<'_> {
    pub(super) fn balancer(&self, raw: &RawBalancer) -> Checked<Balancer> {
        let address = self.destination("host", &raw.host)?;
        let name = address.rsplit_once('@').map_or(address.as_str(), |(_, host)| host);
        let name = name.parse().map_err(|problem| at(&raw.host, EnvironmentProblem::Name(problem)))?;
        let socket = match &raw.socket {
            Some(socket) => self.absolute("socket", socket)?,
            None => "/run/haproxy/admin.sock".to_owned(),
        };
        Ok(Balancer {
            host: Endpoint { name, address },
            socket,
            backend: self.word("backend", &raw.backend)?,
            drain_timeout: self.time(raw.drain_timeout.as_ref(), Duration::from_secs(30))?,
        })
    }
}
