//! The transport over the system's `ssh`, so that the user's configuration, agent, keys and known hosts all count.

mod connection;
mod directory;
mod multiplexing;
mod shell;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use self::connection::{Closed, Connection, NoShell, Places};
use self::directory::Directory;
use self::shell::{Broken, Shell};
use crate::environment::{Endpoint, Environment, SshSettings};
use crate::script::quote;
use crate::transport::{Answer, Transport, TransportError, last_lines};
use crate::{HostName, Script};

/// How many connections are opened at once: more handshakes side by side than sshd's MaxStartups allow are refused.
const STARTS: usize = 30;
/// How many shells there are on all hosts at once, where there are as many files to be opened as they need.
const SHELLS: usize = 1500;
/// How many open files a shell costs: its input, its output, its complaints and its session.
const FILES_PER_SHELL: u64 = 4;
/// What else is open: the ledger, health checks, connections that are being opened.
const OTHER_FILES: u64 = 200;
/// What holds for every connection; whatever comes first counts (ssh_config(5)).
const OPTIONS: [&str; 5] =
    ["BatchMode=yes", "StrictHostKeyChecking=yes", "ControlPersist=120", "RequestTTY=no", "LogLevel=ERROR"];
/// What holds unless the environment's options say something else.
const TIMES: [&str; 3] = ["ServerAliveInterval=15", "ServerAliveCountMax=3", "ConnectTimeout=10"];

/// Runs scripts over `ssh`: one connection per host, and one per bastion, kept open between scripts.
#[derive(Debug)]
pub struct Ssh {
    settings: SshSettings,
    /// Of the hosts that are reached in another way.
    hosts: BTreeMap<HostName, SshSettings>,
    control: Directory,
    starts: Semaphore,
    places: Places,
    connections: Mutex<BTreeMap<String, Arc<Connection>>>,
}

/// A way to a machine: what `ssh` is told, and the machine that it goes through.
struct Way {
    connection: Arc<Connection>,
    arguments: Vec<String>,
    bastion: Option<Box<Way>>,
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
            places: Places::new(shells()),
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

