//! HAProxy's runtime API over its admin socket (HAProxy's management guide, 9.1 and 9.3).

use std::fmt;

use async_trait::async_trait;

use super::{BalancerError, Control, Counters, Drive, Member, Rotation, ServerState, Views};
use crate::Script;
use crate::environment::Endpoint;

/// An HAProxy, reached through the machine that it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HaProxy {
    /// Where `ssh` finds it.
    pub host: Endpoint,
    /// Its admin socket.
    pub socket: String,
    /// The backend that holds the servers.
    pub backend: String,
}

/// The name of the script that asks for its view.
pub(crate) const SHOW_STAT: &str = "show stat";

#[async_trait]
impl Drive for HaProxy {
    async fn view(&self, control: &Control<'_>, _members: &[Member<'_>]) -> Result<Views, BalancerError> {
        let script = Script::new(SHOW_STAT, &[include_str!("../scripts/haproxy_stat.sh")]).set("SOCKET", &self.socket);
        let csv = control.ask(&self.host, &script).await?;
        parse_stat(&csv, &self.backend).map_err(|problem| BalancerError::Answer { balancer: self.to_string(), problem })
    }

    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let state = match to {
            Rotation::In => "ready",
            Rotation::Draining => "drain",
            Rotation::Out => "maint",
        };
        let script = control
            .change("set server state", &[include_str!("../scripts/haproxy_set.sh")])
            .set("SOCKET", &self.socket)
            .set("BACKEND", &self.backend)
            .set("SERVER", member.server)
            .set("STATE", state);
        control.run(&self.host, &script).await?;
        Ok(())
    }

    async fn swap(
        &self,
        control: &Control<'_>,
        incoming: &[Member<'_>],
        outgoing: &[Member<'_>],
    ) -> Result<(), BalancerError> {
        let command =
            |member: &Member<'_>, state| format!("set server {}/{} state {state}", self.backend, member.server);
        let ready = incoming.iter().map(|member| command(member, "ready"));
        let drain = outgoing.iter().map(|member| command(member, "drain"));
        let script = control
            .change("swap of servers", &[include_str!("../scripts/haproxy_swap.sh")])
            .set("SOCKET", &self.socket)
            .set("COMMANDS", ready.chain(drain).collect::<Vec<_>>().join("; "));
        control.run(&self.host, &script).await?;
        Ok(())
    }
}

impl fmt::Display for HaProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HAProxy on `{}` (backend `{}`)", self.host.name, self.backend)
    }
}

/// Reads `show stat`: the servers of a backend by name; or says what is no such table.
fn parse_stat(csv: &str, backend: &str) -> Result<Views, String> {
    let mut lines = csv.lines().filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
    let position = |name: &str| header.iter().position(|column| *column == name);
    let column = |name: &str| position(name).ok_or_else(|| format!("`show stat` has no column `{name}`"));
    let (proxy, server, status) = (column("pxname")?, column("svname")?, column("status")?);
    let (sessions, queued) = (column("scur")?, column("qcur")?);
    let total = position("stot");
    let failures: Vec<usize> = ["hrsp_5xx", "eresp", "econ"].into_iter().filter_map(position).collect();
    let mut servers = Views::new();
    for line in lines {
        let wrong = || format!("`show stat` has the row `{line}`");
        let fields: Vec<&str> = line.split(',').collect();
        let field = |index: usize| fields.get(index).copied().ok_or_else(wrong);
        let number = |index: usize| field(index)?.parse::<u64>().map_err(|_| wrong());
        // A balancer of connections leaves the columns of requests empty.
        let count = |index: &usize| fields.get(*index).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
        if field(proxy)? != backend || matches!(field(server)?, "BACKEND" | "FRONTEND") {
            continue;
        }
        let status = field(status)?;
        let state = ServerState {
            status: status.to_owned(),
            rotation: rotation(status),
            serving: status == "no check" || status == "UP" || status.starts_with("UP "),
            connections: Some(number(sessions)? + number(queued)?),
            counters: total.map(|total| Counters { requests: count(&total), errors: failures.iter().map(count).sum() }),
        };
        servers.insert(field(server)?.to_owned(), state);
    }
    Ok(servers)
}

fn rotation(status: &str) -> Rotation {
    if status.starts_with("MAINT") {
        Rotation::Out
    } else if status.starts_with("DRAIN") {
        Rotation::Draining
    } else {
        Rotation::In
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "# pxname,svname,qcur,qmax,scur,status,stot,hrsp_5xx,econ\n\
                        app,FRONTEND,,,3,OPEN,9,1,\n\
                        app,web1,0,1,3,UP,7,1,2\napp,web2,1,1,0,MAINT (via x),0,0,0\napp,web3,0,0,0,UP 1/2,0,,\n\
                        app,web4,0,0,0,DRAIN,0,0,0\n\
                        app,BACKEND,0,0,3,UP,9,1,\nother,web1,0,0,0,DOWN,0,0,0\n\n";

    #[test]
    fn reads_the_servers_of_its_backend() {
        let servers = parse_stat(STAT, "app").unwrap();
        assert_eq!(servers.keys().collect::<Vec<_>>(), ["web1", "web2", "web3", "web4"]);
        assert_eq!((servers["web1"].serving, servers["web1"].connections), (true, Some(3)));
        assert_eq!(servers["web1"].counters, Some(Counters { requests: 7, errors: 3 }));
        assert_eq!((servers["web2"].rotation, servers["web2"].connections), (Rotation::Out, Some(1)));
        assert!(servers["web3"].serving && servers["web3"].rotation == Rotation::In);
        assert!(!servers["web2"].is_drained() && !servers["web3"].is_drained() && servers["web4"].is_drained());
        for status in ["DOWN", "DOWN 1/2", "NOLB", "DRAIN", "MAINT", "UPSIDE"] {
            let table = format!("# pxname,svname,qcur,scur,status\napp,web1,0,0,{status}\n");
            assert!(!parse_stat(&table, "app").unwrap()["web1"].serving, "{status}");
        }
    }

    #[test]
    fn refuses_other_answers() {
        for (text, expected) in [
            ("Permission denied\n", "no column `pxname`"),
            ("# pxname,svname,qcur,scur,status\napp,web1\n", "the row `app,web1`"),
            ("", "no column `pxname`"),
        ] {
            assert!(parse_stat(text, "app").unwrap_err().contains(expected), "{text}");
        }
    }
}
