//! A connection to a machine: opened once by `ssh`, shared by the shells that run scripts there.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::multiplexing::{OpenError, terminate};
use super::shell::Shell;

/// How many scripts run over one connection: sshd allows ten sessions by default (MaxSessions).
const SESSIONS: usize = 8;
/// How many connections are opened through one bastion at once: its sshd sees all of them.
const STARTS_THROUGH: usize = 8;
/// How often it is looked whether another process has opened the connection meanwhile.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);
/// How long `ssh` may take to go to the background once the connection stands.
const BACKGROUND_LIMIT: Duration = Duration::from_secs(2);
/// How long a connection may take to end.
const END_LIMIT: Duration = Duration::from_secs(3);
/// How long the complaints of an `ssh` that failed are read: what it started may hold them open.
const COMPLAINT_LIMIT: Duration = Duration::from_millis(300);
/// How often, and how long after, a session is asked for again where sshd opens none although none is open from here:
/// it takes a moment to see that one has ended.
const REFUSALS: usize = 20;
const REFUSAL_INTERVAL: Duration = Duration::from_millis(100);

/// A connection that is open or will be.
#[derive(Debug)]
pub(super) struct Connection {
    /// Its control socket, which is there once the login has succeeded.
    pub(super) socket: PathBuf,
    /// Held by whoever opens it.
    pub(super) opening: tokio::sync::Mutex<()>,
    /// Whoever opens a connection to another machine through it.
    pub(super) through: Semaphore,
    /// The scripts that run over it.
    sessions: Semaphore,
    /// How many may.
    width: AtomicUsize,
    /// The shells that wait for a script.
    idle: Mutex<Vec<Shell>>,
}

/// Says why there is no shell.
pub(super) enum NoShell {
    /// The connection is not there any more.
    Gone(std::io::Error),
    /// sshd opens no session.
    Refused(String),
    /// Nobody says whether there is one.
    Late,
}

/// Says why a connection does not stand.
pub(super) enum Closed {
    /// `ssh` can't be started.
    Start(std::io::Error),
    /// `ssh` does not get there, and complains.
    Failed(String),
    /// `ssh` does not come to an end.
    Late,
}

impl Connection {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            opening: tokio::sync::Mutex::default(),
            through: Semaphore::new(STARTS_THROUGH),
            sessions: Semaphore::new(SESSIONS),
            width: AtomicUsize::new(SESSIONS),
            idle: Mutex::default(),
        }
    }

    /// Whether it stands, as far as can be seen without asking.
    pub(super) fn is_open(&self) -> bool {
        self.socket.exists()
    }

    /// Has `ssh` open it within a time.
    pub(super) async fn open(&self, mut ssh: Command, limit: Duration) -> Result<(), Closed> {
        let mut child =
            ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(Closed::Start)?;
        // `ssh` ends when the connection stands, and leaves a process in the background that keeps it.
        let status = tokio::select! {
            status = child.wait() => status,
            () = self.appears() => match tokio::time::timeout(BACKGROUND_LIMIT, child.wait()).await {
                Ok(status) => status,
                // Another process of this user has opened it, and this `ssh` waits as a guest of it.
                Err(_) => return Ok(()),
            },
            () = tokio::time::sleep(limit) => return Err(Closed::Late),
        };
        if status.map_err(Closed::Start)?.success() {
            return Ok(());
        }
        Err(Closed::Failed(complaints(&mut child).await))
    }

    async fn appears(&self) {
        while !self.is_open() {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// A shell that waits, or else a new one, for which sshd has a time.
    pub(super) async fn shell(
        &self,
        (command, places): (&str, &Places),
        limit: Duration,
    ) -> Result<(Shell, SemaphorePermit<'_>), NoShell> {
        let closed = |_| NoShell::Refused("the program ends".to_owned());
        let mut refusals = 0;
        loop {
            let permit = self.sessions.acquire().await.map_err(closed)?;
            while let Some(mut shell) = self.waiting() {
                if shell.is_alive() {
                    return Ok((shell, permit));
                }
            }
            let shell = Shell::open(&self.socket, command, places.take().await.map_err(closed)?);
            match tokio::time::timeout(limit, shell).await.map_err(|_| NoShell::Late)? {
                Ok(shell) => return Ok((shell, permit)),
                Err(OpenError::Gone(error)) => return Err(NoShell::Gone(error)),
                Err(OpenError::Refused(reason)) => {
                    // sshd has a lower limit than it has by default: whoever is there is waited for.
                    let narrowed = self
                        .width
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |width| (width > 1).then(|| width - 1));
                    tracing::debug!(socket = %self.socket.display(), reason, ?narrowed, "no further session");
                    if narrowed.is_ok() {
                        permit.forget();
                        continue;
                    }
                    refusals += 1;
                    if refusals >= REFUSALS {
                        return Err(NoShell::Refused(reason));
                    }
                    drop(permit);
                    tokio::time::sleep(REFUSAL_INTERVAL).await;
                }
            }
        }
    }

    fn waiting(&self) -> Option<Shell> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps a shell for the next script.
    pub(super) fn keep(&self, shell: Shell) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(shell);
    }

    /// Forgets what a connection that is gone has left.
    pub(super) fn clear(&self, error: &std::io::Error) {
        self.rest();
        if error.kind() == std::io::ErrorKind::ConnectionRefused {
            // Its process was killed and could not remove it.
            let removed = std::fs::remove_file(&self.socket);
            tracing::debug!(socket = %self.socket.display(), ?removed, "a dead connection's socket");
        }
    }

    /// Ends the shells that wait.
    pub(super) fn rest(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Ends it; without it, the `ssh` behind it would end by itself some time later.
    pub(super) async fn end(&self) {
        let ended = tokio::time::timeout(END_LIMIT, terminate(&self.socket)).await;
        tracing::debug!(socket = %self.socket.display(), ?ended, "connection ended");
    }
}

async fn complaints(child: &mut Child) -> String {
    let mut text = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        let read = tokio::time::timeout(COMPLAINT_LIMIT, stderr.read_to_end(&mut text)).await;
        tracing::trace!(in_time = read.is_ok(), "complaints read");
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The places for shells on all hosts.
#[derive(Debug, Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    kept_free: usize,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), kept_free: count / 4 }
    }

    pub(super) async fn take(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.free).acquire_owned().await
    }

    /// Whether so many are left that a shell may wait in its place.
    pub(super) fn are_plenty(&self) -> bool {
        self.free.available_permits() >= self.kept_free
    }
}
