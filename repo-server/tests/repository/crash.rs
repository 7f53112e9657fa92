//! A server that dies at any step of any change, and answers of the store that get lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use ledger::{Author, Position, Store};
use object_store::memory::InMemory;
use repo_server::{CollectionRun, KeyDirectory, Mending, Outcome, Repository, RepositoryError, fsck};

use crate::faulty::{Fault, Faulty};
use crate::support::{author, channel, keys, listed, rpm, upload};

type Listed = (BTreeSet<String>, BTreeSet<String>);

/// One change of the script: what it does, and what is listed in dev and prod after it.
struct Act {
    name: &'static str,
    dev: &'static [&'static str],
    prod: &'static [&'static str],
}

const SCRIPT: [Act; 6] = [
    Act { name: "publish", dev: &["a-1-1.noarch", "b-1-1.noarch"], prod: &[] },
    Act { name: "promote", dev: &["a-1-1.noarch", "b-1-1.noarch"], prod: &["a-1-1.noarch"] },
    Act { name: "withdraw", dev: &["a-1-1.noarch"], prod: &["a-1-1.noarch"] },
    Act { name: "tag", dev: &["a-1-1.noarch"], prod: &["a-1-1.noarch"] },
    Act { name: "collect", dev: &["a-1-1.noarch"], prod: &["a-1-1.noarch"] },
    Act { name: "publish more", dev: &["a-1-1.noarch", "c-1-1.noarch"], prod: &["a-1-1.noarch"] },
];

impl Act {
    fn listed(&self) -> Listed {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        (set(self.dev), set(self.prod))
    }

    async fn carry_out(&self, repository: &Repository) -> Result<(), RepositoryError> {
        let (dev, prod) = (channel("dev"), channel("prod"));
        let done = |outcome: Outcome| assert!(outcome.changed);
        match self.name {
            "publish" => {
                let uploads = [upload_of(repository, "a").await?, upload_of(repository, "b").await?];
                repository.publish(&dev, &uploads, author()).await.map(done)
            }
            "promote" => repository.promote(&["a-1".parse().unwrap()], &dev, &[prod], author()).await.map(done),
            "withdraw" => repository.withdraw(&dev, &["b-1".parse().unwrap()], author()).await.map(done),
            "tag" => {
                let at = repository.state().position().number;
                repository
                    .set_tag(&"release".parse().unwrap(), Some(at), author())
                    .await
                    .map(|(outcome, _)| done(outcome))
            }
            "collect" => {
                let report = repository.collect(TimeDelta::zero(), CollectionRun::Delete, author()).await?;
                assert_eq!(report.packages.iter().map(ToString::to_string).collect::<Vec<_>>(), ["b-1-1.noarch"]);
                Ok(())
            }
            _ => repository.publish(&dev, &[upload_of(repository, "c").await?], author()).await.map(done),
        }
    }
}

async fn upload_of(repository: &Repository, name: &str) -> Result<repo_server::Upload, RepositoryError> {
    let bytes = bytes::Bytes::from(rpm(name, "1", "body"));
    let sha256 = repository.store().put_blob(bytes).await?;
    Ok(repo_server::Upload { sha256, file_name: format!("{name}.rpm"), time: None })
}

async fn open(store: Store) -> Result<Repository, RepositoryError> {
    Repository::open_in(store, keys(), &["dev", "prod"].map(channel)).await
}

fn shown(repository: &Repository) -> Listed {
    (listed(repository, "dev").into_iter().collect(), listed(repository, "prod").into_iter().collect())
}

/// Runs the script until it is cut off; gives what was listed after the last act that was answered, and after the one
/// that was not.
async fn run(store: Arc<Faulty>) -> (Option<Listed>, Option<Listed>) {
    let empty = (BTreeSet::new(), BTreeSet::new());
    let repository = match Store::on(store).await {
        Ok(store) => match open(store).await {
            Ok(repository) => repository,
            Err(_) => return (None, Some(empty)),
        },
        Err(_) => return (None, None),
    };
    let mut before = empty;
    for act in SCRIPT {
        if act.carry_out(&repository).await.is_err() {
            return (Some(before), Some(act.listed()));
        }
        before = act.listed();
    }
    (Some(before), None)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_at_any_step_loses_nothing() {
    let whole = Faulty::new(&Arc::new(InMemory::new()), Fault::DiesBefore(usize::MAX));
    assert_eq!(run(Arc::clone(&whole)).await.1, None, "the script runs through");
    let steps = whole.steps();
    assert!(steps > 60, "{steps} steps");
    let key_directory = KeyDirectory::new(keys().directory().path(), None);
    for fault in (0..steps).flat_map(|step| [Fault::DiesBefore(step), Fault::DiesAfter(step)]) {
        let objects = Arc::new(InMemory::new());
        let (answered, unanswered) = run(Faulty::new(&objects, fault)).await;
        let store = Store::on(objects).await.unwrap();
        let report = fsck(&store, Some(&key_directory), Mending::Off).await.unwrap();
        assert!(report.findings.is_empty(), "{fault:?}: {:?}", report.findings);
        let repository = open(store.clone()).await.unwrap();
        if let Some(answered) = answered {
            let found = shown(&repository);
            assert!(found == answered || Some(&found) == unanswered.as_ref(), "{fault:?}: {found:?}");
        }
        // Life goes on, also where a collection was cut off.
        repository.collect(TimeDelta::zero(), CollectionRun::Delete, author()).await.unwrap();
        let next = upload(&repository, rpm("next", "1", "body")).await;
        repository.publish(&channel("dev"), &[next], author()).await.unwrap();
        let report = fsck(&store, Some(&key_directory), Mending::Off).await.unwrap();
        assert!(report.findings.is_empty(), "{fault:?}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn answers_that_get_lost_are_found_out() {
    let someone = || Author { who: "ana".to_owned(), from: "test".to_owned(), why: None };
    // Steps 0 and 1 are the probe's, and 2 removes it.
    for fault in [Fault::FailsBefore(3), Fault::FailsAfter(3), Fault::Conflicts(3)] {
        let objects = Arc::new(InMemory::new());
        let ledger = Store::on(Faulty::new(&objects, fault)).await.unwrap().ledger::<String>("repository");
        let commit = ledger.append(&Position::start(), someone(), "one".to_owned()).await.unwrap();
        assert_eq!(commit.number, 1, "{fault:?}");
        let commits = ledger.since(&Position::start()).await.unwrap();
        assert_eq!(commits.iter().map(|commit| commit.payload.as_str()).collect::<Vec<_>>(), ["one"], "{fault:?}");
    }
    // Of two writers whose answers get lost, one has made the commit.
    let objects = Arc::new(InMemory::new());
    let first = Store::on(Faulty::new(&objects, Fault::FailsAfter(3))).await.unwrap().ledger::<String>("repository");
    let second = Store::on(Faulty::new(&objects, Fault::FailsAfter(3))).await.unwrap().ledger::<String>("repository");
    let start = Position::start();
    let (first, second) =
        tokio::join!(first.append(&start, someone(), "one".into()), second.append(&start, someone(), "two".into()));
    assert!(first.is_ok() != second.is_ok());
}

#[tokio::test]
async fn a_store_that_ignores_conditions_is_refused() {
    // The second create of the probe is answered as if it were the first.
    let objects = Arc::new(InMemory::new());
    let error = Store::on(Faulty::new(&objects, Fault::Conflicts(0))).await.unwrap_err();
    assert!(error.to_string().contains("ignores create-if-absent"), "{error}");
}
