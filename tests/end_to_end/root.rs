//! Roots of other distributions, for what their rpm and dnf make of packages. Whatever is changed in one is gone with
//! the test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::program::{Ran, repository_file, run};

/// A root of a suite, with the directory of a test in it under its own name.
pub(crate) struct Root {
    /// Holds the namespaces; ends when its stdin does.
    keeper: Child,
    /// The first process inside.
    inside: String,
}

impl Root {
    #[track_caller]
    pub(crate) fn up(suite: &str, share: &Path) -> Self {
        let mut command = Command::new(repository_file("tests/lab/lab"));
        command.args(["root-run", suite, "--share"]).arg(share).args(["--", "sh", "-c", "echo up; exec cat"]);
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n", "the root `{suite}` did not come up");
        let children = format!("/proc/{0}/task/{0}/children", keeper.id());
        let inside = std::fs::read_to_string(children).unwrap().trim().to_owned();
        Self { keeper, inside }
    }

    /// Prepares a program in the root.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.inside, "--mount", "--pid", "--root", "--wd=/", "--", "env", "-i"]);
        command.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", program]);
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        run(self.command(program).args(arguments))
    }

    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> Ran {
        self.run("sh", &["-ec", script])
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
