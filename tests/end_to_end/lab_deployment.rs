//! Deployments in the lab: real hosts behind a real HAProxy, users requesting all the while.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::Lab;
use crate::program::{Ran, pkg, repository_file, run};
use crate::server::Server;

const PAGE: &str = "http://10.77.0.11/examples/version.txt";

/// Two Tomcats behind HAProxy, a repository that holds versions of the examples application, an environment.
pub(crate) struct Site {
    pub(crate) directory: tempfile::TempDir,
    server: Option<Server>,
    pub(crate) lab: Lab,
}

impl Site {
    /// Brings everything up, with nothing deployed; version 3.0.0 is broken.
    #[track_caller]
    pub(crate) fn up(name: &str) -> Self {
        let hosts = ["lb1=haproxy:web1,web2", "web1=tomcat", "web2=tomcat"];
        let lab = Lab::up(name, "/examples/health.jsp", &hosts);
        let directory = tempfile::tempdir().unwrap();
        let packages: Vec<PathBuf> =
            ["1.0.0", "2.0.0", "3.0.0"].iter().map(|version| build_examples(directory.path(), version)).collect();
        std::fs::write(directory.path().join("token"), "the-token-of-this-test\n").unwrap();
        let mut site = Self { directory, server: None, lab };
        site.serve();
        run(site.pkg(&["publish", "--to", "dev"]).args(packages)).ok();
        for host in ["web1", "web2"] {
            let from = "http://10.77.0.1:8080/dev/dev.repo";
            site.lab.host(host, &["curl", "-fsS", "-o", "/etc/yum.repos.d/dev.repo", from]).ok();
        }
        site
    }

    /// Starts the repository's server.
    #[track_caller]
    pub(crate) fn serve(&mut self) {
        let mut serve = self.lab.pkg();
        serve.current_dir(self.directory.path()).args(["serve", "--store", "store", "--listen", "10.77.0.1:8080"]);
        self.server = Some(Server::start(serve.args(["--token-file", "token"])));
    }

    /// Ends it.
    pub(crate) fn stop_serving(&mut self) {
        self.server.take();
    }

