//! What people and accidents do to hosts behind a deployment's back: what `pkg status` says of it, what a plan says of it
//! beforehand, and what the next deployment makes of it. And packages that say how far back they can go.

use std::process::Stdio;

use serde_json::Value;

use crate::dialogue::Dialogue;
use crate::lab_site::{Site, build_with, wait_until};
use crate::program::{Ran, repository_file, run};

const PROPERTIES: &str = "/etc/examples/application.properties";

/// The lab's environment with its repository server named.
fn environment(site: &Site) -> String {
    let lab = std::fs::read_to_string(repository_file("specs/environments/lab.toml")).unwrap();
    let with = lab.replace("# server = \"https://rpm.example.org\"", "server = \"http://10.77.0.1:8080\"");
    assert_ne!(lab, with);
    std::fs::write(site.path("drift.toml"), with).unwrap();
    "./drift.toml".to_owned()
}

/// The kinds of what differs, of each host.
#[track_caller]
fn kinds(site: &Site, environment: &str) -> Vec<String> {
    let status = site.run(&["status", environment, "--json"]);
    let line = |line: &str| {
        let host: Value = serde_json::from_str(line).unwrap();
        let kinds = host["drift"].as_array().unwrap().iter().map(|drift| drift["kind"].as_str().unwrap().to_owned());
        format!("{} {}", host["host"].as_str().unwrap(), kinds.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
    };
    status.ok().lines().map(line).collect()
}

fn haproxy(command: &str) -> String {
    format!("echo '{command}' | socat - /run/haproxy/admin.sock")
}

/// Whoever installs by hand keeps no file of it, makes the hosts differ, and is put right by the next deployment; so is
/// whoever edits, stops or drains something, and a host that was dead meanwhile.
#[test]
fn what_was_done_by_hand_is_seen_and_put_right() {
    let site = Site::up("byhand");
    let lab = environment(&site);
    site.run(&["deploy", &lab, "examples-1.0.0-1"]).ok();
    site.run(&["deploy", &lab, "examples-2.0.0-2"]).ok();
    assert_eq!(kinds(&site, &lab), ["web1", "web2"]);

    let by_hand = "dnf -q -y --disablerepo=* --enablerepo=pkg-dev downgrade examples-1.0.0-1";
    site.on("web2", by_hand);
    site.on("web1", &format!("echo title=Ours >{PROPERTIES}; echo title=New >{PROPERTIES}.rpmnew"));
    let status = site.run(&["status", &lab]);
    status.exits(0);
    status.says(&[
        "web2 changed by hand: has examples-1.0.0-1.noarch, D-0002 left examples-2.0.0-2.noarch",
        &format!("web1 edited configuration: {PROPERTIES}"),
        &format!("web1 left beside configuration: {PROPERTIES}.rpmnew"),
        "2 hosts, 2 differ",
    ]);
    // Tomcat was not restarted: it still answers with what was there before.
    assert_eq!(kinds(&site, &lab), ["web1 edited beside", "web2 by-hand unwell"]);
    site.run(&["rollback", &lab]).ok();
    site.everywhere("1.0.0-1");
    assert_eq!(kinds(&site, &lab), ["web1 edited beside", "web2 unwell"]);
    let stale = site.run(&["deploy", &lab, "examples-1.0.0-1"]);
    stale.exits(0);
    stale.says(&["note: web2: it answers with another version than is installed", "web2 start ok"]);
    assert_eq!(kinds(&site, &lab), ["web1 edited beside", "web2"]);

    site.on("web1", &format!("rm {PROPERTIES}.rpmnew"));
    site.on("web2", "systemctl stop tomcat10");
    site.on("lb1", &haproxy("set server app/web1 state maint"));
    wait_until("HAProxy has noticed", || site.balanced() == ["web1 MAINT", "web2 DOWN"]);
    assert_eq!(kinds(&site, &lab), ["web1 edited out-of-balancer", "web2 service out-of-balancer"]);
    let plan = site.run(&["plan", &lab, "examples-2.0.0-2"]);
    for part in [
        &format!("note: web1: {PROPERTIES} was edited and stays: the package brings the same as before"),
        "note: web1: a balancer has it out of service (MAINT); it will be put back",
        "note: web2: its service is inactive, and will be started",
    ] {
        assert!(plan.ok().contains(part), "{part}\n{}", plan.stdout);
    }
    // To have the package is not to serve.
    let same = site.run(&["deploy", &lab, "examples-1.0.0-1"]);
    same.exits(0);
    // Who holds a host out goes on doing so, and the last lines say it.
    same.says(&["web2", "start ok", "note: `web1` gets no requests: its balancer says MAINT"]);
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
    assert_eq!(kinds(&site, &lab), ["web1 edited out-of-balancer", "web2"]);
    let history = site.run(&["history", &lab, "--show", "D-0005"]);
    let left =
        "web1 had examples-1.0.0-1.noarch, left with examples-1.0.0-1.noarch, out of service: the balancer says MAINT";
    assert!(history.ok().contains(left), "{}", history.stdout);
    site.on("lb1", &haproxy("set server app/web1 state ready"));
    wait_until("both serve", || site.balanced() == ["web1 UP", "web2 UP"]);

    removed_and_behind(&site, &lab);
}

/// A package that somebody removed, and a host that missed a deployment.
#[track_caller]
fn removed_and_behind(site: &Site, lab: &str) {
    site.on("web2", "rpm -e examples");
    let status = site.run(&["status", lab]);
    status.says(&["web2 removed by hand: D-0005 left examples-1.0.0-1.noarch"]);
    site.run(&["deploy", lab, "examples-1.0.0-1"]).ok();
    site.everywhere("1.0.0-1");
    let alone = std::fs::read_to_string(site.path("drift.toml")).unwrap();
    let alone = alone.replace("min_serving = 1", "min_serving = 0");
    std::fs::write(site.path("alone.toml"), alone).unwrap();
    site.run(&["deploy", "./alone.toml", "examples-2.0.0-2", "--without", "web2"]).ok();
    let status = site.run(&["status", lab]);
    status.says(&["web2 has examples-1.0.0-1.noarch: it missed", "which brought examples-2.0.0-2.noarch to others"]);
    assert_eq!(kinds(site, lab), ["web1 edited", "web2 behind"]);
}

/// Where a package says that there is no way back from it, the plan says so aloud, and asks.
#[test]
fn no_way_back_is_said_aloud_and_asked() {
    let site = Site::up("limit");
    let limit = build_with(site.directory.path(), ("4.0.0", "4.0.0"), "oldest_rollback = '2.0.0'", &[]);
    run(site.pkg(&["publish", "--to", "dev"]).arg(limit)).ok();
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    let unattended = |arguments: &[&str]| -> Ran { run(site.pkg(arguments).stdin(Stdio::null())) };
    const ALOUD: &str = "NO WAY BACK: examples-4.0.0-4.noarch says that it can go back to 2.0.0 at most";
    let plan = site.run(&["plan", "lab", "examples-4.0.0-4"]);
    assert!(plan.ok().contains(ALOUD), "{}", plan.stdout);
    let refused = unattended(&["deploy", "lab", "examples-4.0.0-4", "--yes"]);
    refused.exits(6);
    refused.says(&[ALOUD, "`--no-way-back` says that it is meant"]);
    site.everywhere("1.0.0-1");
    let mut asked = Dialogue::start(&site.pkg(&["deploy", "lab", "examples-4.0.0-4", "--yes"]));
    asked.sees(ALOUD).sees("type the environment's name").types("y");
    asked.ends().exits(6);

    // From within its reach it is as any other.
    site.run(&["deploy", "lab", "examples-2.0.0-2"]).ok();
    site.run(&["deploy", "lab", "examples-4.0.0-4"]).ok();
    site.run(&["rollback", "lab"]).ok();
    site.everywhere("2.0.0-2");
    site.run(&["deploy", "lab", "examples-4.0.0-4"]).ok();
    let beyond = unattended(&["rollback", "lab", "--to", "examples-1.0.0-1", "--yes"]);
    beyond.exits(6);
    beyond.says(&["AGAINST THE PACKAGE'S WORD: examples-4.0.0-4.noarch says that it can go back to 2.0.0 at most"]);
    site.everywhere("4.0.0-4");
    unattended(&["rollback", "lab", "--to", "examples-1.0.0-1", "--yes", "--no-way-back"]).ok();
    site.everywhere("1.0.0-1");
}
