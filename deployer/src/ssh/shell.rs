//! A shell on a host that runs one script after the other: a login and `sudo` for the first, a fork for each further one.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::multiplexing::{OpenError, Session};
use crate::transport::Answer;

/// What a host may print before it is cut off, in bytes.
const OUTPUT_LIMIT: usize = 8 * 1024 * 1024;
/// How much more is kept before the cut, so that it is not made at every byte.
const OUTPUT_SLACK: usize = 64 * 1024;
/// The longest end of an output: a mark, a number and an exit code.
const MARK_LENGTH: usize = 64;
/// How long output may follow the end of the shell: what it left running may hold its streams.
const AFTER_END: Duration = Duration::from_millis(300);

/// How long a connection of a shell's own may take to end.
const END_LIMIT: Duration = Duration::from_secs(3);
/// The exit code that `ssh` keeps for its own failures (ssh(1)).
const SSH_FAILED: i32 = 255;

/// A shell that waits for a script.
#[derive(Debug)]
pub(super) struct Shell {
    line: Line,
    stdin: Sender,
    stdout: Receiver,
    stderr: Receiver,
    /// Stands at the end of what a script prints; nobody on the host can know it beforehand.
    mark: String,
    scripts: u32,
    /// One of the shells that there may be at a time.
    _place: OwnedSemaphorePermit,
}

/// What a shell is reached over.
#[derive(Debug)]
enum Line {
    /// A session of a connection that others use, too.
    Shared(Session),
    /// A connection of its own.
    Own(Child),
}

impl Line {
    /// Waits for the shell's end; gives its exit code, or `None` where it was not the shell that ended.
    async fn ended(&mut self) -> Option<i32> {
        match self {
            Self::Shared(session) => session.ended().await,
            Self::Own(ssh) => ssh.wait().await.ok()?.code().filter(|code| *code != SSH_FAILED),
        }
    }
}

/// Says why it is not known how a script ended: what was said last.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

impl Shell {
    /// Starts one over a connection that stands.
    pub(super) async fn open(socket: &Path, command: &str, place: OwnedSemaphorePermit) -> Result<Self, OpenError> {
        let (stdin, stdout, stderr, theirs) = pipes().map_err(OpenError::Gone)?;
        let line = Line::Shared(Session::open(socket, command, theirs).await?);
        Ok(Self { line, stdin, stdout, stderr, mark: mark(), scripts: 0, _place: place })
    }

    /// Starts one over a connection of its own, which ends with it.
    pub(super) fn alone(mut ssh: Command, place: OwnedSemaphorePermit) -> io::Result<Self> {
        let (stdin, stdout, stderr, theirs) = pipes()?;
        let [its_in, its_out, its_err] = theirs;
        let line = Line::Own(ssh.stdin(its_in).stdout(its_out).stderr(its_err).spawn()?);
        Ok(Self { line, stdin, stdout, stderr, mark: mark(), scripts: 0, _place: place })
    }

    /// Lets it end in its own time.
    pub(super) fn leave(self) {
        drop(self.stdin);
        if let Line::Own(mut ssh) = self.line {
            tokio::spawn(async move { tokio::time::timeout(END_LIMIT, ssh.wait()).await });
        }
    }

    /// Whether it still waits for a script, as far as can be seen from here.
    pub(super) fn is_alive(&mut self) -> bool {
        // Whoever prints here now is something that a script left running.
        let is_silent =
            |pipe: &Receiver| pipe.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        let Line::Shared(session) = &mut self.line else { return false };
        session.is_open() && is_silent(&self.stdout) && is_silent(&self.stderr)
    }

    /// Runs a script in a shell of its own below this one, so that none leaves anything behind for the next.
    pub(super) async fn run(&mut self, script: &str) -> Result<Answer, Broken> {
        self.scripts += 1;
        let mark = format!("\n{}-{} ", self.mark, self.scripts);
        let (printed, complained) = (Output::new(&mark), Output::new(&mark));
        self.converse(in_own_shell(script, &mark), printed, complained).await
    }