    /// Prepares `pkg` on the controller.
    pub(crate) fn pkg(&self, arguments: &[&str]) -> Command {
        let mut command = self.lab.pkg();
        command.current_dir(self.directory.path()).args(arguments);
        command.env("PKG_ENVIRONMENTS", repository_file("specs/environments"));
        command.env("PKG_LAB_LEDGER", self.directory.path().join("ledger")).env("PKG_LAB_CHANNEL", "dev");
        command.env("PKG_SERVER", "http://10.77.0.1:8080").env("PKG_TOKEN", "the-token-of-this-test");
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.pkg(arguments))
    }

    /// What stands on the hosts: the installed package and whether Tomcat runs, of each.
    #[track_caller]
    pub(crate) fn installed(&self) -> Vec<String> {
        ["web1", "web2"]
            .iter()
            .map(|host| {
                let package = self.lab.host(host, &["rpm", "-q", "examples"]).stdout;
                let service = self.lab.host(host, &["systemctl", "is-active", "tomcat10"]).stdout;
                format!("{} {}", package.trim(), service.trim())
            })
            .collect()
    }

    /// What HAProxy says of its servers, `name status`.
    #[track_caller]
    pub(crate) fn balanced(&self) -> Vec<String> {
        let ask = "echo show stat | socat - /run/haproxy/admin.sock";
        let table = self.lab.host("lb1", &["sh", "-c", ask]);
        let rows = table.ok().lines().map(|line| line.split(',').collect::<Vec<_>>());
        let rows = rows.filter(|row| row[0] == "app" && row[1].starts_with("web"));
        rows.map(|row| format!("{} {}", row[1], row[17])).collect()
    }

    #[track_caller]
    pub(crate) fn everywhere(&self, version: &str) {
        let expected = format!("examples-{version}.noarch active");
        assert_eq!(self.installed(), [expected.clone(), expected]);
        assert_eq!(self.balanced(), ["web1 UP", "web2 UP"]);
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

#[track_caller]
fn none_failed(seen: &Value) {
    assert_eq!(seen["failed"], 0, "{seen}");
    assert!(seen["requests"].as_u64().unwrap() > 100, "{seen}");
}

/// Up, on to a newer version, to a broken one that is taken back, and back by rollback: no request fails.
#[test]
fn the_whole_story() {
    let site = Site::up("story");
    site.run(&["deploy", "lab", "examples-1.0.0-1", "--why", "first"]).ok();
    site.everywhere("1.0.0-1");
    let verified = site.lab.host("web1", &["rpm", "-V", "examples"]);
    assert_eq!(verified.ok(), "");

    let users = site.lab.users(PAGE);
    site.run(&["deploy", "lab", "examples-2.0.0-2"]).ok();
    site.everywhere("2.0.0-2");
    let broken = site.run(&["deploy", "lab", "examples-3.0.0-3"]);
    broken.exits(3);
    broken.says(&["web1", "404", "rolled back"]);
    site.everywhere("2.0.0-2");
    site.run(&["rollback", "lab", "--why", "wrong totals"]).ok();
    site.everywhere("1.0.0-1");
    users.until("the first version again", |seen| seen["versions"]["1.0.0"].as_u64() > Some(0));
    let seen = users.leave();
    none_failed(&seen);
    let versions: Vec<&str> = seen["versions"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0"], "{seen}");

    let nothing_before = site.run(&["rollback", "lab"]);
    nothing_before.exits(1);
    site.everywhere("1.0.0-1");
    let status = site.run(&["status", "lab"]);
    assert!(status.ok().contains("examples-1.0.0-1"), "{}", status.stdout);
    let history = site.run(&["history", "lab"]);
    for part in ["D-0001", "D-0002", "D-0003", "D-0004", "ana", "wrong totals"] {
        assert!(history.ok().contains(part), "{part}\n{}", history.stdout);
    }
}

/// An edited configuration file lives through an upgrade and the way back.
#[test]
fn edited_configuration_stays() {
    let site = Site::up("config");
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    let file = "/etc/examples/application.properties";
    site.lab.host("web1", &["sh", "-c", &format!("echo title=Ours > {file}")]).ok();
    site.run(&["deploy", "lab", "examples-2.0.0-2"]).ok();
    site.run(&["rollback", "lab"]).ok();
    site.everywhere("1.0.0-1");
    assert_eq!(site.lab.host("web1", &["cat", file]).ok(), "title=Ours");
}

/// What can be known beforehand is refused before anything changes.
#[test]
fn refused_before_anything_changes() {
    let site = Site::up("refused");
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();

    let unknown = site.run(&["deploy", "lab", "examples-9.9.9-9"]);
    unknown.exits(1);
    unknown.says(&["examples-9.9.9-9", "examples-2.0.0-2"]);
    site.everywhere("1.0.0-1");

    site.lab.strike("cut", "web2");
    let unreachable = site.run(&["deploy", "lab", "examples-2.0.0-2"]);
    unreachable.exits(1);
    unreachable.says(&["web2", "hint:"]);
    let status = site.run(&["status", "lab"]);
    status.exits(1);
    assert!(status.stdout.contains("web1  examples-1.0.0-1.noarch  service active  balancer UP"), "{}", status.stdout);
    assert!(status.stdout.contains("web2  unknown"), "{}", status.stdout);
    site.lab.strike("mend", "web2");
    wait_until("web2 is back", || site.balanced() == ["web1 UP", "web2 UP"]);
    site.everywhere("1.0.0-1");

    let lab = std::fs::read_to_string(repository_file("specs/environments/lab.toml")).unwrap();
    let careful = lab.replace("approval = \"none\"", "approval = \"person\"");
    std::fs::write(site.directory.path().join("careful.toml"), careful).unwrap();
    for yes in [&[][..], &["--yes"]] {
        let mut deploy = site.pkg(&["deploy", "./careful.toml", "examples-2.0.0-2"]);
        run(deploy.args(yes).stdin(Stdio::null())).exits(6);
    }
    site.everywhere("1.0.0-1");
}

/// One deployment at a time; a dead controller's deployment is finished by `resume`, and by nothing else.
#[test]
fn a_killed_controller_and_its_resumption() {
    let site = Site::up("resume");
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    let users = site.lab.users(PAGE);
    let mut first = site.pkg(&["deploy", "lab", "examples-2.0.0-2"]);
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("web1 is out of the balancer", || site.balanced()[0] != "web1 UP");

    let second = site.run(&["deploy", "lab", "examples-1.0.0-1"]);
    second.exits(5);
    second.says(&["ana"]);

    first.kill().unwrap();
    first.wait().unwrap();
    wait_until("the dead controller's lease has run out", || site.run(&["resume", "lab"]).code != 5);
    site.everywhere("2.0.0-2");
    none_failed(&users.leave());
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    site.everywhere("1.0.0-1");
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
