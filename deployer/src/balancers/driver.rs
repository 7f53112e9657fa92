//! The trait of all kinds of balancers, and the kinds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{Apache, AwsTargetGroup, BalancerError, Command, Control, HaProxy, HealthPage, Lvs, Nginx};
use super::{Rotation, ServerState};
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

    /// Has servers get requests in place of others; at once, without a moment between, where the kind of balancer can.
    async fn swap(
        &self,
        control: &Control<'_>,
        incoming: &[Member<'_>],
        outgoing: &[Member<'_>],
    ) -> Result<(), BalancerError> {
        for member in incoming {
            self.set(control, member, Rotation::In).await?;
        }
        for member in outgoing {
            self.set(control, member, Rotation::Draining).await?;
        }
        Ok(())
    }

    /// How long it takes until what it was told has come to those who send requests.
    fn notice(&self) -> Duration {
        Duration::ZERO
    }
}

/// A balancer with what its kind has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// HAProxy, by its runtime API.
    HaProxy(HaProxy),
    /// nginx, by an include file and reloads.
    Nginx(Nginx),
    /// Apache's mod_proxy_balancer, by its balancer-manager.
    Apache(Apache),
    /// LVS, by ipvsadm.
    Lvs(Lvs),
    /// A target group of AWS.
    AwsTargetGroup(AwsTargetGroup),
    /// The check page that any balancer asks for.
    HealthPage(HealthPage),
    /// Anything else, by commands of the user's.
    Command(Command),
}

impl Driver {
    /// Whether it can have servers get requests in place of others at once.
    pub(crate) fn can_swap(&self) -> bool {
        matches!(self, Self::HaProxy(_))
    }

    pub(crate) fn drive(&self) -> &dyn Drive {
        match self {
            Self::HaProxy(driver) => driver,
            Self::Nginx(driver) => driver,
            Self::Apache(driver) => driver,
            Self::Lvs(driver) => driver,
            Self::AwsTargetGroup(driver) => driver,
            Self::HealthPage(driver) => driver,
            Self::Command(driver) => driver,
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.drive().fmt(formatter)
    }
}

/// Gives members the states of the servers that are meant by them; one that is not among them keeps its own name.
pub(super) fn named(
    members: &[Member<'_>],
    servers: &[(String, ServerState)],
    is_meant: impl Fn(&str, &Member<'_>) -> bool,
) -> Views {
    let name = |server: &str| {
        let member = members.iter().find(|member| is_meant(server, member));
        member.map_or(server, |member| member.server).to_owned()
    };
    servers.iter().map(|(server, state)| (name(server), state.clone())).collect()
}
