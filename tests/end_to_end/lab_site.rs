//! A site: a lab of hosts and a repository server beside it, with versions of the examples application to be deployed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::Lab;
use crate::program::{PKG, Ran, pkg, repository_file, run};
use crate::server::Server;

/// The server's address, as everybody in the lab knows it.
pub(crate) const SERVER: &str = "http://10.77.0.1:8080";
/// The token that may do everything there.
pub(crate) const MASTER: &str = "the-token-of-this-test";

/// Hosts, a server, and a directory for all that a test makes.
pub(crate) struct Site {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) lab: Lab,
    server: Option<Server>,
    /// The hosts with a Tomcat.
    tomcats: Vec<String>,
}

impl Site {
    /// Two Tomcats behind HAProxy, with nothing deployed; of the versions that are there, 3.0.0 is broken.
    #[track_caller]
    pub(crate) fn up(name: &str) -> Self {
        let site = Self::of(name, &["lb1=haproxy:web1,web2", "web1=tomcat", "web2=tomcat"]);
        site.offers(&["1.0.0", "2.0.0", "3.0.0"], build_examples);
        site
    }

    /// Hosts, written `name=role`, and a server that holds nothing yet.
    #[track_caller]
    pub(crate) fn of(name: &str, hosts: &[&str]) -> Self {
        let lab = Lab::up(name, "/examples/health.jsp", hosts);
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("token"), format!("{MASTER}\n")).unwrap();
        let tomcats = hosts.iter().filter_map(|host| host.split_once("=tomcat"));
        let tomcats = tomcats.map(|(name, _)| name.to_owned()).collect();
        let mut site = Self { directory, lab, server: None, tomcats };
        site.serve();
        site
    }

    /// Builds versions, publishes them to `dev`, and has every Tomcat's host know that channel.
    #[track_caller]
    pub(crate) fn offers(&self, versions: &[&str], build: impl Fn(&Path, &str) -> PathBuf) {
        let packages = versions.iter().map(|version| build(self.directory.path(), version));
        run(self.pkg(&["publish", "--to", "dev"]).args(packages)).ok();
        self.hosts_know("dev");
    }

    /// Puts the file of a channel on every Tomcat's host.
    #[track_caller]
    pub(crate) fn hosts_know(&self, channel: &str) {
        let (from, to) = (format!("{SERVER}/{channel}/{channel}.repo"), format!("/etc/yum.repos.d/{channel}.repo"));
        for host in &self.tomcats {
            self.lab.host(host, &["curl", "-fsS", "-o", &to, &from]).ok();
        }
    }

    /// Starts the server.
    #[track_caller]
    pub(crate) fn serve(&mut self) {
        self.server = Some(self.another_server("10.77.0.1:8080", &[]));
    }

    /// Starts a server on the same store.
    #[track_caller]
    pub(crate) fn another_server(&self, address: &str, options: &[&str]) -> Server {
        let mut serve = self.lab.pkg();
        serve.current_dir(self.directory.path()).args(["serve", "--store", "store", "--token-file", "token"]);
        Server::start(serve.args(["--listen", address]).args(options))
    }

    /// Ends it.
    pub(crate) fn stop_serving(&mut self) {
        self.server.take();
    }

    /// A file of the test's own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Prepares `pkg` on the controller, with the environments of `specs/` and their ledgers in the test's directory.
    pub(crate) fn pkg(&self, arguments: &[&str]) -> Command {
        self.pkg_as(MASTER, arguments)
    }

    /// The same, with a token of somebody's.
    pub(crate) fn pkg_as(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = self.lab.pkg();
        self.tell(&mut command, token).args(arguments);
        command
    }

    /// `pkg` on a controller whose clock is wrong: ahead by `+2m`, or behind by `-2m`.
    pub(crate) fn pkg_by_clock(&self, offset: &str, arguments: &[&str]) -> Command {
        let mut command = self.lab.controller("faketime");
        self.tell(&mut command, MASTER).args(["--exclude-monotonic", "-f", offset, PKG]).args(arguments);
        command
    }

    fn tell<'a>(&self, command: &'a mut Command, token: &str) -> &'a mut Command {
        command.current_dir(self.directory.path());
        command.env("PKG_ENVIRONMENTS", repository_file("specs/environments"));
        command.env("PKG_LAB_LEDGER", self.path("ledger")).env("PKG_LAB_CHANNEL", "dev");
        command.env("PKG_SERVER", SERVER).env("PKG_TOKEN", token)
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.pkg(arguments))
    }

    /// Runs a script as root on a host, and gives what it prints.
    #[track_caller]
    pub(crate) fn on(&self, host: &str, script: &str) -> String {
        self.lab.host(host, &["sh", "-ec", script]).ok().to_owned()
    }

    /// What stands on the Tomcats' hosts: the installed package, and whether Tomcat runs, of each.
    #[track_caller]
    pub(crate) fn installed(&self) -> Vec<String> {
        let look = "rpm -q examples; systemctl is-active tomcat10";
        let of_host = |host: &String| {
            let seen = self.lab.host(host, &["sh", "-c", look]).stdout;
            seen.lines().collect::<Vec<_>>().join(" ")
        };
        self.tomcats.iter().map(of_host).collect()
    }

    /// What HAProxy says of its servers, `name status`.
    #[track_caller]
    pub(crate) fn balanced(&self) -> Vec<String> {
        self.balanced_by("lb1")
    }

    /// The same, on another host.
    #[track_caller]
    pub(crate) fn balanced_by(&self, balancer: &str) -> Vec<String> {
        let table = self.on(balancer, "echo show stat | socat - /run/haproxy/admin.sock");
        let rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let rows = rows.filter(|row| row[0] == "app" && !matches!(row[1], "FRONTEND" | "BACKEND"));
        rows.map(|row| format!("{} {}", row[1], row[17])).collect()
    }

    /// Every Tomcat has this version and runs, and HAProxy sends requests to all of them.
    #[track_caller]
    pub(crate) fn everywhere(&self, version: &str) {
        self.has_everywhere(version);
        assert_eq!(self.balanced(), ["web1 UP", "web2 UP"]);
    }

    /// Every Tomcat has this version and runs.
    #[track_caller]
    pub(crate) fn has_everywhere(&self, version: &str) {
        let expected = vec![format!("examples-{version}.noarch active"); self.tomcats.len()];
        assert_eq!(self.installed(), expected);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The server runs inside of the lab, which goes down last.
        self.stop_serving();
    }
}

