//! Running programs: `pkg` itself and the real tools, with their exit codes and all that they print.

use std::path::Path;
use std::process::{Command, Output};

/// The `pkg` that these tests are about.
pub(crate) const PKG: &str = env!("CARGO_BIN_EXE_pkg");

/// What came of a program.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) line: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Asserts the exit code and gives stdout without its last newline.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{}\n{}\n{}", self.line, self.stdout, self.stderr);
        self.stdout.trim_end()
    }

    /// Asserts success and gives stdout without its last newline.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        self.exits(0)
    }

    /// Asserts that stderr holds each of the texts.
    #[track_caller]
    pub(crate) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stderr.contains(text), "no `{text}` in what {} said:\n{}", self.line, self.stderr);
        }
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    let line = format!("{command:?}");
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{line}: {error}"));
    Ran {
        line,
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Prepares `pkg` in a directory, with nothing of the caller's environment that it listens to.
pub(crate) fn pkg(directory: &Path) -> Command {
    let mut command = Command::new(PKG);
    command.current_dir(directory);
    for variable in ["PKG_SERVER", "PKG_TOKEN", "PKG_ENVIRONMENTS", "SOURCE_DATE_EPOCH"] {
        command.env_remove(variable);
    }
    command.env("PKG_USER", "ana");
    command
}

/// Gives a file of the repository.
pub(crate) fn repository_file(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
