//! What is said to an `ssh` that shares its connection: OpenSSH's PROTOCOL.mux, spoken here so that a session costs no
//! process, and no reading of configuration and known hosts, on the controller.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

const HELLO: u32 = 0x0000_0001;
const NEW_SESSION: u32 = 0x1000_0002;
const TERMINATE: u32 = 0x1000_0005;
const PERMISSION_DENIED: u32 = 0x8000_0002;
const FAILURE: u32 = 0x8000_0003;
const EXIT_MESSAGE: u32 = 0x8000_0004;
const SESSION_OPENED: u32 = 0x8000_0006;
const VERSION: u32 = 4;
/// The escape character of a session that has none.
const NO_ESCAPE: u32 = u32::MAX;
/// No message of a master is nearly as long.
const LENGTH_LIMIT: usize = 256 * 1024;

/// Says why there is no session.
#[derive(Debug)]
pub(super) enum OpenError {
    /// Nobody listens, or hangs up: the connection is not there any more.
    Gone(io::Error),
    /// The host's sshd opens no further session on this connection (`MaxSessions`), or none at all.
    Refused(String),
}

/// A session of a shared connection. It ends where this is dropped.
#[derive(Debug)]
pub(super) struct Session {
    stream: UnixStream,
    received: Vec<u8>,
}

impl Session {
    /// Has a command run by the host, with what it reads, prints and complains to.
    pub(super) async fn open(socket: &Path, command: &str, streams: [OwnedFd; 3]) -> Result<Self, OpenError> {
        let stream = UnixStream::connect(socket).await.map_err(OpenError::Gone)?;
        let mut session = Self { stream, received: Vec::new() };
        session.request(command, streams).await.map_err(OpenError::Gone)?;
        loop {
            let (kind, body) = session.message().await.map_err(OpenError::Gone)?;
            match kind {
                SESSION_OPENED => return Ok(session),
                FAILURE | PERMISSION_DENIED => return Err(OpenError::Refused(text_after_number(&body))),
                other => tracing::trace!(kind = other, "message before the session"),
            }
        }
    }

    async fn request(&mut self, command: &str, streams: [OwnedFd; 3]) -> io::Result<()> {
        let mut body = Vec::new();
        // The request's number, a reserved text; no terminal, no X11; the agent where the configuration forwards it; no
        // subsystem.
        number(&mut body, 0);
        text(&mut body, "");
        for value in [0, 0, 1, 0, NO_ESCAPE] {
            number(&mut body, value);
        }
        text(&mut body, "");
        text(&mut body, command);
        let mut messages = hello();
        messages.extend(message(NEW_SESSION, &body));
        self.stream.write_all(&messages).await?;
        for stream in &streams {
            self.stream.async_io(Interest::WRITABLE, || give(self.stream.as_fd(), stream.as_fd())).await?;
        }
        Ok(())
    }

    /// Waits for the command's end; gives its exit code, or `None` where the session ended without one.
    ///
    /// Nothing is lost where this is dropped before it is done.
    pub(super) async fn ended(&mut self) -> Option<i32> {
        loop {
            match self.message().await {
                Ok((EXIT_MESSAGE, body)) => {
                    return body.get(4..8).and_then(|code| Some(i32::from_be_bytes(code.try_into().ok()?)));
                }
                Ok((kind, _)) => tracing::trace!(kind, "message in a session"),
                Err(_) => return None,
            }
        }
    }

    /// Whether the master has neither hung up nor told the command's end.
    pub(super) fn is_open(&mut self) -> bool {
        let mut byte = [0];
        let waits = self.stream.try_read(&mut byte).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        waits && self.received.is_empty()
    }

    async fn message(&mut self) -> io::Result<(u32, Vec<u8>)> {
        loop {
            if let Some(length) = self.received.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize) {
                if !(4..LENGTH_LIMIT).contains(&length) {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the master speaks another protocol"));
                }
                if self.received.len() >= 4 + length {
                    let message: Vec<u8> = self.received.drain(..4 + length).collect();
                    let kind = u32::from_be_bytes([message[4], message[5], message[6], message[7]]);
                    return Ok((kind, message[8..].to_vec()));
                }
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Has a master end its connection, and waits until it has.
pub(super) async fn terminate(socket: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut messages = hello();
    messages.extend(message(TERMINATE, &0_u32.to_be_bytes()));
    stream.write_all(&messages).await?;
    // It answers, and hangs up when it ends.
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}

/// Hands an open file over, with the one byte that it has to come with.
fn give(to: BorrowedFd<'_>, file: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [file];
    control.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(to, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn hello() -> Vec<u8> {
    message(HELLO, &VERSION.to_be_bytes())
}

fn message(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(8 + body.len());
    number(&mut message, u32::try_from(4 + body.len()).unwrap_or(u32::MAX));
    number(&mut message, kind);
    message.extend_from_slice(body);
    message
}

fn number(to: &mut Vec<u8>, value: u32) {
    to.extend_from_slice(&value.to_be_bytes());
}

fn text(to: &mut Vec<u8>, value: &str) {
    number(to, u32::try_from(value.len()).unwrap_or(u32::MAX));
    to.extend_from_slice(value.as_bytes());
}

/// The reason in a refusal: a text behind the request's number.
fn text_after_number(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(8..).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_master_ends_as_it_wants_to_be_told() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        assert!(terminate(&socket).await.is_err());
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let master = tokio::spawn(async move {
            let mut heard = [0; 24];
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut heard).await.unwrap();
            heard
        });
        terminate(&socket).await.unwrap();
        let heard = master.await.unwrap();
        let numbers: Vec<u32> = heard.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect();
        assert_eq!(numbers, [8, 1, 4, 8, 0x1000_0005, 0]);
    }

    #[tokio::test]
    async fn a_refusal_and_an_end_are_read_however_they_come() {
        let refusal = [hello(), message(FAILURE, b"\0\0\0\0\0\0\0\x02no")].concat();
        let ended =
            [hello(), message(SESSION_OPENED, &[0; 8]), message(EXIT_MESSAGE, &[0, 0, 0, 0, 0, 0, 0, 7])].concat();
        for (said, refused) in [(refusal, true), (ended, false)] {
            let directory = tempfile::tempdir().unwrap();
            let socket = directory.path().join("socket");
            let listener = tokio::net::UnixListener::bind(&socket).unwrap();
            let master = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                for byte in said {
                    stream.write_all(&[byte]).await.unwrap();
                }
                stream.read_to_end(&mut Vec::new()).await
            });
            let streams = [(); 3].map(|()| std::io::pipe().unwrap().0.into());
            match Session::open(&socket, "true", streams).await {
                Ok(mut session) => {
                    assert!(!refused);
                    assert_eq!(session.ended().await, Some(7));
                }
                Err(OpenError::Refused(reason)) => assert!(refused && reason == "no", "{reason}"),
                Err(error) => panic!("{error:?}"),
            }
            let _ = master.await.unwrap();
        }
    }
}