/// Builds a version of the examples application; its build number is its major version.
#[track_caller]
pub(crate) fn build_examples(directory: &Path, version: &str) -> PathBuf {
    let war = directory.join(format!("examples-{version}.war"));
    let mut pack = Command::new(repository_file("tests/lab/examples-war"));
    pack.arg(version).arg(&war).args((version == "3.0.0").then_some("--broken"));
    run(&mut pack).ok();
    let set = format!("WAR={}", war.display());
    let mut build = pkg(directory);
    build.arg("build").arg(repository_file("specs/examples.toml"));
    build.args(["--version", version, "--release", &version[..1], "--set", &set]);
    directory.join(run(&mut build).ok())
}

/// Builds a version, and what it says of itself, with further lines of the spec (keys, or whole sections) and options.
#[track_caller]
pub(crate) fn build_with(directory: &Path, (version, says): (&str, &str), lines: &str, options: &[&str]) -> PathBuf {
    let war = directory.join(format!("with-{version}.war"));
    run(Command::new(repository_file("tests/lab/examples-war")).arg(says).arg(&war)).ok();
    let spec = std::fs::read_to_string(repository_file("specs/examples.toml")).unwrap();
    let configuration = repository_file("specs/examples");
    let spec = spec.replace("directory = \"examples\"", &format!("directory = \"{}\"", configuration.display()));
    std::fs::write(directory.join("with.toml"), spec.replacen("\n[", &format!("\n{lines}\n["), 1)).unwrap();
    let mut build = pkg(directory);
    build.args(["build", "with.toml", "--version", version, "--release", &version[..1]]).args(options);
    build.arg("--set").arg(format!("WAR={}", war.display()));
    directory.join(run(&mut build).ok())
}

/// Users who requested all the while saw these versions, and no failure.
#[track_caller]
pub(crate) fn none_failed(seen: &Value, versions: &[&str]) {
    assert_eq!(seen["failed"], 0, "{seen}");
    assert!(seen["requests"].as_u64().unwrap() > 100, "{seen}");
    let served: Vec<&str> = seen["versions"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(served, versions, "{seen}");
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
