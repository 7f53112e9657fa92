//! Tables of what is, what is wanted and what is planned.

use super::*;
use crate::environment::{Cluster, Portion, StrategyKind};
use crate::fixture::{environment, host_facts};

fn nevra(text: &str) -> Nevra {
    text.parse().unwrap()
}

fn host(text: &str) -> HostName {
    text.parse().unwrap()
}

/// Facts of web1 to web3, each given as what is installed; all are offered the same.
fn facts(installed: [&[&str]; 3], offered: &[&str]) -> Facts {
    let hosts = ["web1", "web2", "web3"].map(host).into_iter().zip(installed);
    Facts { hosts: hosts.map(|(name, installed)| (name, host_facts(installed, offered))).collect() }
}

fn batches(plan: &Plan) -> Vec<Vec<HostName>> {
    plan.batches().cloned().collect()
}

fn packages(queries: &[&str]) -> Target {
    Target::Packages(queries.iter().map(|query| query.parse().unwrap()).collect())
}

const OFFERED: &[&str] = &["app-1.0-1.noarch", "app-1.10-1.noarch", "app-1.9-1.noarch", "app-doc-3-1.noarch"];

#[test]
fn verbs_come_from_the_order_of_versions() {
    for (installed, query, verb, way_back) in [
        (&[][..], "app", Verb::Install, WayBack::NothingBefore),
        (&["app-1.9-1.noarch"], "app", Verb::Upgrade, WayBack::Offered),
        (&["app-1.10-1.noarch"], "app", Verb::Nothing, WayBack::Offered),
        (&["app-1.10-1.noarch"], "app-1.9", Verb::Downgrade, WayBack::Offered),
        (&["app-1.2-1.noarch"], "app-1.9-1", Verb::Upgrade, WayBack::NotOffered),
        (&["app-1:0.1-1.noarch"], "app-1.10-1.noarch", Verb::Downgrade, WayBack::NotOffered),
    ] {
        let facts = facts([installed, installed, installed], OFFERED);
        let plan = plan(&environment(3), &facts, &packages(&[query]), &Past::default()).unwrap();
        let change = &plan.hosts[0].changes[0];
        assert_eq!((change.verb, change.way_back), (verb, way_back), "{installed:?} {query}");
    }
}

#[test]
fn only_hosts_that_differ_are_worked_on_in_batches() {
    let facts = facts([&["app-1.9-1.noarch"], &["app-1.10-1.noarch"], &["app-1.0-1.noarch"]], OFFERED);
    let mut environment = environment(3);
    let one = plan(&environment, &facts, &packages(&["app"]), &Past::default()).unwrap();
    assert_eq!(batches(&one), [[host("web1")], [host("web3")]]);
    assert_eq!(one.hosts[1].work, Work::Nothing);
    environment.strategy.batch_size = crate::Portion::Count(2);
    let two = plan(&environment, &facts, &packages(&["app"]), &Past::default()).unwrap();
    assert_eq!(batches(&two), [[host("web1"), host("web3")]]);
}

#[test]
fn a_host_left_in_mid_walk_comes_first_and_is_restarted() {
    let facts = facts([&["app-1.9-1.noarch"], &["app-1.10-1.noarch"], &["app-1.10-1.noarch"]], OFFERED);
    let past = Past { unsettled: [host("web2")].into(), moved: BTreeMap::new(), out: BTreeSet::new() };
    let plan = plan(&environment(3), &facts, &packages(&["app"]), &past).unwrap();
    assert_eq!(batches(&plan), [[host("web2")], [host("web1")]]);
    assert_eq!(plan.hosts[1].work, Work::Restart);
    assert!(!plan.hosts[1].steps().contains(&Step::Install));
}

/// To have the packages is not to serve.
#[test]
fn a_host_whose_service_does_not_run_is_started() {
    let mut facts = facts([&["app-1.10-1.noarch"], &["app-1.10-1.noarch"], &["app-1.10-1.noarch"]], OFFERED);
    facts.hosts.get_mut(&host("web2")).unwrap().service = "failed".to_owned();
    let plan = plan(&environment(3), &facts, &packages(&["app"]), &Past::default()).unwrap();
    assert_eq!((batches(&plan), plan.hosts[1].work), (vec![vec![host("web2")]], Work::Restart));
}

#[test]
fn a_resumed_deployment_keeps_its_way_back() {
    let facts = facts([&["app-1.10-1.noarch"], &["app-1.9-1.noarch"], &["app-1.9-1.noarch"]], OFFERED);
    let before = Change {
        from: Some(nevra("app-1.9-1.noarch")),
        to: nevra("app-1.10-1.noarch"),
        verb: Verb::Upgrade,
        way_back: WayBack::Offered,
        beyond: None,
    };
    let past = Past { unsettled: BTreeSet::new(), moved: [(host("web1"), vec![before])].into(), out: BTreeSet::new() };
    let plan = plan(&environment(3), &facts, &packages(&["app-1.10"]), &past).unwrap();
    let change = &plan.hosts[0].changes[0];
    assert_eq!((plan.hosts[0].work, change.verb), (Work::Nothing, Verb::Nothing));
    assert_eq!(change.from, Some(nevra("app-1.9-1.noarch")));
    assert!(change.moves() && plan.hosts[0].has_way_back());
}

