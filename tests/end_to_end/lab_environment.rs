//! An environment whose ledger the repository server keeps: deployed to in the lab, with the server killed meanwhile, and
//! with the server's own rules.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::Lab;
use crate::lab_deployment::build_examples;
use crate::program::{Ran, repository_file, run};
use crate::server::Server;

const SERVER: &str = "http://10.77.0.1:8080";
const MASTER: &str = "the-token-of-this-test";

/// Two Tomcats behind HAProxy, and a server that keeps packages and ledger.
struct Site {
    directory: tempfile::TempDir,
    server: Option<Server>,
    lab: Lab,
}

impl Site {
    #[track_caller]
    fn up() -> Self {
        let hosts = ["lb1=haproxy:web1,web2", "web1=tomcat", "web2=tomcat"];
        let lab = Lab::up("ledger", "/examples/health.jsp", &hosts);
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("token"), format!("{MASTER}\n")).unwrap();
        let mut site = Self { directory, server: None, lab };
        site.serve();
        let packages: Vec<PathBuf> =
            ["1.0.0", "2.0.0"].iter().map(|version| build_examples(site.directory.path(), version)).collect();
        run(site.pkg(MASTER, &["publish", "--to", "dev"]).args(packages)).ok();
        for host in ["web1", "web2"] {
            let from = format!("{SERVER}/dev/dev.repo");
            site.lab.host(host, &["curl", "-fsS", "-o", "/etc/yum.repos.d/dev.repo", &from]).ok();
        }
        site
    }

    #[track_caller]
    fn serve(&mut self) {
        let mut serve = self.lab.pkg();
        serve.current_dir(self.directory.path()).args(["serve", "--store", "store", "--listen", "10.77.0.1:8080"]);
        self.server = Some(Server::start(serve.args(["--token-file", "token"])));
    }

    /// Prepares `pkg` on the controller.
    fn pkg(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = self.lab.pkg();
        command.current_dir(self.directory.path()).args(arguments);
        command.env("PKG_ENVIRONMENTS", repository_file("specs/environments"));
        command.env("PKG_LAB_LEDGER", SERVER).env("PKG_LAB_CHANNEL", "dev");
        command.env("PKG_SERVER", SERVER).env("PKG_TOKEN", token);
        command
    }

    #[track_caller]
    fn run(&self, token: &str, arguments: &[&str]) -> Ran {
        run(&mut self.pkg(token, arguments))
    }

    #[track_caller]
    fn token(&self, arguments: &[&str]) -> String {
        self.run(MASTER, &[&["token", "create"], arguments].concat()).ok().to_owned()
    }

    /// What the server says that the hosts run.
    #[track_caller]
    fn everywhere(&self, token: &str, version: &str) {
        let shown: Value = serde_json::from_str(self.run(token, &["env", "show", "lab", "--json"]).ok()).unwrap();
        let hosts = shown["hosts"].as_array().unwrap();
        let package = format!("examples-{version}.noarch");
        assert_eq!(hosts.len(), 2, "{shown}");
        assert!(hosts.iter().all(|host| host["packages"] == serde_json::json!([package])), "{shown}");
        for host in ["web1", "web2"] {
            assert_eq!(self.lab.host(host, &["rpm", "-q", "examples"]).ok(), package);
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The server runs inside of the lab, which goes down last.
        self.server.take();
    }
}

/// Waits until the ledger says that a step has begun.
#[track_caller]
fn wait_for_step(store: &Path, step: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let text = format!("\"step\":\"{step}\"");
    let ledger = store.join("ledgers/environments/lab");
    loop {
        let commits = std::fs::read_dir(&ledger).into_iter().flatten().flatten();
        let mut texts = commits.filter_map(|commit| std::fs::read_to_string(commit.path()).ok());
        // The second deployment's.
        if texts.any(|commit| commit.contains(&text) && commit.contains("D-0002")) {
            return;
        }
        assert!(Instant::now() < deadline, "no step `{step}` began");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_server_keeps_the_ledger() {
    let mut site = Site::up();
    let ana = site.token(&["ana", "--scope", "deploy:lab"]);
    let job = site.token(&["job", "--scope", "deploy:lab", "--unattended"]);
    let other = site.token(&["other", "--scope", "deploy:prod"]);
    site.run(&ana, &["deploy", "lab", "examples-1.0.0-1", "--why", "first", "--yes"]).ok();
    site.everywhere(&ana, "1.0.0-1");
    let refused = site.run(&other, &["deploy", "lab", "examples-2.0.0-2", "--yes"]);
    refused.exits(1);
    refused.says(&["does not allow `watch:lab`"]);

    // The server is killed while a host is worked on, and comes back: the deployment waits for it, and goes on.
    let mut deploying = site.pkg(&ana, &["deploy", "lab", "examples-2.0.0-2", "--yes"]);
    let deploying = deploying.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_step(&site.directory.path().join("store"), "install");
    site.server.take();
    std::thread::sleep(Duration::from_secs(3));
    site.serve();
    let output = deploying.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    site.everywhere(&ana, "2.0.0-2");
    let history = site.run(&ana, &["history", "lab"]);
    assert!(history.ok().contains("D-0002") && history.stdout.contains("by ana"), "{}", history.stdout);
    let held = site.run(MASTER, &["env", "show", "lab", "--json"]);
    let held: Value = serde_json::from_str(held.ok()).unwrap();
    assert_eq!(held["needs"], serde_json::json!(["examples-1.0.0-1.noarch", "examples-2.0.0-2.noarch"]));

    // What the environment's file allows, the server does not.
    site.run(MASTER, &["env", "set", "lab", "--approval", "person"]).ok();
    for (token, said) in [(&job, "marked as unattended"), (&ana, "types its name")] {
        let refused = site.run(token, &["deploy", "lab", "examples-1.0.0-1", "--yes"]);
        refused.exits(6);
        refused.says(&[said]);
    }
    site.run(MASTER, &["env", "set", "lab", "--approval", "none", "--freeze", "Christmas"]).ok();
    let frozen = site.run(&job, &["deploy", "lab", "examples-1.0.0-1", "--yes"]);
    frozen.exits(6);
    frozen.says(&["frozen: Christmas"]);
    site.everywhere(&ana, "2.0.0-2");
    site.run(&job, &["rollback", "lab", "--yes"]).ok();
    site.everywhere(&ana, "1.0.0-1");
}
