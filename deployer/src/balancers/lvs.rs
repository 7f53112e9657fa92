//! LVS, the kernel's balancer of connections, by `ipvsadm` (ipvsadm(8)): weight 0, then wait for the active connections.
//!
//! A service with persistence goes on sending known clients to a server of weight 0, unless the sysctl
//! `net.ipv4.vs.expire_quiescent_template` is 1.

use std::fmt;

use async_trait::async_trait;

use super::{BalancerError, Control, Drive, Member, Rotation, ServerState, Views};
use crate::Script;
use crate::environment::Endpoint;

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
        let script = Script::new("view of LVS", &[include_str!("../scripts/lvs_view.sh")]);
        let text = control.ask(&self.host, &script).await?;
        let servers = parse(&text, &self.service)
            .map_err(|problem| BalancerError::Answer { balancer: self.to_string(), problem })?;
        Ok(super::driver::named(members, &servers, |name, member| {
            name.strip_prefix(member.server).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        }))
    }

    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let script = control
            .change("change of LVS", &[include_str!("../scripts/lvs_set.sh")])
            .set("SERVICE", self.service.argument())
            .set("SERVER", member.server)
            .set("TO", to.as_str());
        control.run(&self.host, &script).await?;
        Ok(())
    }
}

impl fmt::Display for Lvs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LVS on `{}` (service `{}`)", self.host.name, self.service.argument())
    }
}

/// Reads `ipvsadm -Ln`: a service, then its servers, each behind `->`.
fn parse(text: &str, service: &VirtualService) -> Result<Vec<(String, ServerState)>, String> {
    let (protocol, address) = service.listed();
    let (mut servers, mut inside, mut found) = (Vec::new(), false, false);
    for line in text.lines().skip_while(|line| !line.contains("RemoteAddress:Port")).skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["->", server, _forward, weight, active, _inactive] if inside => {
                let number = |word: &str| word.parse::<u64>().map_err(|_| format!("`{line}`"));
                let (weight, active) = (number(weight)?, number(active)?);
                let (rotation, serving) = if weight == 0 { (Rotation::Out, false) } else { (Rotation::In, true) };
                let status = format!("weight {weight}");
                let state = ServerState { status, rotation, serving, connections: Some(active), counters: None };
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
    if found { Ok(servers) } else { Err(format!("`ipvsadm -Ln` has no service `{}`", service.argument())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "IP Virtual Server version 1.2.1 (size=4096)\n\
        Prot LocalAddress:Port Scheduler Flags\n  \
          -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n\
        TCP  10.0.0.1:80 wlc persistent 300\n  \
          -> 10.0.0.11:8080               Masq    1      3          12\n  \
          -> 10.0.0.12:8080               Masq    0      0          7\n\
        TCP  10.0.0.1:443 wlc\n  \
          -> 10.0.0.11:8443               Route   5      1          0\n\
        FWM  7 rr\n  \
          -> 10.0.0.11:0                  Tunnel  0      2          0\n";

    #[test]
    fn reads_the_table() {
        let servers = parse(TABLE, &VirtualService::Tcp("10.0.0.1:80".to_owned())).unwrap();
        assert_eq!(servers.len(), 2);
        assert_eq!((servers[0].0.as_str(), servers[0].1.serving), ("10.0.0.11:8080", true));
        assert_eq!(servers[0].1.connections, Some(3));
        assert!(servers[1].1.is_drained());
        let marked = parse(TABLE, &VirtualService::Mark(7)).unwrap();
        assert!(marked[0].1.rotation == Rotation::Out && !marked[0].1.is_drained());
    }

    #[test]
    fn refuses_other_answers() {
        let service = VirtualService::Tcp("10.0.0.2:80".to_owned());
        for text in ["", TABLE, "ipvsadm: not found\n"] {
            assert!(parse(text, &service).unwrap_err().contains("no service `-t 10.0.0.2:80`"));
        }
        let broken = TABLE.replace("Masq    1      3 ", "Masq    one    3 ");
        assert!(parse(&broken, &VirtualService::Tcp("10.0.0.1:80".to_owned())).unwrap_err().contains("one"));
    }
}
