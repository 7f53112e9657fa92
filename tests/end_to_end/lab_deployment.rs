//! Deployments in the lab: real hosts behind a real HAProxy, users requesting all the while.

use std::process::Stdio;

use serde_json::Value;

use crate::lab_site::{Site, none_failed, wait_until};
use crate::program::{repository_file, run};

const PAGE: &str = "http://10.77.0.11/examples/version.txt";

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
    let mut beyond = out_beyond_that(&site, "D-0002");
    let broken = site.run(&["deploy", "lab", "examples-3.0.0-3"]);
    broken.exits(3);
    broken.says(&["web1", "404", "rolled back"]);
    site.everywhere("2.0.0-2");
    site.run(&["rollback", "lab", "--why", "wrong totals"]).ok();
    site.everywhere("1.0.0-1");
    users.until("the first version again", |seen| seen["versions"]["1.0.0"].as_u64() > Some(0));
    none_failed(&users.leave(), &["1.0.0", "2.0.0"]);

    beyond.extend(out_beyond_that(&site, "D-0004"));
    beyond.sort_by(f64::total_cmp);
    // Half of them: where the machine is busy with other things, the rest may be theirs. The journal says tenths.
    assert!(beyond[1] < 0.5 + 0.05, "{beyond:.2?}");

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

/// For how many seconds the hosts were out of the balancer beyond the steps in which the application stops, starts and
/// answers, and the transaction itself, whose beginning and end lie on the host.
#[track_caller]
fn out_beyond_that(site: &Site, deployment: &str) -> Vec<f64> {
    let shown = site.run(&["history", "lab", "--show", deployment, "--json"]);
    let shown: Value = serde_json::from_str(shown.ok()).unwrap();
    let beyond = |host: &str| {
        let step = |name: &str| {
            let mut steps = shown["steps"].as_array().unwrap().iter();
            steps.find(|step| step["host"] == host && step["step"] == name).unwrap()
        };
        let took = |name: &str| step(name)["milliseconds"].as_f64().unwrap() / 1000.0;
        let detail = step("put_back")["result"]["detail"].as_str().unwrap();
        let out: f64 = detail.split("was out for ").nth(1).unwrap().trim_end_matches(" s").parse().unwrap();
        let files = format!("cd /var/lib/pkg/transactions/lab/{deployment}/* && stat -c %.9Y pid exit");
        let times: Vec<f64> = site.on(host, &files).lines().map(|time| time.parse().unwrap()).collect();
        out - took("stop") - (times[1] - times[0]) - took("start") - took("check")
    };
    ["web1", "web2"].map(beyond).into()
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
    std::fs::write(site.path("careful.toml"), careful).unwrap();
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
    none_failed(&users.leave(), &["1.0.0", "2.0.0"]);
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    site.everywhere("1.0.0-1");
}
