//! An environment whose ledger the repository server keeps: deployed to in the lab, with the server killed meanwhile, and
//! with the server's own rules.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab_site::{MASTER, SERVER, Site};
use crate::program::{Ran, run};

/// Prepares `pkg` on the controller, with a ledger that the server keeps.
fn prepare(site: &Site, token: &str, arguments: &[&str]) -> Command {
    let mut command = site.pkg_as(token, arguments);
    command.env("PKG_LAB_LEDGER", SERVER);
    command
}

#[track_caller]
fn pkg(site: &Site, token: &str, arguments: &[&str]) -> Ran {
    run(&mut prepare(site, token, arguments))
}

#[track_caller]
fn token(site: &Site, arguments: &[&str]) -> String {
    pkg(site, MASTER, &[&["token", "create"], arguments].concat()).ok().to_owned()
}

/// What the server says that the hosts run, and what they do.
#[track_caller]
fn everywhere(site: &Site, token: &str, version: &str) {
    let shown: Value = serde_json::from_str(pkg(site, token, &["env", "show", "lab", "--json"]).ok()).unwrap();
    let hosts = shown["hosts"].as_array().unwrap();
    let package = format!("examples-{version}.noarch");
    assert_eq!(hosts.len(), 2, "{shown}");
    assert!(hosts.iter().all(|host| host["packages"] == serde_json::json!([package])), "{shown}");
    site.everywhere(version);
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
    let mut site = Site::up("ledger");
    let ana = token(&site, &["ana", "--scope", "deploy:lab"]);
    let job = token(&site, &["job", "--scope", "deploy:lab", "--unattended"]);
    let other = token(&site, &["other", "--scope", "deploy:prod"]);
    pkg(&site, &ana, &["deploy", "lab", "examples-1.0.0-1", "--why", "first", "--yes"]).ok();
    everywhere(&site, &ana, "1.0.0-1");
    let refused = pkg(&site, &other, &["deploy", "lab", "examples-2.0.0-2", "--yes"]);
    refused.exits(1);
    refused.says(&["does not allow `watch:lab`"]);

    // The server is killed while a host is worked on, and comes back: the deployment waits for it, and goes on.
    let mut deploying = prepare(&site, &ana, &["deploy", "lab", "examples-2.0.0-2", "--yes"]);
    let deploying = deploying.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_step(&site.path("store"), "install");
    site.stop_serving();
    std::thread::sleep(Duration::from_secs(3));
    site.serve();
    let output = deploying.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    everywhere(&site, &ana, "2.0.0-2");
    let history = pkg(&site, &ana, &["history", "lab"]);
    assert!(history.ok().contains("D-0002") && history.stdout.contains("by ana"), "{}", history.stdout);
    let held = pkg(&site, MASTER, &["env", "show", "lab", "--json"]);
    let held: Value = serde_json::from_str(held.ok()).unwrap();
    assert_eq!(held["needs"], serde_json::json!(["examples-1.0.0-1.noarch", "examples-2.0.0-2.noarch"]));

    // What the environment's file allows, the server does not.
    pkg(&site, MASTER, &["env", "set", "lab", "--approval", "person"]).ok();
    for (token, said) in [(&job, "marked as unattended"), (&ana, "types its name")] {
        let refused = pkg(&site, token, &["deploy", "lab", "examples-1.0.0-1", "--yes"]);
        refused.exits(6);
        refused.says(&[said]);
    }
    pkg(&site, MASTER, &["env", "set", "lab", "--approval", "none", "--freeze", "Christmas"]).ok();
    let frozen = pkg(&site, &job, &["deploy", "lab", "examples-1.0.0-1", "--yes"]);
    frozen.exits(6);
    frozen.says(&["frozen: Christmas"]);
    everywhere(&site, &ana, "2.0.0-2");
    pkg(&site, &job, &["rollback", "lab", "--yes"]).ok();
    everywhere(&site, &ana, "1.0.0-1");
}
