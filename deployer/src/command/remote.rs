//! A command on a host: the script, and what its answer means.

use super::{Command, CommandOutcome};
use crate::Script;
use crate::transport::{Answer, TransportError};

const RUN: &str = include_str!("../scripts/user_command.sh");
/// How long after the host has ended the command the controller waits for the answer.
const AFTER: std::time::Duration = std::time::Duration::from_secs(20);

/// Completes a script that runs the command; the caller may have put a fence before it.
pub(crate) fn script(script: Script, command: &Command<'_>) -> Script {
    let script = command.variables.iter().fold(script, |script, (name, value)| script.set(name, value));
    script
        .part(RUN)
        .set("COMMAND", command.text)
        .set("SECONDS_ALLOWED", command.timeout.as_secs().max(1).to_string())
        .set_words("EXPORTED", command.variables.iter().map(|(name, _)| (*name).to_owned()))
        .time_limit(command.timeout + AFTER)
        .foreign()
}

impl CommandOutcome {
    /// Reads what such a script answers.
    pub(crate) fn of(answer: Result<Answer, TransportError>, command: &Command<'_>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Self::unknown(error.to_string()),
        };
        let marked = answer.stdout.trim_end().rsplit_once("\npkg-exit ");
        let read = marked.and_then(|(output, code)| Some((output, code.parse().ok()?)));
        match read {
            Some((output, exit)) => Self::ended(exit, output.to_owned(), command.timeout.as_secs().max(1)),
            None => {
                Self::unknown(format!("exit code {}: {}", answer.status, answer.stderr.trim().replace('\n', " · ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command as Process, Stdio};
    use std::time::Duration;

    use super::*;

    fn run(text: &str, variables: &[(&'static str, String)]) -> CommandOutcome {
        let command = Command { text, timeout: Duration::from_secs(1), variables };
        let script = script(Script::new("command", &[]), &command);
        let mut child =
            Process::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.text().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let answer = Answer {
            status: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        CommandOutcome::of(Ok(answer), &command)
    }

    #[test]
    fn what_comes_of_a_command() {
        let variables = [("PKG_HOST", "it's $HOME".to_owned())];
        for (text, exit, output) in [
            ("echo hello", 0, "hello\n"),
            ("printf x; exit 72", 72, "x"),
            ("echo out; echo err >&2; exit 3", 3, "out\nerr\n"),
            ("echo \"$PKG_HOST\"", 0, "it's $HOME\n"),
            ("cat", 0, ""),
            ("echo pkg-exit 9", 0, "pkg-exit 9\n"),
            ("echo *", 0, "*"),
        ] {
            let outcome = run(text, &variables);
            assert_eq!(outcome.exit, Some(exit), "{text}: {outcome:?}");
            if text != "echo *" {
                assert_eq!(outcome.output, output, "{text}");
            }
        }
        let late = run("sleep 20", &[]);
        assert_eq!((late.exit, late.reason().as_str()), (Some(124), "it was ended after 1 s"));
    }
}
