//! A lab of hosts of a test's own, taken down with the test however that ends.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{PKG, Ran, repository_file, run};

/// A running lab.
pub(crate) struct Lab {
    name: String,
}

/// The users of the application: a client that keeps requesting until it is asked what it saw.
pub(crate) struct Users {
    process: Child,
    state: PathBuf,
}

fn lab() -> Command {
    Command::new(repository_file("tests/lab/lab"))
}

impl Lab {
    /// Brings a lab up; its hosts are written `name=role`.
    #[track_caller]
    pub(crate) fn up(name: &str, check_path: &str, hosts: &[&str]) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let owner = std::process::id().to_string();
        run(lab().args(["up", &name, "--owner", &owner, "--check-path", check_path]).args(hosts)).ok();
        Self { name }
    }

    /// The lab's directory, with `ssh_config` and the rest.
    pub(crate) fn directory(&self) -> PathBuf {
        PathBuf::from(std::env::var_os("PKG_LAB_RUN").unwrap_or_else(|| "/run/pkg-lab".into())).join(&self.name)
    }

    /// Prepares a command on the controller, the machine from which the hosts can be reached.
    pub(crate) fn controller(&self, program: &str) -> Command {
        let mut command = lab();
        command.args(["run", &self.name, "--", program]);
        command.env("PKG_LAB_DIR", self.directory()).env("PKG_USER", "ana");
        command
    }

    /// Prepares `pkg` on the controller.
    pub(crate) fn pkg(&self) -> Command {
        self.controller(PKG)
    }

    /// Prepares a command as root on a host.
    pub(crate) fn host_command(&self, host: &str, command: &[&str]) -> Command {
        let mut prepared = lab();
        prepared.args(["host", &self.name, host, "--"]).args(command);
        prepared
    }

    /// Runs a command as root on a host.
    #[track_caller]
    pub(crate) fn host(&self, host: &str, command: &[&str]) -> Ran {
        run(&mut self.host_command(host, command))
    }

    /// Does something to a host: `cut`, `mend`, `kill` or `boot`.
    #[track_caller]
    pub(crate) fn strike(&self, what: &str, host: &str) {
        run(lab().args([what, &self.name, host])).ok();
    }

    /// Lets users request a page until [`Users::leave`].
    #[track_caller]
    pub(crate) fn users(&self, url: &str) -> Users {
        let state = self.directory().join("users.json");
        let mut command = self.controller(repository_file("tests/client").to_str().unwrap());
        let process = command.arg(url).arg(&state).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let users = Users { process, state };
        users.until("a first answer", |seen| seen["requests"].as_u64() > Some(0));
        users
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = lab().args(["down", &self.name]).output();
    }
}

impl Users {
    /// What they have seen so far.
    pub(crate) fn seen(&self) -> Value {
        std::fs::read(&self.state).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(Value::Null)
    }

    /// Waits until they have seen something.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, seen: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !seen(&self.seen()) {
            assert!(Instant::now() < deadline, "the users did not see {what}: {}", self.seen());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Lets them go and gives all that they saw.
    #[track_caller]
    pub(crate) fn leave(mut self) -> Value {
        run(Command::new("kill").arg(self.process.id().to_string())).ok();
        self.process.wait().unwrap();
        self.seen()
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
