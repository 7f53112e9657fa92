//! The transport over the system's `ssh`, so that the user's configuration, agent, keys and known hosts all count.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::environment::{Endpoint, Environment, SshSettings};
use crate::transport::{Answer, Transport, TransportError, last_lines};
use crate::{HostName, Script};

/// How many scripts run at once: more handshakes side by side than sshd's MaxStartups allow are refused.
const AT_ONCE: usize = 30;
/// What a host may print before it is cut off, in bytes.
const OUTPUT_LIMIT: usize = 8 * 1024 * 1024;
/// How long output may follow the end of `ssh`: a connection kept open by older versions keeps stderr open too.
const AFTER_END: Duration = Duration::from_millis(300);
/// The exit code that `ssh` keeps for its own failures (ssh(1)).
const SSH_FAILED: i32 = 255;
/// Longer control paths are refused: a Unix socket's path ends at 108 bytes and `ssh` appends 17 for a moment.
const CONTROL_DIRECTORY_LENGTH: usize = 48;

/// Runs scripts over `ssh`, one connection per host, kept open between scripts.
#[derive(Debug)]
pub struct Ssh {
    settings: SshSettings,
    /// Of the hosts that are reached in another way.
    hosts: BTreeMap<HostName, SshSettings>,
    control: TempDir,
    starts: Semaphore,
    opened: Mutex<Vec<Endpoint>>,
}

impl Ssh {
    /// Makes the transport with a private directory for its control sockets.
    ///
    /// # Errors
    /// Where that directory can't be made.
    pub fn new(settings: SshSettings) -> std::io::Result<Self> {
        let control = tempfile::Builder::new().prefix("pkg-").tempdir_in(control_parent())?;
        Ok(Self {
            settings,
            hosts: BTreeMap::new(),
            control,
            starts: Semaphore::new(AT_ONCE),
            opened: Mutex::default(),
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

    /// `ssh` with all options; whatever comes first counts (ssh_config(5)), so what must hold comes first.
    fn command(&self, endpoint: &Endpoint, further: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.args(further);
        let settings = self.settings(endpoint);
        if let Some(file) = &settings.config_file {
            command.arg("-F").arg(file);
        }
        let control_path = format!("ControlPath={}/%C", self.control.path().display());
        for option in [
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            "ControlMaster=auto",
            &control_path,
            "ControlPersist=120",
            "ClearAllForwardings=yes",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "ConnectTimeout=10",
            "RequestTTY=no",
            "LogLevel=ERROR",
        ] {
            command.arg("-o").arg(option);
        }
        for option in &settings.options {
            command.arg("-o").arg(option);
        }
        if let Some(user) = &settings.user {
            command.arg("-l").arg(user);
        }
        if let Some(port) = settings.port {
            command.arg("-p").arg(port.to_string());
        }
        if let Some(file) = &settings.key_file {
            command.arg("-i").arg(file);
        }
        if let Some(host) = &settings.jump_host {
            command.arg("-J").arg(host);
        }
        // A group of its own: Ctrl-C in the terminal is for `pkg`, not for the step that a host is in.
        command.process_group(0).kill_on_drop(true);
        command.arg(&endpoint.address);
        command
    }

    async fn attempt(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError> {
        let mut command = self.command(endpoint, &[]);
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

    fn remember(&self, endpoint: &Endpoint) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened.contains(endpoint) {
            opened.push(endpoint.clone());
        }
    }
}

#[async_trait]
impl Transport for Ssh {
    async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError> {
        self.remember(endpoint);
        let _permit = self.starts.acquire().await.ok();
        let started = Instant::now();
        let answer = self.attempt(endpoint, script).await;
        tracing::debug!(host = %endpoint.name, script = script.name(), elapsed = ?started.elapsed(), "script");
        answer
    }

    async fn close(&self) {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        futures::stream::iter(opened)
            .for_each_concurrent(AT_ONCE, |endpoint| async move {
                let mut command = self.command(&endpoint, &["-O", "exit"]);
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                let ended = tokio::time::timeout(Duration::from_secs(5), command.status()).await;
                tracing::debug!(host = %endpoint.name, ?ended, "connection closed");
            })
            .await;
    }
}

/// Sends the script and reads what comes back until `ssh` ends.
async fn converse(mut child: Child, text: String) -> std::io::Result<(ExitStatus, String, String)> {
    let stdin = child.stdin.take();
    let send = async move {
        if let Some(mut stdin) = stdin {
            // A host that refuses the login reads nothing; its refusal is in stderr.
            let _ = stdin.write_all(text.as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
    };
    let stdout = Capture::start(child.stdout.take());
    let stderr = Capture::start(child.stderr.take());
    let ((), status) = tokio::join!(send, child.wait());
    Ok((status?, stdout.finish().await, stderr.finish().await))
}

/// What a pipe has brought so far.
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Capture {
    fn start(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reader = tokio::spawn(async move {
            let Some(mut pipe) = pipe else { return };
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < OUTPUT_LIMIT {
                    kept.extend_from_slice(&buffer[..count]);
                }
            }
        });
        Self { bytes, reader }
    }

    async fn finish(self) -> String {
        let ended = tokio::time::timeout(AFTER_END, self.reader).await;
        tracing::trace!(in_time = ended.is_ok(), "pipe read");
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

fn control_parent() -> PathBuf {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|directory| directory.is_dir() && directory.as_os_str().len() <= CONTROL_DIRECTORY_LENGTH)
        .unwrap_or_else(|| PathBuf::from("/tmp"))
}
