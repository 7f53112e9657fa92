//! A command on the controller.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;

use super::{Command, CommandOutcome};

/// What is kept of what a command prints, in bytes.
const OUTPUT_LIMIT: usize = 1024 * 1024;
/// How long output may follow the end of the command: what it left running may keep the pipe open.
const AFTER_END: Duration = Duration::from_millis(300);

/// Runs a command on this machine, with an input where it is given one.
pub(crate) async fn run_here(command: &Command<'_>, input: Option<String>) -> CommandOutcome {
    let seconds = command.timeout.as_secs().max(1);
    let mut process = tokio::process::Command::new("timeout");
    process.args(["-k", "10", &seconds.to_string(), "sh", "-c", command.text]);
    process.envs(command.variables.iter().map(|(name, value)| (name, value)));
    process.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    process.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = match process.spawn() {
        Ok(child) => child,
        Err(error) => return CommandOutcome::unknown(format!("`sh` can't be started: {error}")),
    };
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        tokio::spawn(async move {
            // A command that does not read its input needs none.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await;
        });
    }
    let kept = Arc::new(Mutex::new(Vec::new()));
    let readers = [read(child.stdout.take(), &kept), read(child.stderr.take(), &kept)];
    let status = child.wait().await;
    let _ = tokio::time::timeout(AFTER_END, futures::future::join_all(readers)).await;
    let output = String::from_utf8_lossy(&kept.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    match status.map(|status| status.code()) {
        Ok(Some(exit)) => CommandOutcome::ended(exit, output, seconds),
        Ok(None) => CommandOutcome { output, ..CommandOutcome::unknown("it was killed".to_owned()) },
        Err(error) => CommandOutcome { output, ..CommandOutcome::unknown(error.to_string()) },
    }
}

fn read(pipe: Option<impl AsyncRead + Unpin + Send + 'static>, kept: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let kept = Arc::clone(kept);
    tokio::spawn(async move {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < OUTPUT_LIMIT {
                kept.extend_from_slice(&buffer[..count]);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_of_a_command() {
        let variables = [("PKG_HOST", "it's $HOME".to_owned())];
        let run = async |text: &str, input: Option<&str>| {
            let command = Command { text, timeout: Duration::from_secs(1), variables: &variables };
            run_here(&command, input.map(str::to_owned)).await
        };
        for (text, input, exit, output) in [
            ("echo hello", None, 0, "hello\n"),
            ("echo \"$PKG_HOST\"; exit 3", None, 3, "it's $HOME\n"),
            ("cat", Some("{}"), 0, "{}"),
            ("cat", None, 0, ""),
            ("true", Some("{}"), 0, ""),
        ] {
            let outcome = run(text, input).await;
            assert_eq!((outcome.exit, outcome.output.as_str()), (Some(exit), output), "{text}");
        }
        let late = run("sleep 20", None).await;
        assert_eq!(late.reason(), "it was ended after 1 s");
        let began = std::time::Instant::now();
        assert!(run("sleep 5 & echo left", None).await.is_ok());
        assert!(began.elapsed() < Duration::from_secs(4), "what is left running is not waited for");
    }
}
