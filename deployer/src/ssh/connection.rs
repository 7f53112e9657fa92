//! The connections that `ssh` shares: where their sockets are, and how they end.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, Semaphore};

/// How many scripts run over one connection: sshd allows ten sessions (MaxSessions), and `ssh` dials anew without a word
/// for what is more.
const SESSIONS: usize = 8;
/// How often it is looked whether a connection stands.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);
/// How long a connection may take to end.
const END_LIMIT: Duration = Duration::from_secs(3);
/// Longer control paths are refused: a Unix socket's path ends at 108 bytes and `ssh` appends 17 for a moment.
const DIRECTORY_LENGTH: usize = 48;
/// The greeting and then the order to end, with lengths and numbers as in OpenSSH's PROTOCOL.mux: MUX_MSG_HELLO of
/// version 4; MUX_C_TERMINATE, request 0.
const TERMINATE: [u8; 24] = [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 8, 0x10, 0, 0, 5, 0, 0, 0, 0];

/// A connection that is open or will be.
#[derive(Debug)]
pub(super) struct Connection {
    /// Its control socket, which is there once the login has succeeded.
    pub(super) socket: PathBuf,
    /// Held by whoever opens it.
    pub(super) opening: Mutex<()>,
    /// The scripts that run over it.
    pub(super) sessions: Semaphore,
}

impl Connection {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self { socket, opening: Mutex::default(), sessions: Semaphore::new(SESSIONS) }
    }

    /// Whether it stands.
    pub(super) fn is_open(&self) -> bool {
        self.socket.exists()
    }

    /// Waits until it stands.
    pub(super) async fn opened(&self) {
        while !self.is_open() {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// Ends it; without it, the `ssh` behind it would end by itself some time later.
    pub(super) async fn end(&self) {
        let ended = tokio::time::timeout(END_LIMIT, terminate(&self.socket)).await;
        tracing::debug!(socket = %self.socket.display(), ?ended, "connection ended");
    }
}

async fn terminate(socket: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(&TERMINATE).await?;
    // It answers, and hangs up when it ends.
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}

/// The directory of control sockets: nobody else may use what is there.
#[derive(Debug)]
pub(super) enum Directory {
    /// Of this process, gone with it.
    Own(TempDir),
    /// Of this user, for connections that later processes go on with.
    Kept(PathBuf),
}

impl Directory {
    pub(super) fn own() -> io::Result<Self> {
        let parent = runtime_directory().unwrap_or_else(|| PathBuf::from("/tmp"));
        Ok(Self::Own(tempfile::Builder::new().prefix("pkg-").tempdir_in(parent)?))
    }

    /// # Errors
    /// Where it can't be made, or is not this user's alone.
    pub(super) fn kept() -> io::Result<Self> {
        // /proc/self is owned by the effective user.
        let user = fs_err::metadata("/proc/self")?.uid();
        let path = match runtime_directory() {
            Some(directory) => directory.join("pkg"),
            None => PathBuf::from(format!("/tmp/pkg-{user}")),
        };
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let found = fs_err::symlink_metadata(&path)?;
        if !found.is_dir() || found.uid() != user || found.permissions().mode() & 0o077 != 0 {
            let reason = format!("`{}` is not a directory that is this user's alone", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        Ok(Self::Kept(path))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }
}

fn runtime_directory() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
    let fits = directory.is_absolute() && directory.is_dir() && directory.as_os_str().len() <= DIRECTORY_LENGTH;
    (fits && !directory.to_string_lossy().contains('%')).then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ends_as_ssh_wants_it() {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::new(directory.path().join("socket"));
        assert!(!connection.is_open());
        connection.end().await;
        let listener = tokio::net::UnixListener::bind(&connection.socket).unwrap();
        connection.opened().await;
        let master = tokio::spawn(async move {
            let mut heard = [0; 24];
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut heard).await.unwrap();
            heard
        });
        connection.end().await;
        let heard = master.await.unwrap();
        let numbers: Vec<u32> = heard.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect();
        assert_eq!(numbers, [8, 1, 4, 8, 0x1000_0005, 0]);
    }
}