    /// The way to a host.
    fn way(&self, endpoint: &Endpoint) -> Way {
        let settings = self.settings(endpoint);
        let bastion = settings.jump_host.as_ref().map(|hops| self.way_to_bastion(settings, hops));
        let mut arguments = file_and_options(settings);
        let mut option = |option: &str| arguments.extend(["-o".to_owned(), option.to_owned()]);
        option("ClearAllForwardings=yes");
        for further in settings.options.iter().map(String::as_str).chain(TIMES) {
            option(further);
        }
        if let Some(bastion) = &bastion {
            option(&format!("ProxyCommand={}", forward(bastion)));
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
        arguments.push(endpoint.address.clone());
        Way { connection: self.connection(&arguments), arguments, bastion: bastion.map(Box::new) }
    }

    /// The way to the last of some bastions. As with `ssh -J`, the settings of the host behind are not theirs.
    fn way_to_bastion(&self, settings: &SshSettings, hops: &str) -> Way {
        let mut arguments = file_and_options(settings);
        arguments.extend(TIMES.iter().flat_map(|option| ["-o".to_owned(), (*option).to_owned()]));
        let (before, last) = hops.rsplit_once(',').map_or((None, hops), |(before, last)| (Some(before), last));
        if let Some(before) = before {
            arguments.extend(["-J".to_owned(), before.to_owned()]);
        }
        // A port can only be said in this form.
        arguments.push(if last.starts_with("ssh://") { last.to_owned() } else { format!("ssh://{last}") });
        Way { connection: self.connection(&arguments), arguments, bastion: None }
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

    /// Opens a connection where it does not stand; `ssh` has a time for it, without what others before it need.
    fn opened<'a>(&'a self, way: &'a Way, limit: Duration) -> BoxFuture<'a, Result<(), Closed>> {
        async move {
            let connection = &way.connection;
            if connection.is_open() {
                return Ok(());
            }
            let _opening = connection.opening.lock().await;
            if connection.is_open() {
                return Ok(());
            }
            let _start = self.start(way, limit).await?;
            let mut command = ssh();
            command.args(["-N", "-o", "ControlMaster=auto", "-o", &control_path(connection)]).args(&way.arguments);
            connection.open(command, limit).await
        }
        .boxed()
    }

    /// Waits until one more connection may be opened.
    async fn start<'a>(&'a self, way: &'a Way, limit: Duration) -> Result<[Option<SemaphorePermit<'a>>; 2], Closed> {
        let through = match &way.bastion {
            Some(bastion) => {
                self.opened(bastion, limit).await?;
                bastion.connection.through.acquire().await.ok()
            }
            None => None,
        };
        Ok([through, self.starts.acquire().await.ok()])
    }

    /// Runs the only script that there is for a host: a connection that others can use would cost more.
    async fn alone(&self, script: &Script, way: &Way, shell: &str) -> Result<Result<Answer, Broken>, Closed> {
        let nobody = |_| Closed::Failed("the program ends".to_owned());
        let place = self.places.take().await.map_err(nobody)?;
        let start = self.start(way, script.limit()).await?;
        let mut command = ssh();
        command.args(["-T", "-o", "ControlMaster=no", "-o", "ControlPath=none"]).args(&way.arguments).arg(shell);
        let mut shell = Shell::alone(command, place).map_err(Closed::Start)?;
        let (text, limit, entered) = (script.text(), script.limit(), Notify::new());
        let answer = {
            let mut running = pin!(shell.run_first(&text, &entered));
            let first = tokio::select! {
                answer = &mut running => Some(answer),
                () = entered.notified() => None,
                () = tokio::time::sleep(limit) => return Err(Closed::Late),
            };
            drop(start);
            match first {
                Some(answer) => Ok(answer),
                None => tokio::time::timeout(limit, running).await,
            }
        };
        shell.leave();
        answer.map_err(|_| Closed::Late)
    }

    async fn attempt(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError> {
        let (way, limit) = (self.way(endpoint), script.limit());
        let host = || endpoint.name.clone();
        let late = || TransportError::Late { host: host(), script: script.name(), limit };
        let unreachable = |reason| TransportError::Unreachable { host: host(), script: script.name(), reason };
        let command = if self.settings(endpoint).sudo { "exec sudo -n sh -s" } else { "exec sh -s" };
        let closed = |closed| match closed {
            Closed::Start(error) => TransportError::Start { host: host(), reason: error.to_string() },
            Closed::Failed(complaints) => unreachable(last_lines(&complaints, 3)),
            Closed::Late => late(),
        };
        let broken = |broken: Broken| {
            let said = last_lines(&broken.0, 3);
            unreachable(if said.is_empty() { "the connection broke".to_owned() } else { said })
        };
        let connection = &*way.connection;
        if script.is_sole() && matches!(self.control, Directory::Own(_)) && !connection.is_open() {
            return self.alone(script, &way, command).await.map_err(closed)?.map_err(broken);
        }
        let mut died = false;
        let (mut shell, _session) = loop {
            self.opened(&way, limit).await.map_err(closed)?;
            match connection.shell((command, &self.places), limit).await {
                Ok(shell) => break shell,
                // It ended since it was looked at: idle for too long, or a cut that has been noticed by now.
                Err(NoShell::Gone(error)) if !died => {
                    died = true;
                    let _opening = connection.opening.lock().await;
                    connection.clear(&error);
                }
                Err(NoShell::Gone(error)) => return Err(unreachable(error.to_string())),
                Err(NoShell::Refused(reason)) => return Err(unreachable(reason)),
                Err(NoShell::Late) => return Err(late()),
            }
        };
        let text = script.text();
        let answer = tokio::time::timeout(limit, shell.run(&text)).await.map_err(|_| late())?;
        let answer = answer.map_err(broken)?;
        if !script.is_foreign() && self.places.are_plenty() {
            connection.keep(shell);
        }
        Ok(answer)
    }
}

#[async_trait]
impl Transport for Ssh {
    async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError> {
        let started = Instant::now();
        let answer = self.attempt(endpoint, script).await;
        tracing::debug!(host = %endpoint.name, script = script.name(), elapsed = ?started.elapsed(), "script");
        answer
    }

    async fn close(&self) {
        let connections = std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in connections.values() {
            connection.rest();
        }
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

/// The command that has a bastion's connection carry another one.
fn forward(bastion: &Way) -> String {
    let fixed = ["ssh".to_owned(), "-o".to_owned(), control_path(&bastion.connection)];
    let words = fixed.iter().chain(&bastion.arguments[..bastion.arguments.len() - 1]);
    // `ssh` replaces `%` in it.
    let words: Vec<String> = words.map(|word| quote(word).replace('%', "%%")).collect();
    let target = bastion.arguments.last().map(|target| quote(target).replace('%', "%%")).unwrap_or_default();
    format!("{} -W '[%h]:%p' {target}", words.join(" "))
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

/// How many shells there may be: this process may open more files than it is told at first (getrlimit(2)).
fn shells() -> usize {
    let wanted = OTHER_FILES + FILES_PER_SHELL * SHELLS as u64;
    let limit = getrlimit(Resource::Nofile);
    let possible = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let allowed = match limit.current {
        Some(current) if current < possible => {
            match setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum: limit.maximum }) {
                Ok(()) => possible,
                Err(_) => current,
            }
        }
        _ => wanted,
    };
    let shells = allowed.saturating_sub(OTHER_FILES) / FILES_PER_SHELL;
    usize::try_from(shells).unwrap_or(SHELLS).clamp(8, SHELLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_may_set_times_and_not_what_is_safe() {
        let options = ["ConnectTimeout=2", "StrictHostKeyChecking=no"].map(str::to_owned).into();
        let settings = SshSettings { options, jump_host: Some("bastion".to_owned()), ..SshSettings::default() };
        let ssh = Ssh::new(settings).unwrap();
        let endpoint = Endpoint { name: "web1".parse().unwrap(), address: "web1".to_owned() };
        let way = ssh.way(&endpoint);
        let first = |arguments: &[String], key: &str| arguments.iter().find(|word| word.starts_with(key)).cloned();
        assert_eq!(first(&way.arguments, "ConnectTimeout=").unwrap(), "ConnectTimeout=2");
        assert_eq!(first(&way.arguments, "ServerAliveInterval=").unwrap(), "ServerAliveInterval=15");
        assert_eq!(first(&way.arguments, "StrictHostKeyChecking=").unwrap(), "StrictHostKeyChecking=yes");
        let bastion = way.bastion.unwrap();
        assert_eq!(first(&bastion.arguments, "ConnectTimeout=").unwrap(), "ConnectTimeout=10");
    }
}
