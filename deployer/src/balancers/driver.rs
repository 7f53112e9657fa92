//! The trait of all kinds of balancers, and the kinds.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::{BalancerError, Control, HaProxy, Rotation, ServerState};
use crate::environment::Endpoint;

/// A server that requests are sent to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    /// What the balancer calls it.
    pub(crate) server: &'a str,
    /// How `ssh` reaches its host.
    pub(crate) endpoint: &'a Endpoint,
}

/// How a balancer sees servers, by what it calls them; those that it does not know are not there.
pub(crate) type Views = BTreeMap<String, ServerState>;

/// A kind of balancer.
#[async_trait]
pub(crate) trait Drive: fmt::Display + Send + Sync {
    /// Asks how it sees these servers. Changes nothing.
    async fn view(&self, control: &Control<'_>, members: &[Member<'_>]) -> Result<Views, BalancerError>;

    /// Tells it what to do with a server. Telling it twice does no harm.
    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError>;
}

/// A balancer with what its kind has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// HAProxy, by its runtime API.
    HaProxy(HaProxy),
}

impl Driver {
    pub(crate) fn drive(&self) -> &dyn Drive {
        match self {
            Self::HaProxy(driver) => driver,
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.drive().fmt(formatter)
    }
}
