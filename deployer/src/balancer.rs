//! HAProxy's runtime API over its admin socket (HAProxy's management guide, 9.3): what it sees, and what it is told.

use std::collections::BTreeMap;
use std::fmt;

use crate::Script;
use crate::environment::Balancer;

/// How a balancer sees one of its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerState {
    /// The status as HAProxy says it: `UP`, `UP 1/2`, `DOWN`, `MAINT`, `DRAIN`, `no check` and others.
    pub status: String,
    /// Requests that it works on.
    pub sessions: u64,
    /// Requests that wait for it.
    pub queued: u64,
}

/// A state that a server is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdminState {
    /// Gets requests.
    Ready,
    /// Gets no new sessions.
    Drain,
    /// Gets nothing and is not checked.
    Maintenance,
}

/// Says why a balancer's answer could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseStatError {
    /// A column that is needed is not there.
    #[error("`show stat` has no column `{0}`")]
    Column(&'static str),
    /// A row is too short, or not a number where one is needed.
    #[error("`show stat` has the row `{0}`")]
    Row(String),
}

impl ServerState {
    /// Whether the balancer sends requests there.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.status == "no check" || self.status == "UP" || self.status.starts_with("UP ")
    }

    /// Whether no request is there or waits to go there.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sessions == 0 && self.queued == 0
    }
}

impl fmt::Display for ServerState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.status)
    }
}

impl AdminState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maintenance => "maint",
        }
    }
}

/// The name of the script that asks a balancer for its view.
pub(crate) const SHOW_STAT: &str = "show stat";

/// Makes the script that asks a balancer for its view.
pub(crate) fn stat_script(balancer: &Balancer) -> Script {
    Script::new(SHOW_STAT, &[include_str!("scripts/haproxy_stat.sh")]).set("SOCKET", &balancer.socket)
}

/// Makes the parts and variables of the script that puts a server into a state; the caller adds the fence.
pub(crate) fn set_script(script: Script, balancer: &Balancer, server: &str, state: AdminState) -> Script {
    script
        .set("SOCKET", &balancer.socket)
        .set("BACKEND", &balancer.backend)
        .set("SERVER", server)
        .set("STATE", state.as_str())
}

/// Reads `show stat`: the servers of a backend by name.
///
/// # Errors
/// [`ParseStatError`] for what is no such table.
pub(crate) fn parse_stat(csv: &str, backend: &str) -> Result<BTreeMap<String, ServerState>, ParseStatError> {
    let mut lines = csv.lines().filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
    let column =
        |name: &'static str| header.iter().position(|column| *column == name).ok_or(ParseStatError::Column(name));
    let (proxy, server, status) = (column("pxname")?, column("svname")?, column("status")?);
    let (sessions, queued) = (column("scur")?, column("qcur")?);
    let mut servers = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let field = |index: usize| fields.get(index).copied().ok_or_else(|| ParseStatError::Row(line.to_owned()));
        let number = |index: usize| field(index)?.parse().map_err(|_| ParseStatError::Row(line.to_owned()));
        if field(proxy)? != backend || matches!(field(server)?, "BACKEND" | "FRONTEND") {
            continue;
        }
        let state =
            ServerState { status: field(status)?.to_owned(), sessions: number(sessions)?, queued: number(queued)? };
        servers.insert(field(server)?.to_owned(), state);
    }
    Ok(servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "# pxname,svname,qcur,qmax,scur,status\n\
                        app,FRONTEND,,,3,OPEN\n\
                        app,web1,0,1,3,UP\napp,web2,1,1,0,MAINT (via x)\napp,web3,0,0,0,UP 1/2\n\
                        app,BACKEND,0,0,3,UP\nother,web1,0,0,0,DOWN\n\n";

    #[test]
    fn reads_the_servers_of_its_backend() {
        let servers = parse_stat(STAT, "app").unwrap();
        assert_eq!(servers.keys().collect::<Vec<_>>(), ["web1", "web2", "web3"]);
        assert!(servers["web1"].is_serving() && !servers["web1"].is_idle());
        assert!(!servers["web2"].is_serving() && !servers["web2"].is_idle());
        assert!(servers["web3"].is_serving() && servers["web3"].is_idle());
        for status in ["DOWN", "DOWN 1/2", "NOLB", "DRAIN", "MAINT", "UPSIDE"] {
            assert!(!ServerState { status: status.to_owned(), sessions: 0, queued: 0 }.is_serving(), "{status}");
        }
    }

    #[test]
    fn refuses_other_answers() {
        assert_eq!(parse_stat("Permission denied\n", "app"), Err(ParseStatError::Column("pxname")));
        assert!(matches!(
            parse_stat("# pxname,svname,qcur,scur,status\napp,web1\n", "app"),
            Err(ParseStatError::Row(_))
        ));
        assert!(parse_stat("", "app").is_err());
    }
}
