//! Any other balancer, by commands of the user's.
//!
//! `view` prints one line for each server that it knows: its name, `in`, `draining`, `out` or `down` (in, but not well),
//! and, where it can count, the number of connections that are there or on their way; `$PKG_SERVERS` holds the names
//! that are asked for. `set` is given `$PKG_SERVER`, `$PKG_HOST` (its address) and `$PKG_TO`, one of `in`, `draining` and
//! `out`; it may be told the same twice, and ends with 0 once the balancer has taken it. Both run on `host` as root, or
//! on the controller.

use std::fmt;

use async_trait::async_trait;

use super::{BalancerError, Control, Drive, Member, Rotation, ServerState, Views};
use crate::Script;
use crate::environment::Endpoint;

/// A balancer that commands of the user's speak with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Where the commands run; without it, on the controller.
    pub host: Option<Endpoint>,
    /// The command that tells how it sees its servers, for a shell.
    pub view: String,
    /// The command that tells it what to do with a server, for a shell.
    pub set: String,
}

#[async_trait]
impl Drive for Command {
    async fn view(&self, control: &Control<'_>, members: &[Member<'_>]) -> Result<Views, BalancerError> {
        let servers = members.iter().map(|member| member.server).collect::<Vec<_>>().join(" ");
        let text = match &self.host {
            Some(host) => {
                let script =
                    Script::new("view of the balancer", &[include_str!("../scripts/balancer_command.sh")]).foreign();
                control.ask(host, &script.set("COMMAND", &self.view).set("PKG_SERVERS", servers)).await?
            }
            None => self.run_here(&self.view, &[("PKG_SERVERS", &servers)]).await?,
        };
        parse(&text).map_err(|line| BalancerError::Answer { balancer: self.to_string(), problem: format!("`{line}`") })
    }

    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let told = [("PKG_SERVER", member.server), ("PKG_HOST", &member.endpoint.address), ("PKG_TO", to.as_str())];
        let Some(host) = &self.host else { return self.run_here(&self.set, &told).await.map(drop) };
        let mut script =
            control.change("change of the balancer", &[include_str!("../scripts/balancer_command.sh")]).foreign();
        for (name, value) in told {
            script = script.set(name, value);
        }
        control.run(host, &script.set("COMMAND", &self.set)).await?;
        Ok(())
    }
}

impl Command {
    async fn run_here(&self, command: &str, variables: &[(&str, &str)]) -> Result<String, BalancerError> {
        let arguments = ["sh", "-c", command].map(str::to_owned);
        super::local::run(&self.to_string(), &arguments, variables).await
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(formatter, "the balancer that `{}` speaks with on `{}`", self.view, host.name),
            None => write!(formatter, "the balancer that `{}` speaks with", self.view),
        }
    }
}

/// Reads what `view` prints, or gives the line that is none of its.
fn parse(text: &str) -> Result<Views, &str> {
    let mut views = Views::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (server, status, connections) = match words.as_slice() {
            [server, status] => (*server, *status, None),
            [server, status, connections] => (*server, *status, Some(connections.parse().map_err(|_| line)?)),
            _ => return Err(line),
        };
        let (rotation, serving) = match status {
            "in" => (Rotation::In, true),
            "down" => (Rotation::In, false),
            "draining" => (Rotation::Draining, false),
            "out" => (Rotation::Out, false),
            _ => return Err(line),
        };
        let status = status.to_owned();
        views.insert(server.to_owned(), ServerState { status, rotation, serving, connections, counters: None });
    }
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_contract_says() {
        let views = parse("web1 in\nweb2 draining 3\n\nweb3 out 0\nweb4 down\n").unwrap();
        assert!(views["web1"].serving && !views["web4"].serving);
        assert_eq!(views["web2"].connections, Some(3));
        assert!(views["web3"].is_drained() && !views["web2"].is_drained() && !views["web1"].is_drained());
        for line in ["web1", "web1 up", "web1 in many", "web1 in 1 2"] {
            assert_eq!(parse(line), Err(line));
        }
    }

    #[tokio::test]
    async fn the_controllers_command_is_told_what_it_needs() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let balancer = Command {
            host: None,
            view: format!("for s in $PKG_SERVERS; do echo $s $(cat {}); done", state.display()),
            set: format!("[ $PKG_HOST = 10.0.0.1 ] && echo $PKG_TO 0 >{}", state.display()),
        };
        let endpoint = Endpoint { name: "web1".parse().unwrap(), address: "10.0.0.1".to_owned() };
        let member = Member { server: "web1", endpoint: &endpoint };
        let nowhere = crate::Ssh::new(crate::SshSettings::default()).unwrap();
        let control = Control::looking(&nowhere);
        for to in [Rotation::Draining, Rotation::Out, Rotation::In] {
            balancer.set(&control, &member, to).await.unwrap();
            assert_eq!(balancer.view(&control, &[member]).await.unwrap()["web1"].rotation, to);
        }
        std::fs::remove_file(&state).unwrap();
        let error = balancer.view(&control, &[member]).await.unwrap_err();
        assert!(error.to_string().contains("`web1`"), "{error}");
        let deaf = Command { set: "echo no such pool >&2; exit 3".to_owned(), ..balancer };
        let error = deaf.set(&control, &member, Rotation::Out).await.unwrap_err().to_string();
        assert!(error.contains("exit status: 3: no such pool"), "{error}");
    }
}
