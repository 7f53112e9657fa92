//! Drift: in what hosts differ from how they were left, each brought about over the simulated fleet.

use deployer::{Ending, Interrupt, drift};

use super::{ENVIRONMENT, OLD, Site};

const EDITED: &str =
    "edited /etc/app/a.properties\nbeside /etc/app/a.properties.rpmnew\nchanged /usr/share/app/a.jar\n";

/// Kind and text of each drift, by host.
async fn seen(site: &Site) -> Vec<String> {
    let (state, sight) = site.open().await.look().await.unwrap();
    let hosts = drift(&state, &sight).into_iter();
    hosts
        .flat_map(|(host, drifts)| drifts.into_iter().map(move |one| format!("{host} {}: {one}", one.kind())))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn nothing_differs_after_a_deployment() {
    let site = Site::new();
    assert_eq!(seen(&site).await, [""; 0]);
    site.deploy("1.1-1").await.unwrap();
    assert_eq!(seen(&site).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_by_hand_is_told_from_what_was_deployed() {
    let site = Site::new();
    site.deploy("1.1-1").await.unwrap();
    site.fleet.changes_by_hand("web2", OLD);
    assert_eq!(
        seen(&site).await,
        ["web2 by-hand: changed by hand: has app-1.0-1.noarch, D-0001 left app-1.1-1.noarch"]
    );
    site.fleet.changes_by_hand("web2", "other-1-1.noarch");
    assert_eq!(seen(&site).await[0], "web2 removed: removed by hand: D-0001 left app-1.1-1.noarch");
    site.deploy("1.2-1").await.unwrap();
    assert_eq!(seen(&site).await, [""; 0]);
    site.fleet.says("web1", EDITED);
    assert_eq!(
        seen(&site).await,
        [
            "web1 edited: edited configuration: /etc/app/a.properties",
            "web1 changed: not as it was installed: /usr/share/app/a.jar",
            "web1 beside: left beside configuration: /etc/app/a.properties.rpmnew",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn services_answers_and_balancers_are_looked_at() {
    let site = Site::new();
    site.deploy("1.1-1").await.unwrap();
    site.fleet.breaks("web1", "1.1-1");
    site.fleet.out_of_balancer("web2");
    site.fleet.stops("web2");
    let seen = seen(&site).await;
    assert!(
        seen[0].starts_with("web1 unwell: it does not answer as it should: ") && seen[0].contains("503"),
        "{seen:?}"
    );
    assert_eq!(
        seen[1..],
        ["web2 service: the service is inactive", "web2 out-of-balancer: out of service: the balancer says DOWN"]
    );
}

/// What somebody else holds out of the balancers is no fault of a deployment, and told by its report.
#[tokio::test(start_paused = true)]
async fn a_report_names_who_gets_no_requests() {
    let site = Site::new();
    let out = |report: deployer::Report| report.hosts.into_iter().map(|host| host.out_of_balancer).collect::<Vec<_>>();
    assert_eq!(out(site.deploy("1.1-1").await.unwrap()), [[""; 0]; 2]);
    site.fleet.out_of_balancer("web2");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::NothingToDo);
    assert_eq!(out(report), [&[][..], &["DOWN"]]);
}

/// A host that was dead, or left out, while the others were deployed to comes back with what it had.
#[tokio::test(start_paused = true)]
async fn a_host_that_missed_a_deployment_is_behind() {
    let environment = format!("{ENVIRONMENT}[[hosts]]\nname = \"web3\"\n");
    let site = Site::of(&environment, &["web1", "web2", "web3"]);
    site.deploy("1.1-1").await.unwrap();
    let mut environment = site.environment();
    environment.leave_out(&["web3".parse().unwrap()]).unwrap();
    site.fleet.cut("web3");
    let deployer = site.open_as(environment).await;
    let request = deployer::Request::Deploy(vec!["app-1.2-1".parse().unwrap()]);
    site.run_with(&deployer, request).await.unwrap();
    site.fleet.mend();
    assert_eq!(
        seen(&site).await,
        ["web3 behind: has app-1.1-1.noarch: it missed D-0002, which brought app-1.2-1.noarch to others"]
    );
    site.deploy("1.2-1").await.unwrap();
    assert_eq!(seen(&site).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_a_deployment_has_begun_is_for_it_to_end() {
    let site = Site::new();
    let interrupt = site.interrupt.clone();
    site.fleet.before("web1 stop", move || {
        interrupt.send_replace(Interrupt::AfterStep);
    });
    site.deploy("1.1-1").await.unwrap();
    assert_eq!(
        seen(&site).await,
        ["web1 mid-walk: D-0001 left it in the middle: `pkg resume`, or a deployment, finishes it"]
    );
}

/// Somebody changed the package and did not restart the service: that is no host that is done.
#[tokio::test(start_paused = true)]
async fn a_host_that_answers_with_another_version_is_restarted() {
    let site = Site::new();
    site.deploy("1.1-1").await.unwrap();
    site.fleet.happened();
    site.fleet.serves_still("web2", "1.0-1");
    assert_eq!(seen(&site).await.len(), 1);
    site.deploy("1.1-1").await.unwrap();
    assert_eq!(site.fleet.happened(), ["drain", "maint", "stop", "start", "ready"].map(|step| format!("web2 {step}")));
    assert_eq!(seen(&site).await, [""; 0]);
}
