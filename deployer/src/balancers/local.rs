//! Commands on the controller itself, for balancers that are told from there.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::BalancerError;
use crate::transport::last_lines;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a command on the controller and gives what it prints.
pub(crate) async fn run(
    balancer: &str,
    arguments: &[String],
    variables: &[(&str, &str)],
) -> Result<String, BalancerError> {
    let failed = |problem| BalancerError::Command { balancer: balancer.to_owned(), problem };
    let [program, rest @ ..] = arguments else { return Err(failed("the command is empty".to_owned())) };
    let mut command = Command::new(program);
    command.args(rest).envs(variables.iter().copied());
    // A group of its own: Ctrl-C in the terminal is for `pkg`.
    command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output())
        .await
        .map_err(|_| failed(format!("`{program}` gave no answer within {} s", LIMIT.as_secs())))?
        .map_err(|error| failed(format!("`{program}` can't be started: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = last_lines(&String::from_utf8_lossy(&output.stderr), 3);
    Err(failed(format!("`{program}` ended with {}: {said}", output.status)))
}
