//! The strategies: who is out when, and what a failure leads to under each.

use deployer::{Ending, HostName, Request};

use crate::{ENVIRONMENT, Site};

const FOUR: [&str; 4] = ["web1", "web2", "web3", "web4"];

/// Four hosts, and a strategy.
pub(crate) fn site(strategy: &str, clusters: &str) -> Site {
    let environment = ENVIRONMENT
        .replace("kind = \"rolling\"\nmin_serving = 1", strategy)
        .replace("[[hosts]]\nname = \"web1\"\n[[hosts]]\nname = \"web2\"\n", "[[hosts]]\nname = \"web[1-4]\"\n");
    Site::of(&format!("{environment}{clusters}"), &FOUR)
}

pub(crate) const CLUSTERS: &str = "[[clusters]]\nname = \"a\"\nhosts = [\"web[1-2]\"]\n\
                        [[clusters]]\nname = \"b\"\nhosts = [\"web[3-4]\"]\n";

fn clusters() -> Site {
    let site = site("kind = \"clusters\"\nsoak = \"1s\"", CLUSTERS);
    site.fleet.must_serve(2);
    site
}

/// What happened, without the hosts' own steps.
fn balanced(site: &Site) -> Vec<String> {
    let told = ["ready", "drain", "maint"];
    let mut happened = site.fleet.happened();
    happened.retain(|what| told.iter().any(|word| what.ends_with(word)));
    happened.dedup();
    happened
}

fn all(version: &str) -> Vec<String> {
    FOUR.map(|host| format!("{host} app-{version}.noarch UP")).into()
}

fn position(happened: &[String], what: &str) -> usize {
    happened.iter().position(|happening| happening == what).unwrap_or_else(|| panic!("{what} in {happened:?}"))
}

#[tokio::test(start_paused = true)]
async fn one_cluster_takes_over_from_the_other_at_once() {
    let site = clusters();
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), all("1.1-1"));
    let happened = site.fleet.happened();
    let swap = ["web1 ready", "web2 ready", "web3 drain", "web4 drain"];
    assert!(happened.windows(4).any(|window| window == swap), "{happened:?}");
    // Nobody sees the new version before, and nobody the old one after.
    let switch = position(&happened, "web3 drain");
    assert!(position(&happened, "web2 start") < switch && switch < position(&happened, "web3 stop"));
    assert!(position(&happened, "web4 stop") < position(&happened, "web3 ready"));

    assert_eq!(site.run(Request::Rollback(None)).await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), all("1.0-1"));
}

#[tokio::test(start_paused = true)]
async fn a_broken_version_is_seen_by_nobody() {
    let site = clusters();
    site.fleet.breaks("web2", "1.1-1");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::RolledBack);
    assert_eq!(site.fleet.now(), all("1.0-1"));
    let told = balanced(&site);
    assert!(told.iter().all(|told| told.starts_with("web1") || told.starts_with("web2")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_the_second_cluster_takes_both_back() {
    let site = clusters();
    site.fleet.breaks("web3", "1.1-1");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::RolledBack, "{:?}", report.reason);
    assert_eq!(site.fleet.now(), all("1.0-1"));
    let happened = site.fleet.happened();
    let swap_back = ["web3 ready", "web4 ready", "web1 drain", "web2 drain"];
    assert!(happened.windows(4).any(|window| window == swap_back), "{happened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_goes_only_where_the_other_can_carry_the_load() {
    let site = clusters();
    site.fleet.breaks("web4", "1.0-1");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::NothingChanged);
    assert!(report.reason.unwrap().contains("only 1 other hosts serve (web3)"));
    assert!(site.fleet.happened().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_cluster_is_brought_back_by_resume() {
    let site = clusters();
    let interrupt = site.interrupt.clone();
    site.fleet.before("web2 start", move || {
        interrupt.send_replace(deployer::Interrupt::AfterStep);
    });
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::PartlyChanged);
    assert!(report.reason.unwrap().contains("cluster `a` is out"));
    site.interrupt.send_replace(deployer::Interrupt::None);
    assert_eq!(site.run(Request::Resume).await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), all("1.1-1"));
}

#[tokio::test(start_paused = true)]
async fn canaries_serve_alone_for_a_while() {
    let site = site("kind = \"canary\"\ncanary = 1\nsoak = \"60s\"\nmin_serving = 3", "");
    site.fleet.must_serve(3);
    let began = tokio::time::Instant::now();
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
    assert!(began.elapsed() >= std::time::Duration::from_secs(60));
    assert_eq!(site.fleet.now(), all("1.1-1"));

    // One that dies while it is watched is taken back before any other is touched.
    site.fleet.happened();
    let fleet = site.fleet.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        fleet.breaks("web1", "1.2-1");
    });
    let report = site.deploy("1.2-1").await.unwrap();
    assert_eq!(report.ending, Ending::RolledBack);
    assert!(report.reason.unwrap().contains("`web1`: watch failed: no longer healthy"));
    assert!(site.fleet.happened().iter().all(|happened| happened.starts_with("web1")));
    assert_eq!(site.fleet.now(), all("1.1-1"));
}

#[tokio::test(start_paused = true)]
async fn all_at_once_is_an_outage_and_can_be_taken_back() {
    let site = site("kind = \"all-at-once\"", "");
    site.fleet.must_serve(0);
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), all("1.1-1"));
    site.fleet.breaks("web4", "1.2-1");
    assert_eq!(site.deploy("1.2-1").await.unwrap().ending, Ending::RolledBack);
    assert_eq!(site.fleet.now(), all("1.1-1"));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_left_out_is_not_asked() {
    let site = site("kind = \"rolling\"\nbatch_size = \"50%\"\nmin_serving = 1", "");
    site.fleet.cut("web2");
    let web2: HostName = "web2".parse().unwrap();
    let mut environment = site.environment();
    environment.leave_out(std::slice::from_ref(&web2)).unwrap();
    let deployer = site.open_as(environment).await;
    let report = site.run_with(&deployer, Request::Deploy(vec!["app-1.1".parse().unwrap()])).await.unwrap();
    assert_eq!((report.ending, report.left_out), (Ending::Done, vec![web2]));
    let versions = ["1.1-1", "1.0-1", "1.1-1", "1.1-1"];
    let expected: Vec<String> =
        FOUR.iter().zip(versions).map(|(host, version)| format!("{host} app-{version}.noarch UP")).collect();
    assert_eq!(site.fleet.now(), expected);
}
