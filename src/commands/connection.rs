//! How commands reach the repository server: its address, the token, who asks, and what a refusal means.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use nix::unistd::{Uid, User};
use repo_api::{Client, ClientError, Problem, ProblemKind};

use crate::exit::{Exit, Failure};

/// Where the repository server is, and the right to write to it.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The repository server's address.
    #[arg(long, value_name = "URL", env = "PKG_SERVER", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// A file whose first line is the token for writing; PKG_TOKEN holds the token itself.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Who makes a change, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct ReasonArgs {
    /// The reason, for the repository's history.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
}

impl ServerArgs {
    /// Makes a client. Nothing is sent yet.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let token = read_token(self.token_file.as_ref(), "PKG_TOKEN")?;
        Client::new(&self.server, token.as_deref()).map_err(failure)
    }
}

/// Reads a token from the first line of a file, or else from a variable of the environment.
pub(crate) fn read_token(file: Option<&PathBuf>, variable: &str) -> Result<Option<String>, Failure> {
    if let Some(path) = file {
        let text = fs_err::read_to_string(path).context("the token can't be read").map_err(Failure::input)?;
        let token = text.lines().next().unwrap_or_default().trim().to_owned();
        if token.is_empty() {
            return Err(Failure::input(anyhow!("`{}` holds no token in its first line", path.display())));
        }
        return Ok(Some(token));
    }
    match std::env::var(variable) {
        Ok(token) if token.is_empty() => Ok(None),
        Ok(token) => Ok(Some(token)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::input(anyhow!("`{variable}` is not text"))),
    }
}

/// The login: as the environment tells it, or else by the system's users, of which one may have no name.
pub(crate) fn login() -> String {
    let told = ["LOGNAME", "USER"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    told.unwrap_or_else(|| user_name(Uid::current()))
}

fn user_name(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// Names the person or the job: `USER@HOST`.
pub(crate) fn who() -> Option<String> {
    let user = login();
    let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => Some(user),
        host => Some(format!("{user}@{host}")),
    }
}

/// Gives a refusal its exit code: wrong input where the request can't ever succeed as it is, failed otherwise.
pub(crate) fn failure(error: ClientError) -> Failure {
    match error {
        ClientError::Problem(problem) => refusal(*problem),
        ClientError::Server(_) | ClientError::Token | ClientError::File(_) => Failure::input(error),
        ClientError::Unreachable { .. } => Failure::failed(error)
            .hint("is the server running (`pkg serve`), and is its address right (--server, PKG_SERVER)?"),
        ClientError::Setup(_) => Failure::failed(error),
        ClientError::Foreign { .. } => {
            Failure::failed(error).hint("is this a `pkg serve`, and no other server or proxy?")
        }
    }
}

fn refusal(problem: Problem) -> Failure {
    let failure = Failure::new(exit(problem.kind), anyhow!("{}", problem.detail));
    match problem.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn exit(kind: ProblemKind) -> Exit {
    match kind {
        ProblemKind::BadRequest
        | ProblemKind::UnknownChannel
        | ProblemKind::UnknownPackage
        | ProblemKind::AmbiguousPackage
        | ProblemKind::TooLarge
        | ProblemKind::NotAnRpm
        | ProblemKind::RefusedPackage => Exit::Input,
        ProblemKind::ApprovalMissing | ProblemKind::Frozen => Exit::ApprovalMissing,
        ProblemKind::LeaseHeld => Exit::LeaseHeld,
        ProblemKind::NotFound
        | ProblemKind::CommitTaken
        | ProblemKind::UnknownCommit
        | ProblemKind::MethodNotAllowed
        | ProblemKind::MissingUpload
        | ProblemKind::DigestMismatch
        | ProblemKind::InterruptedUpload
        | ProblemKind::Conflict
        | ProblemKind::Unauthorized
        | ProblemKind::Forbidden
        | ProblemKind::TooManyRequests
        | ProblemKind::Busy
        | ProblemKind::Internal
        | ProblemKind::Unknown => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_or_else_a_number() {
        assert_eq!(user_name(Uid::from_raw(0)), "root");
        assert_eq!(user_name(Uid::from_raw(4_000_000_000)), "uid 4000000000");
    }
}
