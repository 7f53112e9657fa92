//! Collections beside publishers, and checks that mend.

use std::sync::Arc;

use chrono::TimeDelta;
use repo_server::{CollectionRun, KeyDirectory, Mending, RepositoryError, fsck};

use crate::support::{Lab, author, channel, rpm, store, upload};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_needed_stays() {
    let lab = Lab::new().await;
    for (name, version) in [("held", "1"), ("tagged", "1"), ("gone", "1"), ("there", "1")] {
        lab.publish("dev", vec![rpm(name, version, "body")]).await;
        if name == "tagged" {
            lab.repository.set_tag(&"v1".parse().unwrap(), None, author()).await.unwrap();
        }
    }
    let tagged = lab.repository.state().tags()[&"v1".parse().unwrap()].at;
    let held = ["held-1-1.noarch".parse().unwrap()];
    lab.repository.hold(&"prod".parse().unwrap(), &held, author()).await.unwrap();
    for name in ["held-1", "tagged-1", "gone-1"] {
        lab.repository.withdraw(&channel("dev"), &[name.parse().unwrap()], author()).await.unwrap();
    }
    let week = lab.repository.collect(TimeDelta::days(7), CollectionRun::Delete, author()).await.unwrap();
    assert_eq!(week.blobs, 0, "clients may hold all of it");
    let dry = lab.repository.collect(TimeDelta::zero(), CollectionRun::Dry, author()).await.unwrap();
    let report = lab.repository.collect(TimeDelta::zero(), CollectionRun::Delete, author()).await.unwrap();
    assert_eq!((dry.blobs, &dry.packages), (report.blobs, &report.packages));
    assert_eq!(report.packages.iter().map(ToString::to_string).collect::<Vec<_>>(), ["gone-1-1.noarch"]);
    assert!(report.blobs > 10 && report.views > 3, "{report:?}");

    let state = lab.repository.state();
    let dev = state.channel(&channel("dev")).unwrap();
    for (file, kept) in [("held", true), ("tagged", true), ("gone", false), ("there", true)] {
        let package = dev.file(&format!("{file}-1-1.noarch.rpm"));
        assert_eq!(package.is_some(), kept, "{file}");
        if let Some(package) = package {
            assert!(lab.repository.store().blob_size(&package.sha256).await.unwrap().is_some(), "{file}");
        }
    }
    assert!(dev.view_at(tagged).is_some(), "the tag is still shown");
    let store = store(&lab).await;
    let found = fsck(&store, None, Mending::Off).await.unwrap();
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    let again = lab.repository.collect(TimeDelta::zero(), CollectionRun::Delete, author()).await.unwrap();
    assert_eq!(again.blobs, 0);
    lab.publish("dev", vec![rpm("gone", "1", "body")]).await;
    assert!(lab.repository.state().channel(&channel("dev")).unwrap().file("gone-1-1.noarch.rpm").is_some());
    assert_eq!(*lab.reopened().await.state(), *lab.repository.state());
    let found = fsck(&store, None, Mending::Off).await.unwrap();
    assert!(found.findings.is_empty(), "{:?}", found.findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lay_unlisted_for_long_is_sent_again() {
    let lab = Lab::new().await;
    let age = |sha256: &ledger::Digest| {
        let name = sha256.to_string();
        let path = lab.directory.path().join("store/blobs").join(&name[..2]).join(&name);
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(6 * 24 * 3600);
        std::fs::File::options().append(true).open(path).unwrap().set_modified(long_ago).unwrap();
    };
    let package = lab.upload(rpm("app", "1", "body")).await;
    assert!(lab.repository.uploaded(&package.sha256).await.unwrap().is_some());
    age(&package.sha256);
    assert_eq!(lab.repository.uploaded(&package.sha256).await.unwrap(), None);
    lab.upload(rpm("app", "1", "body")).await;
    lab.repository.publish(&channel("dev"), std::slice::from_ref(&package), author()).await.unwrap();
    age(&package.sha256);
    assert!(lab.repository.uploaded(&package.sha256).await.unwrap().is_some(), "what is listed is never deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_and_a_collector_meet() {
    let lab = Lab::new().await;
    let collector = Arc::new(lab.reopened().await);
    let collecting = tokio::spawn({
        let collector = Arc::clone(&collector);
        async move {
            loop {
                collector.collect(TimeDelta::zero(), CollectionRun::Delete, author()).await.unwrap();
                // A collection without grace runs into every publish: leave some room between two.
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
    });
    let dev = channel("dev");
    let (mut published, mut refused) = (0, 0);
    while published < 6 {
        assert!(!collecting.is_finished() && refused < 200, "{refused} refused");
        // The same file is uploaded, published, withdrawn and collected again and again.
        let package = upload(&lab.repository, rpm("app", "1", "body")).await;
        match lab.repository.publish(&dev, std::slice::from_ref(&package), author()).await {
            Ok(_) => published += 1,
            Err(RepositoryError::Collected | RepositoryError::MissingUpload { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(lab.repository.store().blob_size(&package.sha256).await.unwrap().is_some());
        lab.repository.withdraw(&dev, &["app-1".parse().unwrap()], author()).await.unwrap();
    }
    // Cut off in the middle, perhaps: the next publish waits for what it had begun, or the next collection ends it.
    collecting.abort();
    let _ = collecting.await;
    collector.collect(TimeDelta::zero(), CollectionRun::Delete, author()).await.unwrap();
    lab.publish("dev", vec![rpm("app", "1", "body")]).await;
    let found = fsck(&store(&lab).await, None, Mending::Off).await.unwrap();
    assert!(found.findings.is_empty(), "{:?}", found.findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_is_found_and_mended() {
    let lab = Lab::new().await;
    lab.publish("dev", vec![rpm("app", "1", "a"), rpm("tool", "1", "b")]).await;
    lab.publish("dev", vec![rpm("other", "1", "c")]).await;
    let store = store(&lab).await;
    let keys = KeyDirectory::new(lab.repository.keys().directory().path(), None);
    let sound = fsck(&store, Some(&keys), Mending::Off).await.unwrap();
    assert_eq!((sound.findings.as_slice(), sound.commits, sound.packages), (&[][..], 3, 3));
    let state = lab.repository.state();
    let dev = state.channel(&channel("dev")).unwrap();
    let (_, view) = dev.view().unwrap();
    let package = Arc::clone(dev.file("app-1-1.noarch.rpm").unwrap());
    let member = dev.pages()[0].members.filelists.digest;
    let primary = view.blobs.documents[0].digest;
    let mendable = [package.fragments, member, primary, view.blobs.repomd];
    let lost = [view.blobs.signature, package.sha256];
    for (digests, mended) in [(&mendable[..], true), (&lost[..], false)] {
        for digest in digests {
            store.delete_blob(digest).await.unwrap();
            let found = fsck(&store, Some(&keys), Mending::Off).await.unwrap();
            assert!(!found.is_sound(), "{digest} is missed");
            let named = |finding: &repo_server::Finding| finding.what.contains(&digest.to_string());
            let finding = found.findings.iter().find(|finding| named(finding)).unwrap();
            assert!(finding.concerns.iter().any(|by| by.contains("dev") || by.contains("app-1-1")), "{finding:?}");
            let after = fsck(&store, Some(&keys), Mending::On).await.unwrap();
            assert_eq!(after.findings.iter().any(|finding| named(finding) && finding.mended), mended, "{after:?}");
            if mended {
                assert_eq!(fsck(&store, Some(&keys), Mending::Off).await.unwrap().findings, []);
            }
        }
    }
    // A changed commit breaks the chain.
    let file = lab.directory.path().join("store/ledgers/repository/000000000002.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("ana", "eve", 1)).unwrap();
    let found = fsck(&store, None, Mending::On).await.unwrap();
    assert!(found.findings[0].what.contains("commit 3"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_from_a_checkpoint_comes_to_the_same() {
    let lab = Lab::new().await;
    lab.publish("dev", vec![rpm("app", "1", "a"), rpm("tool", "1", "b")]).await;
    lab.repository.set_tag(&"v1".parse().unwrap(), None, author()).await.unwrap();
    let held = ["app-1-1.noarch".parse().unwrap()];
    lab.repository.hold(&"prod".parse().unwrap(), &held, author()).await.unwrap();
    let store = store(&lab).await;
    let ledger = store.ledger::<repo_server::Change>("repository");
    for _ in 0..60 {
        lab.repository.withdraw(&channel("dev"), &["app-1".parse().unwrap()], author()).await.unwrap();
        lab.publish("dev", vec![rpm("app", "1", "a")]).await;
    }
    for _ in 0..100 {
        if ledger.checkpoint().await.unwrap().is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let checkpoint = ledger.checkpoint().await.unwrap().unwrap();
    assert!(checkpoint.position.number >= 100);
    assert_eq!(*lab.reopened().await.state(), *lab.repository.state());
    assert!(fsck(&store, None, Mending::Off).await.unwrap().findings.is_empty());
    // One that is broken costs time and nothing else.
    store.delete_blob(&checkpoint.state).await.unwrap();
    assert_eq!(*lab.reopened().await.state(), *lab.repository.state());
    assert!(!fsck(&store, None, Mending::On).await.unwrap().findings.is_empty());
    assert!(fsck(&store, None, Mending::Off).await.unwrap().findings.is_empty());
}