    /// Runs the first script, and tells as soon as the shell has run anything: the login is over by then, and what was said
    /// at it is no answer to the script.
    pub(super) async fn run_first(&mut self, script: &str, entered: &Notify) -> Result<Answer, Broken> {
        self.scripts += 1;
        let (greeting, mark) = (format!("\n{} in\n", self.mark), format!("\n{}-{} ", self.mark, self.scripts));
        let greet = format!("printf '\\n%s in\\n' {mark}\nprintf '\\n%s in\\n' {mark} >&2\n", mark = self.mark);
        let printed = Output::new(&mark).after(&greeting, Some(entered));
        let complained = Output::new(&mark).after(&greeting, None);
        self.converse(greet + &in_own_shell(script, &mark), printed, complained).await
    }

    async fn converse(
        &mut self,
        text: String,
        mut printed: Output<'_>,
        mut complained: Output<'_>,
    ) -> Result<Answer, Broken> {
        let (mut exit, mut has_ended) = (None, false);
        {
            let send = async {
                // A host that refuses reads nothing; its refusal is in what it says.
                let _ = self.stdin.write_all(text.as_bytes()).await;
            };
            let (reads, refusals) = (printed.read(&mut self.stdout), complained.read(&mut self.stderr));
            let mut conversation = pin!(async { tokio::join!(send, reads, refusals) });
            tokio::select! {
                _ = &mut conversation => {}
                code = self.line.ended() => {
                    (exit, has_ended) = (code, true);
                    let rest = tokio::time::timeout(AFTER_END, conversation).await;
                    tracing::trace!(in_time = rest.is_ok(), "a shell ended");
                }
            }
        }
        let (status, stderr) = (printed.status, complained.text());
        if let Some(status) = status {
            return Ok(Answer { status, stdout: printed.text(), stderr });
        }
        if !has_ended {
            exit = tokio::time::timeout(AFTER_END, self.line.ended()).await.unwrap_or_default();
        }
        // `sudo` refused, say, or there is no such shell: the exit code is its own.
        match exit {
            Some(status) => Ok(Answer { status, stdout: printed.text(), stderr }),
            None => Err(Broken(stderr)),
        }
    }
}

/// Puts a script into a subshell and a mark with its exit code behind it. As a whole it is one compound command: cut short on
/// its way, it runs nothing.
fn in_own_shell(script: &str, mark: &str) -> String {
    let mark = mark.trim();
    format!("(\n{script})\nset -- $?\nprintf '\\n%s %s\\n' {mark} $1\nprintf '\\n%s %s\\n' {mark} $1 >&2\n")
}

type Pipes = (Sender, Receiver, Receiver, [OwnedFd; 3]);

/// Input, output and complaints: this end of each, and the others.
fn pipes() -> io::Result<Pipes> {
    let ((its_in, stdin), (stdout, its_out), (stderr, its_err)) = (io::pipe()?, io::pipe()?, io::pipe()?);
    let (stdout, stderr) = (Receiver::from_owned_fd(stdout.into())?, Receiver::from_owned_fd(stderr.into())?);
    Ok((Sender::from_owned_fd(stdin.into())?, stdout, stderr, [its_in.into(), its_out.into(), its_err.into()]))
}

fn mark() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What a script prints, up to the mark.
#[derive(Debug)]
struct Output<'a> {
    bytes: Vec<u8>,
    mark: &'a [u8],
    /// The exit code behind the mark.
    status: Option<i32>,
    /// What comes before all of it, and who is told of that.
    greeting: Option<(&'a [u8], Option<&'a Notify>)>,
}

impl<'a> Output<'a> {
    fn new(mark: &'a str) -> Self {
        Self { bytes: Vec::new(), mark: mark.as_bytes(), status: None, greeting: None }
    }

