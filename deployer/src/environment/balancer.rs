//! The load balancers in front of the hosts.

use std::time::Duration;

use super::fields::{Fields, RawFields};
use super::reader::{Checked, Reader, Text, at};
use super::{Endpoint, EnvironmentProblem};
use crate::balancers::{Driver, HaProxy};

/// A load balancer in front of the hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    /// What it is and how it is told.
    pub driver: Driver,
    /// How long a drained server has to finish its requests, 30 seconds by default.
    pub drain_timeout: Duration,
}

/// The keys depend on the kind.
pub(super) type RawBalancer = RawFields;

#[derive(Debug, Clone, Copy)]
enum Kind {
    HaProxy,
}

const KINDS: [(&str, Kind); 1] = [("haproxy", Kind::HaProxy)];

impl Reader<'_> {
    pub(super) fn balancer(&self, raw: &RawBalancer) -> Checked<Balancer> {
        let mut fields = Fields::new(self, raw);
        let kind = fields.kind(&KINDS, None)?;
        let drain_timeout = fields.time("drain_timeout", Duration::from_secs(30))?;
        let driver = match kind {
            Kind::HaProxy => Driver::HaProxy(fields.haproxy()?),
        };
        fields.finish()?;
        Ok(Balancer { driver, drain_timeout })
    }
}

impl Fields<'_> {
    fn haproxy(&mut self) -> Checked<HaProxy> {
        Ok(HaProxy {
            host: self.machine("host")?,
            socket: self.path_or("socket", "/run/haproxy/admin.sock")?,
            backend: self.word("backend")?,
        })
    }

    /// A machine that `ssh` reaches, named by its address.
    fn machine(&mut self, key: &'static str) -> Checked<Endpoint> {
        let text = self.needed(key)?;
        self.endpoint(key, &text)
    }

    fn endpoint(&mut self, key: &'static str, text: &Text) -> Checked<Endpoint> {
        let address = self.reader().destination(key, text)?;
        let name = address.rsplit_once('@').map_or(address.as_str(), |(_, host)| host);
        let name = name.parse().map_err(|problem| at(text, EnvironmentProblem::Name(problem)))?;
        Ok(Endpoint { name, address })
    }

    fn path_or(&mut self, key: &'static str, default: &str) -> Checked<String> {
        match self.text(key)? {
            Some(path) => self.reader().absolute(key, &path),
            None => Ok(default.to_owned()),
        }
    }

    fn word(&mut self, key: &'static str) -> Checked<String> {
        let text = self.needed(key)?;
        self.reader().word(key, &text)
    }
}
