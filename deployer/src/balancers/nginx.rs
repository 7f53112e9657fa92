//! nginx: an include file with the servers of an upstream, in which one is marked `down`, and a reload.
//!
//! Open source nginx has no runtime API. After a reload the old workers finish the requests that they have; that
//! nothing is left is seen on the balancer's machine, by its connections to the server. The reload itself cuts clients'
//! connections that wait for their next request, unless `keepalive_min_timeout` (nginx 1.27.4) keeps them for a moment,
//! or nginx closes them in good order before: see [`Nginx::close_file`].

use std::fmt;

use async_trait::async_trait;

use super::{BalancerError, Control, Drive, Member, Rotation, ServerState, Views};
use crate::Script;
use crate::environment::Endpoint;

/// An nginx, reached through the machine that it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nginx {
    /// Where `ssh` finds it.
    pub host: Endpoint,
    /// The file with the `server …;` lines, included by an `upstream`.
    pub file: String,
    /// A file that nginx tests for, to close the clients' connections with every answer while it exists.
    pub close_file: Option<String>,
}

#[async_trait]
impl Drive for Nginx {
    async fn view(&self, control: &Control<'_>, members: &[Member<'_>]) -> Result<Views, BalancerError> {
        let script = Script::new("view of nginx", &[include_str!("../scripts/nginx_view.sh")]).set("FILE", &self.file);
        let text = control.ask(&self.host, &script).await?;
        let servers = parse(&text)
            .map_err(|line| BalancerError::Answer { balancer: self.to_string(), problem: format!("`{line}`") })?;
        Ok(super::driver::named(members, &servers, |name, member| is_server(name, member.server)))
    }

    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let script = control
            .change("change of nginx", &[include_str!("../scripts/nginx_set.sh")])
            .set("FILE", &self.file)
            .set("SERVER", member.server)
            .set("CLOSE_FILE", self.close_file.as_deref().unwrap_or_default())
            .set("TO", to.as_str());
        control.run(&self.host, &script).await?;
        Ok(())
    }
}

impl fmt::Display for Nginx {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "nginx on `{}` (file `{}`)", self.host.name, self.file)
    }
}

/// Whether a server of the file is meant: by its whole name, or without its port.
fn is_server(name: &str, server: &str) -> bool {
    name.strip_prefix(server).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Reads what `nginx_view.sh` prints, or gives the line that it would never print.
fn parse(text: &str) -> Result<Vec<(String, ServerState)>, &str> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, state, connections) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
        let (rotation, serving) = match state {
            "up" => (Rotation::In, true),
            // Nothing new goes there; what is left is counted.
            "down" => (Rotation::Out, false),
            _ => return None,
        };
        let state =
            ServerState { status: state.to_owned(), rotation, serving, connections: Some(connections), counters: None };
        Some((name.to_owned(), state))
    };
    text.lines().map(|line| server(line).ok_or(line)).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn reads_what_the_script_prints() {
        let servers = parse("web1:8080 up 3\nweb10:8080 down 1\nweb2 down 0\n").unwrap();
        assert!(servers[0].1.serving && !servers[1].1.is_drained() && servers[2].1.is_drained());
        assert!(is_server("web1:8080", "web1") && is_server("web1:8080", "web1:8080") && is_server("web1", "web1"));
        assert!(!is_server("web10:8080", "web1"));
        assert_eq!(parse("web1 up\n"), Err("web1 up"));
        assert_eq!(parse("web1 sideways 1\n"), Err("web1 sideways 1"));
    }

    /// The first half of the script, which edits; the rest needs an nginx, and the lab has one.
    #[test]
    fn marks_one_server_and_leaves_all_else_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("servers.conf");
        let before = "# server web1:8080 down;\n  server web1:8080 max_fails=0; # down for good\n\
                      server web10:8080 weight=5 down;\nserver web2;\n";
        let edit = include_str!("../scripts/nginx_set.sh").split("cp -p").next().unwrap();
        let run = |server: &str, to: &str, text: &str| {
            std::fs::write(&file, text).unwrap();
            let script =
                format!("FILE={}\nSERVER={server}\nTO={to}\n{edit}printf '%s\\n' \"$changed\"", file.display());
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
        };
        let out = before.replace("max_fails=0;", "max_fails=0 down;");
        assert_eq!(run("web1", "out", before), Some(out.clone()));
        assert_eq!(run("web1:8080", "draining", &out), Some(out.clone()));
        assert_eq!(run("web1", "in", &out), Some(before.to_owned()));
        assert_eq!(run("web10", "in", before), Some(before.replace("weight=5 down", "weight=5")));
        assert_eq!(run("web2", "out", before), Some(before.replace("server web2;", "server web2 down;")));
        assert_eq!(run("web3", "out", before), None);
    }
}
