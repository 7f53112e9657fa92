//! An sshd of a test's own on the loopback, with keys of its own, and what it tells about its guests.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use deployer::{Endpoint, SshSettings};

/// An sshd; it ends with the test.
pub(crate) struct Daemon {
    process: Child,
    directory: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Daemon {
    /// Starts one that is configured further by some lines.
    pub(crate) fn start(configuration: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display();
        for key in ["key", "host_key"] {
            let file = directory.path().join(key);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file).status();
            assert!(made.unwrap().success());
        }
        // As root, sshd wants a directory for its children without rights.
        let _ = std::fs::create_dir("/run/sshd");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "Port {port}\nListenAddress 0.0.0.0\nHostKey {path}/host_key\nAuthorizedKeysFile {path}/key.pub\nPidFile none\n\
             UsePAM no\nSetEnv HOME={path}\nStrictModes no\nLogLevel VERBOSE\nPermitRootLogin prohibit-password\n{configuration}"
        );
        std::fs::write(directory.path().join("sshd_config"), text).unwrap();
        let process = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f"])
            .arg(directory.path().join("sshd_config"))
            .arg("-E")
            .arg(directory.path().join("log"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { process, directory, port };
        daemon.until("Server listening", 1);
        daemon
    }

    /// What `ssh` is told to reach addresses of the loopback by it.
    pub(crate) fn settings(&self) -> SshSettings {
        let (path, port) = (self.directory.path().display(), self.port);
        let key = std::fs::read_to_string(self.directory.path().join("host_key.pub")).unwrap();
        let known: String = (1..=40).map(|last| format!("[127.0.0.{last}]:{port} {key}")).collect();
        std::fs::write(self.directory.path().join("known_hosts"), known).unwrap();
        let text = format!(
            "Host *\nIdentityFile {path}/key\nIdentitiesOnly yes\nUserKnownHostsFile {path}/known_hosts\n\
             GlobalKnownHostsFile none\n"
        );
        std::fs::write(self.directory.path().join("ssh_config"), text).unwrap();
        SshSettings { config_file: Some(self.file("ssh_config")), port: Some(port), ..SshSettings::default() }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Lets in whoever another one lets in.
    pub(crate) fn trusts(&self, other: &Path) {
        std::fs::copy(other.join("key.pub"), self.file("key.pub")).unwrap();
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// How often it has said something.
    pub(crate) fn said(&self, what: &str) -> usize {
        std::fs::read_to_string(self.file("log")).unwrap_or_default().matches(what).count()
    }

    /// Waits until it has said something so often.
    pub(crate) fn until(&self, what: &str, count: usize) {
        let began = Instant::now();
        while self.said(what) < count {
            assert!(began.elapsed() < Duration::from_secs(20), "`{what}`: {} of {count}", self.said(what));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the processes of all who are logged in.
    pub(crate) fn throw_out(&self) {
        let status = Command::new("pkill").args(["-KILL", "-P", &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("pkill").args(["-KILL", "-P", &self.process.id().to_string()]).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A machine on the loopback.
pub(crate) fn endpoint(last: u8) -> Endpoint {
    Endpoint { name: format!("host{last}").parse().unwrap(), address: format!("127.0.0.{last}") }
}