    fn after(self, greeting: &'a str, told: Option<&'a Notify>) -> Self {
        Self { greeting: Some((greeting.as_bytes(), told)), ..self }
    }

    async fn read(&mut self, pipe: &mut Receiver) {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
            if self.take(&buffer[..count]) {
                return;
            }
        }
    }

    /// Takes what came; gives whether the mark was in it.
    fn take(&mut self, came: &[u8]) -> bool {
        let mut from = self.bytes.len().saturating_sub(MARK_LENGTH);
        self.bytes.extend_from_slice(came);
        if let Some((greeting, told)) = self.greeting
            && let Some(at) = find(&self.bytes, from, greeting)
        {
            self.bytes.drain(..at + greeting.len());
            (self.greeting, from) = (None, 0);
            if let Some(told) = told {
                told.notify_one();
            }
        }
        if let Some(at) = find(&self.bytes, from, self.mark) {
            let status = self.bytes[at + self.mark.len()..].split(|byte| *byte == b'\n').collect::<Vec<_>>();
            if let [status, _, ..] = status[..] {
                self.status = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok());
                self.bytes.truncate(at.min(OUTPUT_LIMIT));
                return true;
            }
        }
        if self.bytes.len() > OUTPUT_LIMIT + OUTPUT_SLACK {
            self.bytes.drain(OUTPUT_LIMIT..self.bytes.len() - MARK_LENGTH);
        }
        false
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Where something begins, looked for from an index on.
fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_at_the_login_is_no_answer() {
        for size in [1, 2, 7, 100] {
            let entered = Notify::new();
            let mut output = Output::new("\n0123-1 ").after("\n0123 in\n", Some(&entered));
            let said = b"Welcome!\n\n0123 in\nthe answer\n0123-1 3\n";
            let found = said.chunks(size).map(|chunk| output.take(chunk)).collect::<Vec<_>>();
            assert_eq!(found.iter().filter(|found| **found).count(), 1, "by {size}");
            assert_eq!((output.text().as_str(), output.status), ("the answer", Some(3)), "by {size}");
            assert!(futures::FutureExt::now_or_never(entered.notified()).is_some(), "by {size}");
        }
        // A login that comes to nothing has said why.
        let mut output = Output::new("\n0123-1 ").after("\n0123 in\n", None);
        assert!(!output.take(b"sudo: a password is required\n"));
        assert_eq!(output.text(), "sudo: a password is required\n");
    }

    #[test]
    fn an_output_ends_at_its_mark_however_it_comes() {
        let mark = "\n0123-1 ";
        for (said, expected) in
            [("a\nb\n", "a\nb\n"), ("", ""), ("no newline", "no newline"), ("\n0123-2 0\n", "\n0123-2 0\n")]
        {
            let whole = format!("{said}{mark}17\n");
            for size in [1, 2, 7, whole.len()] {
                let mut output = Output::new(mark);
                let found = whole.as_bytes().chunks(size).map(|chunk| output.take(chunk)).collect::<Vec<_>>();
                assert_eq!(found.iter().filter(|found| **found).count(), 1, "{said:?} by {size}");
                assert_eq!((output.text().as_str(), output.status), (expected, Some(17)), "{said:?} by {size}");
            }
        }
    }

    #[test]
    fn an_endless_output_is_cut_off_and_its_mark_found() {
        let (mark, block) = ("\n0123-1 ", [b'x'; 8192]);
        let mut output = Output::new(mark);
        for _ in 0..3 * OUTPUT_LIMIT / block.len() {
            assert!(!output.take(&block));
            assert!(output.bytes.len() <= OUTPUT_LIMIT + OUTPUT_SLACK + block.len());
        }
        assert!(output.take(b"\n0123-1 0\n"));
        assert_eq!((output.bytes.len(), output.status), (OUTPUT_LIMIT, Some(0)));
    }
}
