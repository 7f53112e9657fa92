//! The exit codes, documented here and nowhere else, and the failure that carries one to `main`.

use std::process::ExitCode;

/// How a run of `pkg` ended. Released codes never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: what was asked for is done.
    Done,
    /// 1: failed; nothing was changed.
    Failed,
    /// 2: wrong usage or wrong input: an unknown flag, a spec or environment file that does not hold.
    Input,
    /// 3: a deployment failed and every host is back where it was.
    RolledBack,
    /// 4: a deployment failed and left hosts changed: a person is needed.
    PartlyChanged,
    /// 5: another deployment of the environment holds the lease.
    LeaseHeld,
    /// 6: the environment asks for a person's approval, which was not given.
    ApprovalMissing,
}

impl Exit {
    /// Gives the process's exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Input => 2,
            Self::RolledBack => 3,
            Self::PartlyChanged => 4,
            Self::LeaseHeld => 5,
            Self::ApprovalMissing => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A failed command: the error with its causes, an optional hint on what to do next, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What failed; its `source`s are printed as causes.
    pub(crate) error: anyhow::Error,
    /// What the user can do next.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Makes one with exit code 1: failed, nothing changed.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Failed, error)
    }

    /// Makes one with exit code 2: wrong input.
    pub(crate) fn input(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Input, error)
    }

    /// Makes one with the exit code given.
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), hint: None }
    }

    /// Adds what the user can do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
