//! LVS, the kernel's balancer of connections, by `ipvsadm` (ipvsadm(8)): weight 0, then wait for the active connections.
//!
//! Active are those that are established or about to be. One that has ended stays inactive for two minutes, and is waited
//! for unless `net.ipv4.vs.expire_nodest_conn` is 1: a new connection from the same port would go where it went.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;

use super::{BalancerError, Control, Drive, Member, Rotation, ServerState, Views};
use crate::Script;
use crate::environment::Endpoint;
use crate::transport::ScriptError;

/// The exit code of `scripts/lvs_set.sh` where weight 0 does not drain.
const UNDRAINABLE: i32 = 78;

/// An LVS director.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lvs {
    /// Where `ssh` finds it.
    pub host: Endpoint,
    /// The virtual service, numeric: `10.0.0.1:80`, or the number of a firewall mark.
    pub service: VirtualService,
}

/// A virtual service of LVS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VirtualService {
    /// An address and a port.
    Tcp(String),
    /// A firewall mark.
    Mark(u32),
}

impl VirtualService {
    /// As `ipvsadm` is told.
    fn argument(&self) -> String {
        match self {
            Self::Tcp(address) => format!("-t {address}"),
            Self::Mark(mark) => format!("-f {mark}"),
        }
    }

    /// As `ipvsadm -Ln` lists it.
    fn listed(&self) -> (&'static str, String) {
        match self {
            Self::Tcp(address) => ("TCP", address.clone()),
            Self::Mark(mark) => ("FWM", mark.to_string()),
        }
    }
}

#[async_trait]
impl Drive for Lvs {
    async fn view(&self, control: &Control<'_>, members: &[Member<'_>]) -> Result<Views, BalancerError> {
        let script = Script::new("view of LVS", &[include_str!("../../scripts/lvs_view.sh")]);
        let text = control.ask(&self.host, &script).await?;
        let servers = parse(&text, &self.service)
            .map_err(|problem| BalancerError::Answer { balancer: self.to_string(), problem })?;
        Ok(of_members(members, servers))
    }

    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let script = control
            .change("change of LVS", &[include_str!("../../scripts/lvs_set.sh")])
            .set("SERVICE", self.service.argument())
            .set("SERVER", server_of(member))
            .set("TO", to.as_str());
        match control.run(&self.host, &script).await {
            Err(ScriptError::Failed { status: UNDRAINABLE, output: problem, .. }) => {
                Err(BalancerError::Undrainable { balancer: self.to_string(), problem })
            }
            outcome => Ok(outcome.map(drop)?),
        }
    }
}

impl fmt::Display for Lvs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LVS on `{}` (service `{}`)", self.host.name, self.service.argument())
    }
}

/// The real servers of a host, as LVS writes them: an address, and a port if the host's `server` has one. LVS knows no
/// names: where `server` is one, as other balancers have it, it is the host's own address.
fn server_of(member: &Member<'_>) -> String {
    numeric(member.server)
        .or_else(|| numeric(member.endpoint.bare_address()))
        .unwrap_or_else(|| member.server.to_owned())
}

/// An address with or without a port, as LVS writes it: those of IPv6 in brackets.
fn numeric(text: &str) -> Option<String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.to_string());
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    match bare.parse().ok()? {
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => Some(format!("[{address}]")),
    }
}

/// Gives hosts the states of their real servers, of which one may have several: on two ports, say.
fn of_members(members: &[Member<'_>], servers: Vec<(String, ServerState)>) -> Views {
    let mut views = BTreeMap::new();
    for (server, state) in servers {
        let is_meant = |member: &&Member<'_>| {
            server.strip_prefix(&server_of(member)).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        let name = members.iter().find(is_meant).map_or(server.as_str(), |member| member.server).to_owned();
        let both = match views.remove(&name) {
            Some(other) => together(other, state),
            None => state,
        };
        views.insert(name, both);
    }
    views
}

/// How two real servers of one host look as one: it gets requests as soon as one does, and serves if both do.
fn together(one: ServerState, other: ServerState) -> ServerState {
    ServerState {
        status: format!("{}, {}", one.status, other.status),
        rotation: if one.rotation == Rotation::In { Rotation::In } else { other.rotation },
        serving: one.serving && other.serving,
        connections: match (one.connections, other.connections) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other).filter(|counted| *counted > 0),
        },
        counters: None,
    }
}

/// Reads `ipvsadm -Ln`: a service, then its servers, each behind `->`. Before it stands whether inactive connections are
/// over for good, and what was ever set: of those, one that is not listed was removed, as a checker does with what is down.
fn parse(text: &str, service: &VirtualService) -> Result<Vec<(String, ServerState)>, String> {
    let (protocol, address) = service.listed();
    let (mut servers, mut inside, mut found) = (Vec::new(), false, false);
    let counts_inactive = !text.lines().any(|line| line == "reschedules");
    for line in text.lines().skip_while(|line| !line.contains("RemoteAddress:Port")).skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["->", server, _forward, weight, active, inactive] if inside => {
                let number = |word: &str| word.parse::<u64>().map_err(|_| format!("`{line}`"));
                let (weight, active, inactive) = (number(weight)?, number(active)?, number(inactive)?);
                let connections = Some(if counts_inactive { active + inactive } else { active });
                let (rotation, serving) = if weight == 0 { (Rotation::Out, false) } else { (Rotation::In, true) };
                let status = format!("weight {weight}");
                let state = ServerState { status, rotation, serving, connections, counters: None };
                servers.push(((*server).to_owned(), state));
            }
            ["->", ..] if inside => return Err(format!("`{line}`")),
            ["->", ..] | [] => {}
            [this, that, ..] => {
                inside = *this == protocol && *that == address;
                found |= inside;
            }
            [_] => return Err(format!("`{line}`")),
        }
    }
    if !found {
        return Err(format!("`ipvsadm -Ln` has no service `{}`", service.argument()));
    }
    for server in set_before(text, service) {
        if !servers.iter().any(|(listed, _)| listed == server) {
            // What it still had, LVS does not tell any more.
            let (status, rotation) = ("removed".to_owned(), Rotation::Out);
            let state = ServerState { status, rotation, serving: false, connections: None, counters: None };
            servers.push((server.to_owned(), state));
        }
    }
    Ok(servers)
}

/// The servers of a service that were ever set.
fn set_before<'a>(text: &'a str, service: &VirtualService) -> impl Iterator<Item = &'a str> {
    let argument = service.argument();
    text.lines().filter_map(move |line| {
        let (_weight, rest) = line.strip_prefix("set: ")?.split_once(' ')?;
        rest.strip_prefix(&argument)?.strip_prefix(' ')
    })
}

#[cfg(test)]
mod tests;
