//! Publishing, promoting and withdrawing, against other writers and against being killed.

use ledger::Position;
use repo_api::AttachmentKind;
use repo_server::{Action, AttachmentRequest, Change, MetadataKind, RepositoryError};

use crate::support::{Lab, author, channel, listed, rpm, rpm_with_epoch, store, upload};

#[tokio::test(flavor = "multi_thread")]
async fn packages_walk_through_the_channels() {
    let lab = Lab::new().await;
    assert_eq!(lab.repository.state().position().number, 1);
    let commit = lab.publish("dev", vec![rpm("app", "1.0", "a"), rpm("app", "1.1", "b"), rpm("tool", "1", "c")]).await;
    assert_eq!(commit, 2, "several packages are one commit");
    assert_eq!(lab.listed("dev"), ["app-1.0-1.noarch", "app-1.1-1.noarch", "tool-1-1.noarch"]);
    assert!(lab.listed("prod").is_empty());

    let queries = ["app-1.0".parse().unwrap(), "tool-1-1.noarch".parse().unwrap()];
    let promoted = lab.repository.promote(&queries, &channel("dev"), &[channel("prod")], author()).await.unwrap();
    assert_eq!((promoted.changed, promoted.state.position().number), (true, 3));
    assert_eq!(lab.listed("prod"), ["app-1.0-1.noarch", "tool-1-1.noarch"]);
    let again = lab.repository.promote(&queries, &channel("dev"), &[channel("prod")], author()).await.unwrap();
    assert_eq!((again.changed, again.state.position().number), (false, 3));

    let query = ["app-1.0-1".parse().unwrap()];
    let withdrawn = lab.repository.withdraw(&channel("prod"), &query, author()).await.unwrap();
    assert_eq!((withdrawn.changed, withdrawn.state.position().number), (true, 4));
    assert_eq!(lab.listed("prod"), ["tool-1-1.noarch"]);
    assert_eq!(lab.listed("dev").len(), 3, "other channels keep it");
    let again = lab.repository.withdraw(&channel("prod"), &query, author()).await.unwrap();
    assert_eq!((again.changed, again.state.position().number), (false, 4));
    let prod = channel("prod");
    let state = lab.repository.state();
    assert!(state.channel(&prod).unwrap().file("app-1.0-1.noarch.rpm").is_some(), "its file keeps its URL");

    assert_eq!(lab.publish("prod", vec![rpm("app", "1.0", "a")]).await, 5, "it may come back");
    assert_eq!(*lab.reopened().await.state(), *lab.repository.state(), "all of it is in the ledger");
}

