//! What is known of what runs where: now and then, as it happens, and for those who keep packages.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ledger::Ledger;
use repo_api::{Client, SeenHost, SightingRequest};
use repo_server::CollectionRun;
use serde_json::Value;

use crate::environments::{admin, begun, finished, ledger, planned, prod, server, token, twin, who, write};
use crate::support::{Lab, channel, rpm};

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_where_is_known_and_kept() {
    let server = server().await;
    for version in ["1", "2", "3", "4"] {
        server.lab.publish("dev", vec![rpm("app", version, "a")]).await;
    }
    let ana = token(&server, "ana", "deploy:prod", false).await;
    let ledger = ledger(&server.url, &ana).await;
    let packages: Vec<String> = (0..=4).map(|version| format!("app-{version}-1.noarch")).collect();
    let mut between = Vec::new();
    for version in 1..=3 {
        let (id, from, to) = (format!("D-000{version}"), &packages[version - 1], &packages[version]);
        write(&ledger, &who("ana"), [begun(&id), planned(&id, from, to, ""), finished(&id, from, to)]).await.unwrap();
        between.push(Utc::now());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let client = Client::new(&server.url, Some(&ana)).unwrap();
    let now = client.environment(&prod(), None).await.unwrap();
    let running = |info: &repo_api::EnvironmentInfo| info.hosts[0].packages[0].to_string();
    assert_eq!((running(&now), now.hosts[0].deployment.as_str()), (packages[3].clone(), "D-0003"));
    let then = client.environment(&prod(), Some(between[0])).await.unwrap();
    assert_eq!(running(&then), packages[1]);
    let needs: Vec<String> = now.needs.iter().map(ToString::to_string).collect();
    assert_eq!(needs, [packages[2].clone(), packages[3].clone()], "what runs, and what it would go back to");
    // Nobody reported it: the ledger says so.
    let held = admin(&server.url).holds().await.unwrap().holds;
    assert_eq!(held[0].packages, now.needs);

    let history = client.deployments(&prod(), None).await.unwrap();
    let ids: Vec<&str> = history.deployments.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((ids, history.before), (vec!["D-0003", "D-0002", "D-0001"], None));
    assert_eq!(client.deployments(&prod(), Some("D-0002")).await.unwrap().deployments.len(), 1);
    assert_eq!(history.deployments[0].moves[0].to.to_string(), packages[3]);
    let story = client.deployment(&prod(), "D-0002").await.unwrap();
    assert_eq!((story.summary.who.as_str(), story.summary.ending.as_deref()), ("ana", Some("done")));
    assert!(client.deployment(&prod(), "D-0009").await.is_err());

    let drift = Some("has app-1, the journal says app-3".to_owned());
    let seen = SeenHost { host: "web1".to_owned(), packages: vec![packages[1].parse().unwrap()], drift };
    let request = SightingRequest { hosts: vec![seen], who: None };
    assert!(client.tell_sightings(&prod(), &request).await.unwrap().changed);
    assert!(!client.tell_sightings(&prod(), &request).await.unwrap().changed);
    let list = client.environments().await.unwrap();
    assert_eq!((list.environments.len(), list.environments[0].drifting), (1, 1));
    let stranger = Client::new(&server.url, Some(&token(&server, "eve", "deploy:qa", false).await)).unwrap();
    assert_eq!(stranger.environments().await.unwrap().environments, []);
}

/// Reads server-sent events until there are so many with an id; gives those ids.
async fn events(url: &str, token: &str, last: Option<u64>, count: usize) -> Vec<u64> {
    use futures::StreamExt;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(format!("{url}/api/v1/environments/prod/events")).bearer_auth(token);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut body, mut text) = (response.bytes_stream(), String::new());
    loop {
        let ids: Vec<u64> =
            text.split("\n\n").filter_map(|event| event.strip_prefix("id: ")?.lines().next()?.parse().ok()).collect();
        if ids.len() >= count {
            return ids;
        }
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_they_happen_and_go_on_where_they_broke_off() {
    let server = server().await;
    let ana = token(&server, "ana", "deploy:prod", false).await;
    let here = ledger(&server.url, &ana).await;
    write(&here, &who("ana"), [begun("D-0001")]).await.unwrap();
    let other = twin(&server).await;
    let limit = Duration::from_secs(10);
    let followers: Vec<_> = [(&server.url, None), (&server.url, Some(0)), (&other, None)]
        .map(|(url, last)| {
            let (url, ana) = (url.clone(), ana.clone());
            let count = if last.is_some() { 3 } else { 2 };
            tokio::spawn(async move { events(&url, &ana, last, count).await })
        })
        .into_iter()
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let end = finished("D-0001", "app-1-1.noarch", "app-2-1.noarch");
    write(&here, &who("ana"), [planned("D-0001", "app-1-1.noarch", "app-2-1.noarch", ""), end]).await.unwrap();
    let seen = tokio::time::timeout(limit, futures::future::try_join_all(followers)).await.unwrap().unwrap();
    assert_eq!(seen, [vec![2, 3], vec![1, 2, 3], vec![2, 3]]);
}

/// Of what was ever deployed, a collection keeps what hosts run and would go back to.
#[tokio::test(flavor = "multi_thread")]
async fn a_collection_reads_the_ledgers() {
    let lab = Lab::new().await;
    let packages: Vec<String> = (1..=4).map(|version| format!("app-{version}-1.noarch")).collect();
    for version in ["1", "2", "3", "4"] {
        lab.publish("dev", vec![rpm("app", version, "a")]).await;
    }
    let direct: Ledger<Value> = crate::support::store(&lab).await.ledger("environments/prod");
    for (id, from, to) in [("D-0001", 0, 1), ("D-0002", 1, 2)] {
        let (from, to) = (&packages[from], &packages[to]);
        write(&direct, &who("ana"), [begun(id), planned(id, from, to, ""), finished(id, from, to)]).await.unwrap();
    }
    for package in &packages {
        lab.repository.withdraw(&channel("dev"), &[package.parse().unwrap()], who("ana")).await.unwrap();
    }
    let report = lab.repository.collect(TimeDelta::zero(), CollectionRun::Delete, who("ana")).await.unwrap();
    let gone: Vec<String> = report.packages.iter().map(ToString::to_string).collect();
    assert_eq!(gone, [packages[0].clone(), packages[3].clone()]);
    // One that is under way needs all that it moves.
    lab.publish("dev", vec![rpm("app", "4", "a")]).await;
    write(&direct, &who("ana"), [begun("D-0003"), planned("D-0003", &packages[2], &packages[3], "")]).await.unwrap();
    lab.repository.withdraw(&channel("dev"), &[packages[3].parse().unwrap()], who("ana")).await.unwrap();
    let report = lab.repository.collect(TimeDelta::zero(), CollectionRun::Delete, who("ana")).await.unwrap();
    assert_eq!(report.packages, []);
}
