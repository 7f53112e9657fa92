//! Several servers on one bucket.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::Position;
use repo_server::{Action, Change, Mending, Repository, fsck};

use crate::seaweed::Seaweed;
use crate::support::{author, channel, keys, listed, rpm, upload};

const PUBLISHERS: usize = 200;

async fn publish(repository: Arc<Repository>, number: usize) -> u64 {
    let package = upload(&repository, rpm(&format!("app{number}"), "1", "body")).await;
    repository.publish(&channel("dev"), &[package], author()).await.unwrap().state.position().number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_take_two_hundred_publishers_and_one_dies() {
    let seaweed = Seaweed::start().await;
    let open = async || {
        let store = seaweed.store("team/repository").await;
        Arc::new(Repository::open_in(store, keys(), &["dev", "prod"].map(channel)).await.unwrap())
    };
    let (first, second) = (open().await, open().await);
    let mut tasks: Vec<_> = (0..PUBLISHERS)
        .map(|number| {
            let server = if number % 2 == 0 { &first } else { &second };
            (number, tokio::spawn(publish(Arc::clone(server), number)))
        })
        .collect();
    // One server dies while its publishers wait: they go to the other.
    while listed(&first, "dev").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let mut cut = Vec::new();
    for (number, task) in tasks.iter().filter(|(number, _)| number % 2 == 0) {
        if !task.is_finished() {
            task.abort();
            cut.push(*number);
        }
    }
    drop(first);
    assert!(!cut.is_empty(), "the server was to die in the middle");
    tasks.extend(cut.into_iter().map(|number| (number, tokio::spawn(publish(Arc::clone(&second), number)))));
    for (_, task) in tasks {
        if let Err(error) = task.await {
            assert!(error.is_cancelled(), "{error}");
        }
    }
    assert_eq!(listed(&second, "dev").len(), PUBLISHERS);
    let store = seaweed.store("team/repository").await;
    let commits = store.ledger::<Change>("repository").since(&Position::start()).await.unwrap();
    let mut landed: BTreeMap<String, usize> = BTreeMap::new();
    for entry in commits.iter().flat_map(|commit| &commit.payload.entries) {
        if let Action::Published { packages, .. } = &entry.action {
            packages.iter().for_each(|package| *landed.entry(package.nevra.to_string()).or_default() += 1);
        }
    }
    assert_eq!(landed.len(), PUBLISHERS);
    assert!(landed.values().all(|times| *times == 1), "once each: {landed:?}");
    let report = fsck(&store, None, Mending::Off).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);

    // What one server was told, the other knows at once where it looks, and any that starts.
    let third = open().await;
    let commit = publish(Arc::clone(&third), PUBLISHERS).await;
    second.refresh().await.unwrap();
    assert!(second.state().position().number >= commit);
    assert_eq!(*second.state(), *third.state());
}