#[tokio::test(flavor = "multi_thread")]
async fn advisories_go_along_with_their_packages() {
    let lab = Lab::new().await;
    let (dev, prod) = (channel("dev"), channel("prod"));
    lab.publish("dev", vec![rpm("app", "1", "a"), rpm("app", "2", "b"), rpm("tool", "1", "c")]).await;
    let mut files = Vec::new();
    for (id, package) in [("A-1", "app-1-1.noarch"), ("A-2", "app-2-1.noarch"), ("T-1", "tool-1-1.noarch")] {
        let advisory =
            format!("id = '{id}'\ntitle = 't'\ntype = 'bugfix'\nissued = '2026-01-01'\npackages = ['{package}']\n");
        files.push((AttachmentKind::Updateinfo, lab.upload(advisory.into_bytes()).await));
    }
    let request = AttachmentRequest { files, ..AttachmentRequest::default() };
    lab.repository.attach(&dev, request, author()).await.unwrap();

    let shown = || {
        let state = lab.repository.state();
        let (_, view) = state.channel(&prod).unwrap().view().unwrap();
        let has_document = view.blobs.documents.iter().any(|record| record.kind == MetadataKind::Updateinfo);
        let advisories = state.channel(&prod).unwrap().attachments().advisories().keys().cloned().collect::<Vec<_>>();
        assert_eq!(has_document, !advisories.is_empty());
        advisories.join(" ")
    };
    assert_eq!(shown(), "");
    for (query, expected) in [("tool-1", "T-1"), ("app-2", "A-2 T-1"), ("app-2", "A-2 T-1")] {
        let before = lab.repository.state().position().number;
        let query = [query.parse().unwrap()];
        let outcome = lab.repository.promote(&query, &dev, std::slice::from_ref(&prod), author()).await.unwrap();
        assert_eq!(outcome.state.position().number, before + u64::from(outcome.changed), "in one commit");
        assert_eq!(shown(), expected);
    }
    assert_eq!(*lab.reopened().await.state(), *lab.repository.state());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_change_nothing_and_others_are_refused() {
    let lab = Lab::new().await;
    let first = lab.publish("dev", vec![rpm("app", "1.0", "a")]).await;
    assert_eq!(lab.publish("dev", vec![rpm("app", "1.0", "a")]).await, first);

    let other = lab.upload(rpm("app", "1.0", "other")).await;
    let innocent = lab.upload(rpm("tool", "1.0", "x")).await;
    for to in ["dev", "prod"] {
        let uploads = [innocent.clone(), other.clone()];
        let error = lab.repository.publish(&channel(to), &uploads, author()).await.unwrap_err();
        assert!(matches!(error, RepositoryError::OtherBytes { .. }), "{error}");
        assert!(error.to_string().contains(&other.sha256.to_string()), "{error}");
    }
    assert_eq!(lab.listed("dev"), ["app-1.0-1.noarch"], "all or nothing");

    let epoch = lab.upload(rpm_with_epoch("app", 1, "1.0", "a")).await;
    let published = lab.repository.publish(&channel("dev"), std::slice::from_ref(&epoch), author()).await.unwrap();
    assert_eq!(published.packages[0].file_name(), "app-1:1.0-1.noarch.rpm");
    let again = lab.repository.publish(&channel("dev"), &[epoch], author()).await.unwrap();
    assert!(!again.changed && again.packages == published.packages);
    let both = [lab.upload(rpm_with_epoch("pair", 2, "1", "a")).await, lab.upload(rpm("pair", "1", "b")).await];
    let published = lab.repository.publish(&channel("dev"), &both, author()).await.unwrap();
    let names: Vec<_> = published.packages.iter().map(|package| package.file_name()).collect();
    assert_eq!(names, ["pair-1-1.noarch.rpm", "pair-0:1-1.noarch.rpm"]);
    let (first, listed) = (first + 2, lab.listed("dev").len());

    let twins = [lab.upload(rpm("twin", "1", "a")).await, lab.upload(rpm("twin", "1", "b")).await];
    let error = lab.repository.publish(&channel("dev"), &twins, author()).await.unwrap_err();
    assert!(matches!(error, RepositoryError::OtherBytes { .. }), "{error}");
    let twice = [twins[0].clone(), twins[0].clone()];
    let published = lab.repository.publish(&channel("dev"), &twice, author()).await.unwrap();
    assert_eq!((published.packages.len(), lab.listed("dev").len()), (2, listed + 1));
    assert_eq!(lab.repository.state().position().number, first + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_package_is_refused() {
    let lab = Lab::new().await;
    let whole = rpm("app", "1.0", "a");
    for bytes in [b"hello".to_vec(), Vec::new(), whole[..200].to_vec()] {
        let upload = lab.upload(bytes).await;
        let error = lab.repository.publish(&channel("dev"), &[upload], author()).await.unwrap_err();
        assert!(matches!(error, RepositoryError::NotAnRpm { .. }), "{error}");
    }
    let missing =
        repo_server::Upload { sha256: ledger::Digest::of(b"never sent"), file_name: "a.rpm".to_owned(), time: None };
    let error = lab.repository.publish(&channel("dev"), &[missing], author()).await.unwrap_err();
    assert!(matches!(error, RepositoryError::MissingUpload { .. }), "{error}");
    let error = lab.repository.publish(&channel("dev"), &[], author()).await.unwrap_err();
    assert!(matches!(error, RepositoryError::NothingNamed), "{error}");
    let error = lab.repository.publish(&channel("pord"), &[lab.upload(whole).await], author()).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no channel `pord`; there are `dev`, `prod`, `qa`");
    assert_eq!(lab.repository.state().position().number, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_to_name_one_version() {
    let lab = Lab::new().await;
    lab.publish("dev", vec![rpm("app", "1.9", "a"), rpm("app", "1.10", "b")]).await;
    for (query, expected) in [
        (
            "app",
            "`app` does not name one version of one package; channel `dev` lists `app-1.10-1.noarch`, `app-1.9-1.noarch`",
        ),
        ("app-2.0", "channel `dev` lists no `app-2.0`; it lists `app-1.10-1.noarch`, `app-1.9-1.noarch`"),
        ("other-1", "channel `dev` lists no `other-1`"),
    ] {
        let query = [query.parse().unwrap()];
        let error = lab.repository.promote(&query, &channel("dev"), &[channel("qa")], author()).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        let error = lab.repository.withdraw(&channel("dev"), &query, author()).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_was_cut_short_leaves_nothing_visible() {
    let lab = Lab::new().await;
    let before = lab.repository.state();
    let store = store(&lab).await;
    // The file is there, and what a commit would name is there, but the server dies before the commit.
    let cut = lab.upload(rpm("app", "1.0", "a")).await;
    store.put_blob("fragments and documents".into()).await.unwrap();
    let reopened = lab.reopened().await;
    assert_eq!(*reopened.state(), *before);
    // Another one may publish other bytes for it, since nobody was told of the first.
    let other = upload(&reopened, rpm("app", "1.0", "b")).await;
    reopened.publish(&channel("dev"), &[other], author()).await.unwrap();
    let error = lab.repository.publish(&channel("dev"), &[cut], author()).await.unwrap_err();
    assert!(matches!(error, RepositoryError::OtherBytes { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_publishers_all_land() {
    let lab = Lab::new().await;
    // Two processes with one store, eight tasks in each.
    let others = std::sync::Arc::new(lab.reopened().await);
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let repository = std::sync::Arc::clone(if number % 2 == 0 { &lab.repository } else { &others });
            tokio::spawn(async move {
                let upload = upload(&repository, rpm(&format!("app{number}"), "1.0", "a")).await;
                repository.publish(&channel("dev"), &[upload], author()).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let reopened = lab.reopened().await;
    assert_eq!(listed(&reopened, "dev").len(), 16);

    let ledger = store(&lab).await.ledger::<Change>("repository");
    let commits = ledger.since(&Position::start()).await.unwrap();
    let times: Vec<u64> = commits
        .iter()
        .filter_map(|commit| commit.payload.shown.get(&channel("dev")))
        .map(|shown| shown.view.time)
        .collect();
    assert!(times.is_sorted_by(|earlier, later| earlier < later), "every view has its own time: {times:?}");
    let entries = commits.iter().flat_map(|commit| &commit.payload.entries);
    let published = entries.filter(|entry| matches!(entry.action, Action::Published { .. })).count();
    assert_eq!(published, 16, "each once");
    assert!(commits.len() < 17, "those that wait go together: {} commits", commits.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_refused() {
    let lab = Lab::new().await;
    let keys = lab.directory.path().join("other-keys");
    let key = repo_server::KeyRing::open_or_make(&keys).unwrap();
    let location = lab.directory.path().join("store");
    let error = repo_server::Repository::open(location.to_str().unwrap(), key, &[]).await.unwrap_err();
    assert!(matches!(error, RepositoryError::OtherKey { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_commits_is_seen() {
    let lab = Lab::new().await;
    let other = lab.reopened().await;
    let package = upload(&other, rpm("app", "1.0", "a")).await;
    other.publish(&channel("dev"), &[package], author()).await.unwrap();
    assert!(lab.listed("dev").is_empty());
    // Several tasks may look at the same time: each commit is taken in once.
    let looks = (0..8).map(|_| lab.repository.refresh());
    futures::future::try_join_all(looks).await.unwrap();
    assert_eq!(lab.listed("dev"), ["app-1.0-1.noarch"]);
    assert_eq!(lab.repository.state().position().number, other.state().position().number);
}