#[test]
fn two_versions_are_repaired_on_a_host_that_was_left_in_mid_walk() {
    let facts = facts([&["app-1.9-1.noarch", "app-1.10-1.noarch"], &["app-1.10-1.noarch"], &[]], OFFERED);
    let past = Past { unsettled: [host("web1")].into(), moved: BTreeMap::new(), out: BTreeSet::new() };
    let plan = plan(&environment(3), &facts, &packages(&["app-1.10"]), &past).unwrap();
    assert_eq!((plan.hosts[0].work, plan.hosts[0].changes[0].verb), (Work::Change, Verb::Repair));
    assert!(plan.hosts[0].steps().contains(&Step::Install));
}

#[test]
fn exact_packages_go_to_their_hosts_only() {
    let facts = facts([&["app-1.10-1.noarch"], &["app-1.10-1.noarch"], &[]], OFFERED);
    let target = Target::Hosts([(host("web2"), vec![nevra("app-1.9-1.noarch")])].into());
    let plan = plan(&environment(3), &facts, &target, &Past::default()).unwrap();
    assert_eq!(batches(&plan), [[host("web2")]]);
    assert_eq!(plan.hosts[1].changes[0].verb, Verb::Downgrade);
}

#[test]
fn what_can_not_be_is_refused() {
    let fine = ["app-1.9-1.noarch"];
    let twice = ["app-1.9-1.noarch", "app-1.10-1.noarch"];
    for (installed, offered, queries, expected) in [
        (
            &fine[..],
            OFFERED,
            &["app-2.0"][..],
            "`app-2.0` is not offered to `web1`; offered are `app-1.10-1.noarch`, `app-1.9",
        ),
        (&fine, OFFERED, &["nix"], "no package of that name"),
        (&fine, OFFERED, &["app-1.9", "app-1.10"], "`app-1.9-1.noarch` and `app-1.10-1.noarch` are the same package"),
        (&twice, OFFERED, &["app"], "`web1` has `app-1.9-1.noarch`, `app-1.10-1.noarch` installed at once"),
        (&fine, &["app-1.09-1.noarch"], &["app"], "are the same version to rpm"),
        (&fine, &["a-1-1.noarch", "a-1-7-2.noarch"], &["a-1"], "`a-1` fits"),
    ] {
        let facts = facts([installed, installed, installed], offered);
        let error = plan(&environment(3), &facts, &packages(queries), &Past::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{queries:?}: {error}");
    }
}

#[test]
fn hosts_that_see_different_versions_are_refused() {
    let mut facts = facts([&[], &[], &[]], OFFERED);
    facts.hosts.insert(host("web3"), host_facts(&[], &["app-1.9-1.noarch"]));
    let error = plan(&environment(3), &facts, &packages(&["app"]), &Past::default()).unwrap_err().to_string();
    assert!(error.contains("`app-1.10-1.noarch` for `web1` and `app-1.9-1.noarch` for `web3`"), "{error}");
    assert!(plan(&environment(3), &facts, &packages(&["app-1.9"]), &Past::default()).is_ok());
}

/// What the stages are, in few words.
fn words(plan: &Plan) -> Vec<String> {
    let stage = |stage: &Stage| {
        let batches: Vec<String> = stage
            .batches
            .iter()
            .map(|batch| batch.iter().map(HostName::as_str).collect::<Vec<_>>().join("+"))
            .collect();
        let hands_over = stage.hands_over_from.as_ref().map(|other| format!(" over from {other}")).unwrap_or_default();
        let soak =
            if stage.soak_milliseconds > 0 { format!(" soak {}", stage.soak_milliseconds) } else { String::new() };
        let outage = if stage.outage { " OUTAGE" } else { "" };
        format!("{}: {}{soak}{hands_over}{outage}", stage.title, batches.join(" "))
    };
    plan.stages.iter().map(stage).collect()
}

#[test]
fn strategies_order_the_hosts() {
    let soak = Duration::from_secs(2);
    let clusters = StrategyKind::Clusters { soak, min_serving: None };
    let canary = StrategyKind::Canary { first: Portion::Count(1), soak };
    let old: &[&str] = &["app-1.9-1.noarch"];
    let new: &[&str] = &["app-1.10-1.noarch"];
    for (kind, installed, out, expected) in [
        (StrategyKind::Rolling, [old; 4], None, &["rolling: web1 web2 web3 web4"][..]),
        (StrategyKind::AllAtOnce, [old; 4], None, &["all at once: web1+web2+web3+web4 OUTAGE"]),
        (canary, [old; 4], None, &["canary: web1 soak 2000", "the rest: web2 web3 web4"]),
        (canary, [new, old, old, old], None, &["the rest: web2 web3 web4"]),
        (clusters, [old; 4], None, &["cluster a: web1 web2 soak 2000 over from b", "cluster b: web3 web4 soak 2000"]),
        (clusters, [new, new, old, old], None, &["cluster b: web3 web4 soak 2000"]),
        (clusters, [new, new, old, old], Some("b"), &["cluster b: web3 web4 soak 2000"]),
        (
            clusters,
            [new, new, old, old],
            Some("a"),
            &["cluster a:  soak 2000 over from b", "cluster b: web3 web4 soak 2000"],
        ),
        (
            clusters,
            [old; 4],
            Some("b"),
            &["cluster b: web3 web4 soak 2000 over from a", "cluster a: web1 web2 soak 2000"],
        ),
    ] {
        let mut environment = environment(4);
        environment.strategy.kind = kind;
        let cluster = |name: &str, hosts: [&str; 2]| Cluster {
            name: name.parse().unwrap(),
            hosts: hosts.map(host).into(),
            proxies: Vec::new(),
        };
        environment.clusters = vec![cluster("a", ["web1", "web2"]), cluster("b", ["web3", "web4"])];
        let hosts = ["web1", "web2", "web3", "web4"].map(host).into_iter().zip(installed);
        let facts = Facts { hosts: hosts.map(|(name, installed)| (name, host_facts(installed, OFFERED))).collect() };
        let past = Past { out: out.into_iter().map(|name| name.parse().unwrap()).collect(), ..Past::default() };
        let plan = plan(&environment, &facts, &packages(&["app"]), &past).unwrap();
        assert_eq!(words(&plan), expected, "{kind:?} {out:?}");
    }
}

#[test]
fn hosts_that_are_left_out_are_in_the_plan_as_such() {
    let mut environment = environment(3);
    environment.leave_out(&[host("web2")]).unwrap();
    assert_eq!(environment.leave_out(&[host("web9")]), Err(host("web9")));
    let facts = facts([&["app-1.9-1.noarch"], &["app-1.9-1.noarch"], &["app-1.9-1.noarch"]], OFFERED);
    let plan = plan(&environment, &facts, &packages(&["app"]), &Past::default()).unwrap();
    assert_eq!((batches(&plan), plan.left_out), (vec![vec![host("web1")], vec![host("web3")]], vec![host("web2")]));
}

#[test]
fn a_host_on_which_it_can_not_go_well_is_refused_beforehand() {
    let target = packages(&["app"]);
    let refused = |spoil: &dyn Fn(&mut HostFacts)| {
        let mut facts = facts([&["app-1.9-1.noarch"], &["app-1.9-1.noarch"], &["app-1.10-1.noarch"]], OFFERED);
        facts.hosts.values_mut().for_each(spoil);
        plan(&environment(3), &facts, &target, &Past::default())
            .map_or_else(|error| error.to_string(), |_| String::new())
    };
    let size = crate::PackageSize { installed: 100 << 20, download: 40 << 20 };
    let big = |found: &mut HostFacts| {
        found.condition.sizes.insert(nevra("app-1.10-1.noarch"), size);
    };
    assert_eq!(refused(&big), "");
    let full = refused(&|found| {
        big(found);
        found.free_space = 190 << 20;
    });
    assert_eq!(
        full,
        "`web1` has 190 MB free under /var or /usr, and 196 MB are needed; make room there, or leave it out"
    );
    let broken = refused(&|found| found.condition.broken = Some("cannot open Packages".to_owned()));
    assert!(broken.contains("rpm's database on `web1` can't be read: cannot open Packages; "), "{broken}");
}

/// A package that changes what older ones can't read says how far back it can go; the newer of two versions counts.
#[test]
fn how_far_back_is_what_the_newer_package_says() {
    for (installed, query, way_back, beyond) in [
        ("app-1.0-1.noarch", "app-1.10-1", WayBack::Refused, Some("1.9")),
        ("app-1.9-1.noarch", "app-1.10-1", WayBack::Offered, None),
        // Back, against its word; from there, onward is no way back.
        ("app-1.10-1.noarch", "app-1.0-1", WayBack::Offered, Some("1.9")),
        ("app-1.10-1.noarch", "app-1.9-1", WayBack::Offered, None),
        ("app-1.0-1.noarch", "app-1.9-1", WayBack::Offered, None),
    ] {
        let mut facts = facts([&[installed], &[installed], &[installed]], OFFERED);
        for found in facts.hosts.values_mut() {
            found.oldest_rollbacks.insert(nevra("app-1.10-1.noarch"), "1.9".parse().unwrap());
        }
        let plan = plan(&environment(3), &facts, &packages(&[query]), &Past::default()).unwrap();
        let change = &plan.hosts[0].changes[0];
        let limit = change.beyond.as_ref().map(ToString::to_string);
        assert_eq!((change.way_back, limit.as_deref()), (way_back, beyond), "{installed} {query}");
        assert_eq!(plan.hosts[0].has_way_back(), way_back == WayBack::Offered);
        assert_eq!(plan.hosts[0].beyond().len(), usize::from(beyond.is_some()));
    }
}
