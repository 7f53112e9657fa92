//! The journal as it is read once it has grown long: without the steps that matter no more.

use deployer::{Ending, Entry, Request};
use futures::TryStreamExt;
use ledger::{Extent, Position, Store};

use crate::{Site, strategies};

#[tokio::test(start_paused = true)]
async fn steps_that_ended_well_are_read_only_where_they_are_asked_for() {
    let site = Site::new();
    for version in ["1.1-1", "1.2-1"] {
        assert_eq!(site.deploy(version).await.unwrap().ending, Ending::Done);
    }
    let store = Store::open(site.directory.path().join("store").to_str().unwrap()).await.unwrap();
    let ledger = store.ledger::<Entry>("environments/test");
    let noted = ledger.abridgement().await.unwrap().unwrap();
    let whole = site.open().await.whole_journal().await.unwrap();
    assert_eq!(noted.until, whole.position);
    assert_eq!(noted.kept.len(), 2 * 3, "begun, planned, finished: {:?}", noted.kept);
    assert!(whole.deployments.iter().all(|record| record.steps.len() == 2 * 8));

    // What is read is the same but for the steps, and those come with the story.
    let deployer = site.open().await;
    let state = deployer.journal().await.unwrap();
    assert_eq!((state.position, state.unsettled(), state.out()), (whole.position, whole.unsettled(), whole.out()));
    assert_eq!(state.needed(), whole.needed());
    for (record, all) in state.deployments.iter().zip(&whole.deployments) {
        assert_eq!(record.steps.len(), 0);
        let story = deployer.story(record).await.unwrap();
        assert_eq!(serde_json::to_value(&story).unwrap(), serde_json::to_value(all).unwrap());
    }
    // It is enough to go back by.
    assert_eq!(site.run(Request::Rollback(None)).await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), ["web1 app-1.1-1.noarch UP", "web2 app-1.1-1.noarch UP"]);
    let noted = ledger.abridgement().await.unwrap().unwrap();
    assert_eq!(noted.kept.len(), 3 * 3, "{:?}", noted.kept);
}

/// A host that is left in the middle of its walk is known by its steps.
#[tokio::test(start_paused = true)]
async fn what_ends_badly_stays_whole() {
    let site = Site::new();
    site.deploy("1.1-1").await.unwrap();
    let store = Store::open(site.directory.path().join("store").to_str().unwrap()).await.unwrap();
    let ledger = store.ledger::<Entry>("environments/test");
    let before = ledger.abridgement().await.unwrap();
    site.fleet.breaks("web2", "1.2-1");
    site.fleet.breaks("web2", "1.1-1");
    assert_eq!(site.deploy("1.2-1").await.unwrap().ending, Ending::PartlyChanged);
    assert_eq!(ledger.abridgement().await.unwrap(), before);
    let state = site.open().await.journal().await.unwrap();
    let whole = site.open().await.whole_journal().await.unwrap();
    assert!(!state.unsettled().is_empty());
    assert_eq!(state.unsettled(), whole.unsettled());
    assert_eq!(state.deployments[1].steps.len(), whole.deployments[1].steps.len());
    // Once it is mended, nothing of it is needed any more.
    site.fleet.mend();
    assert_eq!(site.run(Request::Resume).await.unwrap().ending, Ending::RolledBack);
    let read: Vec<_> = ledger.follow(Position::start(), Extent::Abridged).try_collect().await.unwrap();
    assert_eq!(read.last().unwrap().position(), ledger.abridgement().await.unwrap().unwrap().until);
    assert!(read.iter().all(|commit| !matches!(commit.payload, Entry::StepBegun { .. })));
}

/// Many hosts begin and end steps at the same time, and a store takes its time for each entry.
#[tokio::test(start_paused = true)]
async fn steps_of_several_hosts_are_written_together() {
    let site = strategies::site("kind = \"all-at-once\"", "");
    site.fleet.must_serve(0);
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
    let store = Store::open(site.directory.path().join("store").to_str().unwrap()).await.unwrap();
    let ledger = store.ledger::<Entry>("environments/test");
    let commits = ledger.since(&Position::start()).await.unwrap();
    let together = commits.iter().filter(|commit| matches!(commit.payload, Entry::Steps { .. })).count();
    let alone = commits
        .iter()
        .filter(|commit| matches!(commit.payload, Entry::StepBegun { .. } | Entry::StepEnded { .. }))
        .count();
    // Without, each of eight steps on four hosts has two.
    assert!(together >= 8 && together + alone < 40, "{together} of several, {alone} of one");
    let whole = site.open().await.whole_journal().await.unwrap();
    let steps = &whole.deployments[0].steps;
    assert!(steps.iter().all(|step| step.result.is_some() && step.milliseconds.is_some()));
    assert_eq!(steps.len(), 4 * 8);
}
