//! Clusters in the lab: two and two Tomcats behind nginx proxies and a balancer of connections, users requesting all the
//! while. The environment is `specs/environments/clusters.toml` as it is.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::lab::{Lab, Users};
use crate::lab_deployment::build_examples;
use crate::program::{Ran, repository_file, run};
use crate::server::Server;

const PAGE: &str = "http://10.77.0.11/examples/version.txt";
const HOSTS: [&str; 4] = ["a1", "a2", "b1", "b2"];

struct Site {
    directory: tempfile::TempDir,
    server: Option<Server>,
    lab: Lab,
}

impl Site {
    /// Brings everything up, with nothing deployed; version 3.0.0 is broken.
    #[track_caller]
    fn up() -> Self {
        let roles =
            ["l4=l4:pa,pb", "pa=nginx:a1,a2", "pb=nginx:b1,b2", "a1=tomcat", "a2=tomcat", "b1=tomcat", "b2=tomcat"];
        let lab = Lab::up("clusters", "/examples/health.jsp", &roles);
        let directory = tempfile::tempdir().unwrap();
        let packages: Vec<PathBuf> =
            ["1.0.0", "2.0.0", "3.0.0"].iter().map(|version| build_examples(directory.path(), version)).collect();
        std::fs::write(directory.path().join("token"), "the-token-of-this-test\n").unwrap();
        let mut serve = lab.pkg();
        serve.current_dir(directory.path()).args(["serve", "--store", "store", "--listen", "10.77.0.1:8080"]);
        let server = Server::start(serve.args(["--token-file", "token"]));
        let site = Self { directory, server: Some(server), lab };
        run(site.pkg(&["publish", "--to", "dev"]).args(packages)).ok();
        for host in HOSTS {
            let from = "http://10.77.0.1:8080/dev/dev.repo";
            site.lab.host(host, &["curl", "-fsS", "-o", "/etc/yum.repos.d/dev.repo", from]).ok();
        }
        site
    }

    fn pkg(&self, arguments: &[&str]) -> Command {
        let mut command = self.lab.pkg();
        command.current_dir(self.directory.path()).args(arguments);
        command.env("PKG_ENVIRONMENTS", repository_file("specs/environments"));
        command.env("PKG_LAB_LEDGER", self.directory.path().join("ledger")).env("PKG_LAB_CHANNEL", "dev");
        command.env("PKG_SERVER", "http://10.77.0.1:8080").env("PKG_TOKEN", "the-token-of-this-test");
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.pkg(arguments))
    }

    /// All hosts run a version, and both clusters are in.
    #[track_caller]
    fn everywhere(&self, version: &str) {
        for host in HOSTS {
            let package = self.lab.host(host, &["rpm", "-q", "examples"]);
            assert_eq!(package.ok(), format!("examples-{version}.noarch"), "{host}");
        }
        let ask = "echo show stat | socat - /run/haproxy/admin.sock";
        let table = self.lab.host("l4", &["sh", "-c", ask]);
        let rows = table.ok().lines().map(|line| line.split(',').collect::<Vec<_>>());
        let rows = rows.filter(|row| row[0] == "app" && row[1].starts_with('p'));
        let seen: Vec<String> = rows.map(|row| format!("{} {}", row[1], row[17])).collect();
        assert_eq!(seen, ["pa UP", "pb UP"]);
    }

    /// Lets users see what happens meanwhile: no request fails.
    #[track_caller]
    fn watched(&self, happens: impl FnOnce()) -> Value {
        let users: Users = self.lab.users(PAGE);
        happens();
        let seen = users.leave();
        assert_eq!(seen["failed"], 0, "{seen}");
        assert!(seen["requests"].as_u64().unwrap() > 100, "{seen}");
        seen
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The server runs inside of the lab, which goes down last.
        self.server.take();
    }
}

/// Up, on to a newer version by a saved plan, to a broken one that nobody sees, and back: no request fails, and whoever
/// has seen the one version after the switch does not see the other again.
#[test]
fn one_cluster_carries_all_while_the_other_changes() {
    let site = Site::up();
    let check = site.run(&["env", "check", "clusters"]);
    for part in ["cluster a", "a1, a2", "b1, b2", "HAProxy on `l4`"] {
        assert!(check.ok().contains(part), "{part}\n{}", check.stdout);
    }
    site.run(&["deploy", "clusters", "examples-1.0.0-1"]).ok();
    site.everywhere("1.0.0-1");

    site.run(&["plan", "clusters", "examples-2.0.0-2", "--out", "two.plan"]).ok();
    let seen = site.watched(|| {
        site.run(&["deploy", "clusters", "--plan", "two.plan"]).ok();
    });
    site.everywhere("2.0.0-2");
    assert_eq!(seen["changes"], serde_json::json!({ "1.0.0>2.0.0": 4 }), "{seen}");
    let stale = site.run(&["deploy", "clusters", "--plan", "two.plan"]);
    stale.exits(1);
    stale.says(&["the plan no longer holds", "`a1`: was upgrade `examples-1.0.0-1.noarch`"]);

    let seen = site.watched(|| {
        let broken = site.run(&["deploy", "clusters", "examples-3.0.0-3"]);
        broken.exits(3);
        broken.says(&["a1", "rolled back"]);
    });
    site.everywhere("2.0.0-2");
    assert_eq!(seen["changes"], serde_json::json!({}), "{seen}");

    let seen = site.watched(|| {
        site.run(&["rollback", "clusters"]).ok();
    });
    site.everywhere("1.0.0-1");
    assert_eq!(seen["changes"], serde_json::json!({ "2.0.0>1.0.0": 4 }), "{seen}");

    // An unreachable host is a failed host, unless it is left out.
    site.lab.strike("cut", "b2");
    site.run(&["deploy", "clusters", "examples-2.0.0-2"]).exits(1);
    let without = site.run(&["deploy", "clusters", "examples-2.0.0-2", "--without", "b2"]);
    without.exits(0);
    without.says(&["b2", "left out"]);
}
