//! Clusters in the lab: two and two Tomcats behind nginx proxies and a balancer of connections, users requesting all the
//! while. The environment is `specs/environments/clusters.toml` as it is.

use serde_json::Value;

use crate::lab_site::{Site, build_examples, none_failed};

const PAGE: &str = "http://10.77.0.11/examples/version.txt";

/// Brings everything up, with nothing deployed; version 3.0.0 is broken.
#[track_caller]
fn site() -> Site {
    let site = Site::of(
        "clusters",
        &["l4=l4:pa,pb", "pa=nginx:a1,a2", "pb=nginx:b1,b2", "a1=tomcat", "a2=tomcat", "b1=tomcat", "b2=tomcat"],
    );
    site.offers(&["1.0.0", "2.0.0", "3.0.0"], build_examples);
    site
}

/// All hosts run a version, and both clusters are in.
#[track_caller]
fn runs(site: &Site, version: &str) {
    site.has_everywhere(version);
    assert_eq!(site.balanced_by("l4"), ["pa UP", "pb UP"]);
}

/// Lets users see what happens meanwhile: no request fails.
#[track_caller]
fn watched(site: &Site, versions: &[&str], happens: impl FnOnce()) -> Value {
    let users = site.lab.users(PAGE);
    happens();
    let seen = users.leave();
    none_failed(&seen, versions);
    seen
}

/// Up, on to a newer version by a saved plan, to a broken one that nobody sees, and back: no request fails, and whoever
/// has seen the one version after the switch does not see the other again.
#[test]
fn one_cluster_carries_all_while_the_other_changes() {
    let site = site();
    let check = site.run(&["env", "check", "clusters"]);
    for part in ["cluster a", "a1, a2", "b1, b2", "HAProxy on `l4`"] {
        assert!(check.ok().contains(part), "{part}\n{}", check.stdout);
    }
    site.run(&["deploy", "clusters", "examples-1.0.0-1"]).ok();
    runs(&site, "1.0.0-1");

    site.run(&["plan", "clusters", "examples-2.0.0-2", "--out", "two.plan"]).ok();
    let seen = watched(&site, &["1.0.0", "2.0.0"], || {
        site.run(&["deploy", "clusters", "--plan", "two.plan"]).ok();
    });
    runs(&site, "2.0.0-2");
    assert_eq!(seen["changes"], serde_json::json!({ "1.0.0>2.0.0": 4 }), "{seen}");
    let stale = site.run(&["deploy", "clusters", "--plan", "two.plan"]);
    stale.exits(1);
    stale.says(&["the plan no longer holds", "`a1`: was upgrade `examples-1.0.0-1.noarch`"]);

    let seen = watched(&site, &["2.0.0"], || {
        let broken = site.run(&["deploy", "clusters", "examples-3.0.0-3"]);
        broken.exits(3);
        broken.says(&["a1", "rolled back"]);
    });
    runs(&site, "2.0.0-2");
    assert_eq!(seen["changes"], serde_json::json!({}), "{seen}");

    let onward = site.run(&["rollback", "clusters", "--plan", "two.plan"]);
    onward.exits(2);
    onward.says(&["`two.plan` is the plan of a deployment, not of a rollback"]);
    site.run(&["plan", "clusters", "--rollback", "--out", "back.plan"]).ok();
    let seen = watched(&site, &["1.0.0", "2.0.0"], || {
        site.run(&["rollback", "clusters", "--plan", "back.plan"]).ok();
    });
    runs(&site, "1.0.0-1");
    assert_eq!(seen["changes"], serde_json::json!({ "2.0.0>1.0.0": 4 }), "{seen}");

    // An unreachable host is a failed host, unless it is left out.
    site.lab.strike("cut", "b2");
    site.run(&["deploy", "clusters", "examples-2.0.0-2"]).exits(1);
    let without = site.run(&["deploy", "clusters", "examples-2.0.0-2", "--without", "b2"]);
    without.exits(0);
    without.says(&["b2", "left out"]);
}
