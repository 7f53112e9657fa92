//! The transport over the system's `ssh`, so that the user's configuration, agent, keys and known hosts all count.

mod capture;
mod connection;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use futures::future::join_all;
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::sync::Semaphore;

use self::capture::converse;
use self::connection::{Connection, Directory};
use crate::environment::{Endpoint, Environment, SshSettings};
use crate::transport::{Answer, Transport, TransportError, last_lines};
use crate::{HostName, Script};

/// How many connections are opened at once: more handshakes side by side than sshd's MaxStartups allow are refused.
const STARTS: usize = 30;
/// How many scripts run at once: each is a process and four open files here, and more of them than the controller has
/// time for keep each other from ending within their time limits.
const RUNNING: usize = 60;
/// The exit code that `ssh` keeps for its own failures (ssh(1)).
const SSH_FAILED: i32 = 255;
/// What holds for every connection; whatever comes first counts (ssh_config(5)).
const OPTIONS: [&str; 8] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ControlPersist=120",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "ConnectTimeout=10",
    "RequestTTY=no",
    "LogLevel=ERROR",
];

/// Runs scripts over `ssh`: one connection per host, kept open between scripts.
#[derive(Debug)]
pub struct Ssh {
    settings: SshSettings,
    /// Of the hosts that are reached in another way.
    hosts: BTreeMap<HostName, SshSettings>,
    control: Directory,
    starts: Semaphore,
    running: Semaphore,
    connections: Mutex<BTreeMap<String, Arc<Connection>>>,
}

impl Ssh {
    /// Makes the transport with a directory for its control sockets.
    ///
    /// # Errors
    /// Where that directory can't be made.
    pub fn new(settings: SshSettings) -> std::io::Result<Self> {
        let control = if settings.keep_connections { Directory::kept()? } else { Directory::own()? };
        Ok(Self {
            settings,
            hosts: BTreeMap::new(),
            control,
            starts: Semaphore::new(STARTS),
            running: Semaphore::new(RUNNING),
            connections: Mutex::default(),
        })
    }

    /// Makes the transport of an environment, each host with its own settings.
    ///
    /// # Errors
    /// Where the directory for the control sockets can't be made.
    pub fn of(environment: &Environment) -> std::io::Result<Self> {
        let own = environment.hosts.iter().filter_map(|host| Some((host.name().clone(), host.ssh.clone()?)));
        Ok(Self { hosts: own.collect(), ..Self::new(environment.ssh.clone())? })
    }

    fn settings(&self, endpoint: &Endpoint) -> &SshSettings {
        self.hosts.get(&endpoint.name).unwrap_or(&self.settings)
    }

    /// The arguments for a host but for its connection's socket.
    fn arguments(&self, endpoint: &Endpoint) -> Vec<String> {
        let settings = self.settings(endpoint);
        let mut arguments = file_and_options(settings);
        let mut option = |option: &str| arguments.extend(["-o".to_owned(), option.to_owned()]);
        option("ClearAllForwardings=yes");
        for further in &settings.options {
            option(further);
        }
        let mut pair = |flag: &str, value: String| arguments.extend([flag.to_owned(), value]);
        if let Some(user) = &settings.user {
            pair("-l", user.clone());
        }
        if let Some(port) = settings.port {
            pair("-p", port.to_string());
        }
        if let Some(file) = &settings.key_file {
            pair("-i", file.display().to_string());
        }
        if let Some(host) = &settings.jump_host {
            pair("-J", host.clone());
        }
        arguments.push(endpoint.address.clone());
        arguments
    }

    /// The connection that `ssh` makes of these arguments.
    fn connection(&self, arguments: &[String]) -> Arc<Connection> {
        let digest = Sha256::digest(arguments.join("\0"));
        let name = digest.iter().take(16).fold(String::new(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        });
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Connection::new(self.control.path().join(&name)));
        Arc::clone(connections.entry(name.clone()).or_insert_with(new))
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        script: &Script,
        (connection, arguments): (&Connection, &[String]),
    ) -> Result<Answer, TransportError> {
        let mut command = ssh();
        command.args(["-o", "ControlMaster=auto", "-o", &control_path(connection)]).args(arguments);
        command.arg(if self.settings(endpoint).sudo { "sudo -n sh -s" } else { "sh -s" });
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let host = || endpoint.name.clone();
        let child =
            command.spawn().map_err(|error| TransportError::Start { host: host(), reason: error.to_string() })?;
        let late = || TransportError::Late { host: host(), script: script.name(), limit: script.limit() };
        let unreachable = |reason| TransportError::Unreachable { host: host(), script: script.name(), reason };
        let talk = converse(child, script.text());
        let (status, stdout, stderr) = tokio::time::timeout(script.limit(), talk)
            .await
            .map_err(|_| late())?
            .map_err(|error| unreachable(error.to_string()))?;
        match status.code() {
            Some(SSH_FAILED) | None => Err(unreachable(last_lines(&stderr, 3))),
            Some(status) => Ok(Answer { status, stdout, stderr }),
        }
    }

    /// Runs the script over the host's connection, which the first one opens.
    async fn over(
        &self,
        endpoint: &Endpoint,
        script: &Script,
        (connection, arguments): (&Connection, &[String]),
    ) -> Result<Answer, TransportError> {
        let attempt = self.attempt(endpoint, script, (connection, arguments));
        if connection.is_open() {
            return attempt.await;
        }
        let opening = connection.opening.lock().await;
        if connection.is_open() {
            drop(opening);
            return attempt.await;
        }
        let start = self.starts.acquire().await;
        let mut attempt = Box::pin(attempt);
        tokio::select! {
            answer = &mut attempt => return answer,
            () = connection.opened() => {}
        }
        drop((opening, start));
        attempt.await
    }
}

#[async_trait]
impl Transport for Ssh {
    async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError> {
        let arguments = self.arguments(endpoint);
        let connection = self.connection(&arguments);
        let _session = connection.sessions.acquire().await;
        let _running = self.running.acquire().await;
        let started = Instant::now();
        let answer = self.over(endpoint, script, (&connection, &arguments)).await;
        tracing::debug!(host = %endpoint.name, script = script.name(), elapsed = ?started.elapsed(), "script");
        answer
    }

    async fn close(&self) {
        let connections = std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        if matches!(self.control, Directory::Own(_)) {
            join_all(connections.values().filter(|connection| connection.is_open()).map(|open| open.end())).await;
        }
    }
}

/// `ssh` in a group of its own: Ctrl-C in the terminal is for `pkg`, not for the step that a host is in.
fn ssh() -> Command {
    let mut command = Command::new("ssh");
    command.process_group(0).kill_on_drop(true);
    command
}

fn control_path(connection: &Connection) -> String {
    format!("ControlPath={}", connection.socket.display())
}

fn file_and_options(settings: &SshSettings) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(file) = &settings.config_file {
        arguments.extend(["-F".to_owned(), file.display().to_string()]);
    }
    arguments.extend(OPTIONS.iter().flat_map(|option| ["-o".to_owned(), (*option).to_owned()]));
    arguments
}
