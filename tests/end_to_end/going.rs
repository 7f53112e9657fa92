//! A `pkg` that goes on while a test does something else.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use crate::lab_site::wait_until;
use crate::program::{Ran, run};

/// A `pkg` that is at work.
pub(crate) struct Going {
    process: Child,
    line: String,
    said: tempfile::NamedTempFile,
}

impl Going {
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        let said = tempfile::NamedTempFile::new().unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(said.path()).unwrap());
        Self { process: command.spawn().unwrap(), line: format!("{command:?}"), said }
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.said.path()).unwrap()
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        wait_until(text, || self.stderr().contains(text));
    }

    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        run(Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()])).ok();
    }

    pub(crate) fn is_at_work(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Kills it, and what it started: faketime is the parent of what it gives another clock.
    pub(crate) fn kill(&mut self) {
        let _ = Command::new("pkill").args(["-KILL", "-P", &self.process.id().to_string()]).status();
        let _ = self.process.kill();
    }

    #[track_caller]
    pub(crate) fn ends(mut self) -> Ran {
        let code = self.process.wait().unwrap().code().unwrap_or(-1);
        Ran { line: self.line.clone(), code, stdout: String::new(), stderr: self.stderr() }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
