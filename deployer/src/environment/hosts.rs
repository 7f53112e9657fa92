//! The hosts that packages are deployed to.

use serde::Deserialize;

use super::reader::{Checked, Reader, Text};
use crate::HostName;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHost {
    pub(super) name: Text,
    pub(super) address: Option<Text>,
    pub(super) server: Option<Text>,
}

impl Reader<'_> {
    pub(super) fn host(&self, raw: &RawHost) -> Checked<Host> {
        let name: crate::HostName = self.parsed(&raw.name)?;
        let address = match &raw.address {
            Some(address) => self.destination("address", address)?,
            None => name.to_string(),
        };
        let server = match &raw.server {
            Some(server) => self.word("server", server)?,
            None => name.to_string(),
        };
        Ok(Host { endpoint: Endpoint { name, address }, server })
    }
}
