//! A back-up is a copy of the store, taken while packages are published: checkpoints and ledgers first, then what they name.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ledger::Digest;
use repo_server::{KeyRing, Repository};

use crate::support::{Lab, channel, rpm};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_while_publishing_is_a_repository() {
    let lab = Arc::new(Lab::new().await);
    lab.publish("dev", vec![rpm("app", "1", "a")]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let publishing = tokio::spawn({
        let (lab, stop) = (Arc::clone(&lab), Arc::clone(&stop));
        async move {
            let mut version = 1;
            while !stop.load(Ordering::Relaxed) {
                version += 1;
                lab.publish("dev", vec![rpm("app", &version.to_string(), "a")]).await;
            }
            version
        }
    });
    let copy = tempfile::tempdir().unwrap();
    let (from, to) = (lab.directory.path().join("store"), copy.path().join("store"));
    std::fs::create_dir(&to).unwrap();
    for round in 0..3 {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let (from, to) = (from.clone(), to.clone());
        let copied = tokio::task::spawn_blocking(move || {
            for folder in ["checkpoints", "ledgers", "blobs", "composites"] {
                // What is half-written is renamed or gone before it is copied, of which cp complains.
                if from.join(folder).exists() {
                    let _ = Command::new("cp").arg("-a").arg(from.join(folder)).arg(&to).output().unwrap();
                }
            }
        });
        copied.await.unwrap();
        assert!(!publishing.is_finished(), "round {round}");
    }
    stop.store(true, Ordering::Relaxed);
    let published = publishing.await.unwrap();

    let keys = KeyRing::open_or_make(&lab.directory.path().join("keys")).unwrap();
    let restored = Repository::open(to.to_str().unwrap(), keys, &[channel("dev")]).await.unwrap();
    let state = restored.state();
    let dev = state.channel(&channel("dev")).unwrap();
    assert!(dev.listed().len() > 1 && dev.listed().len() <= published, "{} of {published}", dev.listed().len());
    for listing in dev.listed().values() {
        let file = restored.store().blob(&listing.package.sha256).await.unwrap().unwrap();
        assert_eq!(Digest::of(&file), listing.package.sha256);
    }
    let (_, view) = dev.view().unwrap();
    let documents = view.blobs.documents.iter().map(|document| document.digest);
    for digest in documents.chain([view.blobs.repomd, view.blobs.signature]) {
        assert_eq!(Digest::of(&restored.document(&digest).await.unwrap()), digest);
    }
}
