//! Channels with settings, tags, holds and retention; signatures at the door; keys that change.

use std::path::Path;
use std::process::Command;

use repo_api::{
    ChannelRequest, ChannelSettings, Client, ClientError, HoldRequest, LogQuery, ProblemKind, PromoteRequest,
    ReasonRequest, RetainRequest, Retention, SignaturePolicy, TagRequest, VersionStep,
};
use repo_server::{KeyDirectory, PolicyError, RepositoryError, Standing};

use crate::support::{Lab, Running, author, channel, rpm, run};

fn client(server: &Running) -> Client {
    Client::new(&server.url, None).unwrap()
}

async fn text(url: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap().text().await.unwrap()
}

fn kind<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ProblemKind {
    match result.unwrap_err() {
        ClientError::Problem(problem) => problem.kind,
        error => panic!("{error}"),
    }
}

async fn set(client: &Client, name: &str, settings: ChannelSettings) -> Result<u64, ClientError> {
    let before = client.channel(&channel(name)).await.ok().map(|info| info.settings);
    let request = ChannelRequest { settings, before, who: None, why: Some("set up".to_owned()) };
    client.set_channel(&channel(name), &request).await.map(|changed| changed.commit)
}

fn names(nevras: &[nevra::Nevra]) -> Vec<String> {
    nevras.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_set_up_compared_and_removed() {
    let server = Running::new().await;
    let client = client(&server);
    let versions = ["1.0", "1.1"].map(|version| rpm("app", version, version));
    let first = server.lab.publish("dev", versions.to_vec()).await;
    client.set_tag(&"june".parse().unwrap(), &TagRequest::default()).await.unwrap();
    let promote = PromoteRequest {
        packages: vec!["app-1.0-1".parse().unwrap()],
        from: channel("dev"),
        to: vec![channel("qa"), channel("prod")],
        who: Some("ben".to_owned()),
        why: Some("tested".to_owned()),
    };
    let promoted = client.promote(&promote).await.unwrap();
    assert!(promoted.changed && promoted.to.len() == 2);
    assert!(!client.promote(&promote).await.unwrap().changed);
    assert_eq!((server.lab.listed("qa"), server.lab.listed("prod").len()), (vec!["app-1.0-1.noarch".to_owned()], 1));

    let difference = client.difference(&"qa".parse().unwrap(), &"dev@june".parse().unwrap()).await.unwrap();
    assert_eq!(difference.packages.len(), 1);
    assert_eq!((difference.packages[0].step, difference.packages[0].come.len()), (VersionStep::Up, 1));
    assert_eq!(client.packages_at(&channel("qa"), &"june".parse().unwrap()).await.unwrap().packages, []);
    let at = client.packages_at(&channel("dev"), &first.to_string().parse().unwrap()).await.unwrap();
    assert_eq!((at.packages.len(), at.packages[0].commit), (2, first));
    let tagged = text(&format!("{}/dev/@june/repodata/repomd.xml", server.url)).await;
    assert_eq!(tagged, text(&format!("{}/dev/@{first}/repodata/repomd.xml", server.url)).await);
    let elsewhere = TagRequest { at: Some(1), ..TagRequest::default() };
    assert_eq!(kind(client.set_tag(&"june".parse().unwrap(), &elsewhere).await), ProblemKind::Conflict);
    let unborn = TagRequest { at: Some(999), ..TagRequest::default() };
    assert_eq!(kind(client.set_tag(&"july".parse().unwrap(), &unborn).await), ProblemKind::NotFound);

    let only_promotions = ChannelSettings { promotions_from: Some(vec![channel("qa")]), ..ChannelSettings::default() };
    set(&client, "prod", only_promotions.clone()).await.unwrap();
    set(&client, "prod", only_promotions).await.unwrap();
    let promote = PromoteRequest { to: vec![channel("prod")], packages: vec!["app-1.1-1".parse().unwrap()], ..promote };
    assert_eq!(kind(client.promote(&promote).await), ProblemKind::RefusedPackage);
    let stale = ChannelRequest {
        settings: ChannelSettings { description: Some("x".to_owned()), ..ChannelSettings::default() },
        before: Some(ChannelSettings::default()),
        who: None,
        why: None,
    };
    assert_eq!(kind(client.set_channel(&channel("prod"), &stale).await), ProblemKind::Conflict);

    assert_eq!(kind(client.remove_channel(&channel("dev"), &ReasonRequest::default()).await), ProblemKind::Conflict);
    set(&client, "short", ChannelSettings::default()).await.unwrap();
    let reason = ReasonRequest { who: Some("ana".to_owned()), why: Some("gone & done".to_owned()) };
    client.remove_channel(&channel("short"), &reason).await.unwrap();
    assert_eq!(kind(client.channel(&channel("short")).await), ProblemKind::UnknownChannel);

    let log = client.log(&LogQuery::default()).await.unwrap().entries;
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    let expected = "channel-removed channel-set channel-set promoted tag-set published channels-created";
    assert_eq!(actions.join(" "), expected);
    assert_eq!((log[0].who.as_str(), log[0].from.as_str()), ("ana", "127.0.0.1"));
    assert_eq!((log[0].why.as_deref(), log[3].why.as_deref()), (Some("gone & done"), Some("tested")));
    let query = LogQuery { channel: Some(channel("qa")), limit: Some(1), ..LogQuery::default() };
    let page = client.log(&query).await.unwrap();
    assert_eq!((page.entries.len(), page.entries[0].action.as_str()), (1, "promoted"));
    let rest = client.log(&LogQuery { before: page.before, limit: None, ..query }).await.unwrap();
    assert_eq!(rest.entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["channels-created"]);

    let state = server.lab.repository.state();
    assert_eq!(*server.lab.reopened().await.state(), *state, "what is read again is what was");
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_never_takes_what_is_held() {
    let server = Running::new().await;
    let client = client(&server);
    let versions = ["1.0", "1.1", "1.2", "1.3"];
    server.lab.publish("dev", versions.map(|version| rpm("app", version, version)).to_vec()).await;
    let retention = Retention { keep_last: Some(1), keep_days: None };
    set(&client, "dev", ChannelSettings { retention, ..ChannelSettings::default() }).await.unwrap();
    let held = HoldRequest {
        packages: vec!["app-1.0-1.noarch".parse().unwrap(), "other-1-1.noarch".parse().unwrap()],
        ..HoldRequest::default()
    };
    assert!(client.hold(&"shop-prod".parse().unwrap(), &held).await.unwrap().changed);
    assert!(!client.hold(&"shop-prod".parse().unwrap(), &held).await.unwrap().changed);
    let query = ["app-1.1-1".parse().unwrap()];
    let repository = &server.lab.repository;
    repository.promote(&query, &channel("dev"), &[channel("prod")], author()).await.unwrap();
    repository.set_tag(&"june".parse().unwrap(), Some(1), author()).await.unwrap();

    let dry = RetainRequest { dry_run: true, ..RetainRequest::default() };
    let would = client.retain(&channel("dev"), &dry).await.unwrap();
    assert_eq!(names(&would.withdrawn), ["app-1.1-1.noarch", "app-1.2-1.noarch"]);
    assert_eq!(would.held.len(), 1);
    assert_eq!(would.held[0].by, ["environment shop-prod"]);
    assert_eq!(server.lab.listed("dev").len(), 4);
    assert!(client.retain(&channel("dev"), &RetainRequest::default()).await.unwrap().changed);
    assert_eq!(server.lab.listed("dev"), ["app-1.0-1.noarch", "app-1.3-1.noarch"]);
    assert_eq!(server.lab.listed("prod"), ["app-1.1-1.noarch"]);

    repository.remove_tag(&"june".parse().unwrap(), author()).await.unwrap();
    repository.set_tag(&"june".parse().unwrap(), None, author()).await.unwrap();
    repository.withdraw(&channel("prod"), &query, author()).await.unwrap();
    let removed = repository.remove_channel(&channel("prod"), author()).await;
    assert!(matches!(removed, Err(RepositoryError::Policy(PolicyError::ChannelTagged { .. }))), "{removed:?}");
    repository.remove_tag(&"june".parse().unwrap(), author()).await.unwrap();
    repository.remove_channel(&channel("prod"), author()).await.unwrap();

    let nothing = HoldRequest::default();
    client.hold(&"shop-prod".parse().unwrap(), &nothing).await.unwrap();
    assert_eq!(client.holds().await.unwrap().holds, []);
    repository.retain_all().await.unwrap();
    assert_eq!(server.lab.listed("dev"), ["app-1.3-1.noarch"]);
    let log = client.log(&LogQuery { limit: Some(1), ..LogQuery::default() }).await.unwrap();
    assert_eq!(log.entries[0].why.as_deref(), Some("retention keep_last 1"));
}

/// Runs rpmkeys with one file of keys.
fn rpmkeys(home: &Path, keys: &str, package: &[u8]) -> bool {
    let database = home.join("rpmdb");
    std::fs::create_dir_all(&database).unwrap();
    std::fs::write(home.join("keys.asc"), keys).unwrap();
    std::fs::write(home.join("package.rpm"), package).unwrap();
    let rpmkeys = || {
        let mut command = Command::new("rpmkeys");
        command.arg("--dbpath").arg(&database);
        command
    };
    run(rpmkeys().arg("--import").arg(home.join("keys.asc")));
    let checked = rpmkeys().arg("-Kv").arg(home.join("package.rpm")).output().unwrap();
    checked.status.success() && String::from_utf8_lossy(&checked.stdout).contains("Signature, key ID")
}

async fn package(server: &Running, path: &str) -> Vec<u8> {
    let response = reqwest::Client::builder().no_proxy().build().unwrap();
    response.get(format!("{}{path}", server.url)).send().await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_are_signed_at_the_door_or_refused() {
    let server = Running::new().await;
    let client = client(&server);
    let home = tempfile::tempdir().unwrap();
    let door = ChannelSettings { signatures: SignaturePolicy::Door, ..ChannelSettings::default() };
    set(&client, "door", door).await.unwrap();
    let original = rpm("app", "1.0", "a");
    let commit = server.lab.publish("door", vec![original.clone()]).await;
    assert_eq!(server.lab.publish("door", vec![original.clone()]).await, commit, "the same upload is the same package");
    server.lab.publish("dev", vec![original.clone()]).await;
    let served = package(&server, "/door/Packages/app-1.0-1.noarch.rpm").await;
    assert!(served != original && served == package(&server, "/dev/Packages/app-1.0-1.noarch.rpm").await);
    let keys = text(&format!("{}/keys/repository.asc", server.url)).await;
    assert!(rpmkeys(home.path(), &keys, &served));
    let list = client.packages(&channel("door")).await.unwrap();
    assert_eq!(list.packages[0].size, served.len() as u64);
    let repo_file = text(&format!("{}/door/door.repo", server.url)).await;
    assert!(repo_file.contains("gpgcheck=1\n") && repo_file.contains("metalink="), "{repo_file}");

    let repository = &server.lab.repository;
    let required = |keys: &str| ChannelSettings {
        signatures: SignaturePolicy::Required,
        signature_keys: Some(keys.to_owned()),
        ..ChannelSettings::default()
    };
    assert_eq!(kind(set(&client, "signed", required("none")).await), ProblemKind::BadRequest);
    set(&client, "signed", required(&keys)).await.unwrap();
    let query = ["app-1.0-1".parse().unwrap()];
    repository.promote(&query, &channel("door"), &[channel("signed")], author()).await.unwrap();
    assert_eq!(text(&format!("{}/signed/keys.asc", server.url)).await, keys);
    let mut altered = served.clone();
    *altered.last_mut().unwrap() ^= 1;
    for (name, bytes) in [("unsigned", rpm("app", "1.1", "b")), ("altered", altered)] {
        let upload = server.lab.upload(bytes).await;
        for to in ["signed", "door"] {
            let refused = repository.publish(&channel(to), std::slice::from_ref(&upload), author()).await;
            let expected = to == "signed" || name == "altered";
            assert_eq!(matches!(refused, Err(RepositoryError::Policy(_))), expected, "{name} {to}");
        }
    }
    server.lab.publish("dev", vec![rpm("plain", "1.0", "c")]).await;
    for to in ["signed", "door"] {
        let query = ["plain-1.0-1".parse().unwrap()];
        let refused = repository.promote(&query, &channel("dev"), &[channel("qa"), channel(to)], author()).await;
        assert!(matches!(refused, Err(RepositoryError::Policy(_))), "{to}");
    }
    assert_eq!(server.lab.listed("qa"), [""; 0], "all channels or none");
}

/// What is told is what was done, also where another server has changed the rules just now.
#[tokio::test(flavor = "multi_thread")]
async fn retention_tells_what_it_did() {
    let lab = Lab::new().await;
    lab.publish("dev", vec![rpm("app", "1", "a"), rpm("app", "2", "b")]).await;
    let dev = channel("dev");
    let before = lab.repository.state().channel(&dev).unwrap().settings().clone();
    let mut settings = before.clone();
    settings.retention.keep_last = Some(1);
    lab.reopened().await.set_channel(&dev, settings, Some(before), author()).await.unwrap();
    let (outcome, verdict) = lab.repository.retain(&dev, author()).await.unwrap();
    assert_eq!((outcome.changed, names(&verdict.go)), (true, vec!["app-1-1.noarch".to_owned()]));
}

/// A directory of keys that goes away under a server, and comes back, changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_made_in_the_place_of_one_that_is_away() {
    let lab = Lab::new().await;
    lab.publish("dev", vec![rpm("app", "1.0", "a")]).await;
    let (place, away) = (lab.directory.path().join("keys"), lab.directory.path().join("away"));
    let key = lab.repository.keys().keys().fingerprint().to_owned();
    std::fs::rename(&place, &away).unwrap();
    assert!(lab.repository.follow_keys().await.is_err(), "it is told");
    assert!(!place.exists() && !lab.repository.keys().is_present());
    let commit = lab.publish("dev", vec![rpm("app", "1.1", "b")]).await;
    std::fs::rename(&away, &place).unwrap();
    lab.repository.follow_keys().await.unwrap();
    assert!(lab.repository.keys().is_present());
    let state = lab.repository.state();
    assert_eq!(state.position().number, commit);
    assert_eq!(state.channel(&channel("dev")).unwrap().view().unwrap().1.blobs.key, key);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_signs_everything() {
    let lab = Lab::new().await;
    lab.publish("dev", vec![rpm("app", "1.0", "a")]).await;
    let keys = KeyDirectory::new(&lab.directory.path().join("keys"), None);
    let repository = &lab.repository;
    let before = repository.keys().keys().fingerprint().to_owned();
    let next = keys.announce(None).unwrap().fingerprint().to_owned();
    repository.follow_keys().await.unwrap();
    let announced = repository.keys().keys();
    assert_eq!(announced.announced().fingerprints(), [before.as_str(), next.as_str()]);
    assert_eq!((announced.fingerprint(), announced.standing(&next)), (before.as_str(), Standing::Next));
    let commit = repository.state().position().number;

    let other = lab.reopened().await;
    keys.rotate().unwrap();
    repository.follow_keys().await.unwrap();
    repository.follow_keys().await.unwrap();
    // Another server of the same store, which has not heard of the new commit.
    other.follow_keys().await.unwrap();
    repository.refresh().await.unwrap();
    let state = repository.state();
    assert_eq!(state.position().number, commit + 1, "once");
    for found in state.channels().values() {
        assert_eq!(found.view().unwrap().1.blobs.key, next);
    }
    assert_eq!(repository.keys().keys().standing(&before), Standing::Earlier);
    assert_eq!(*lab.reopened().await.state(), *state);

    let view = state.channel(&channel("dev")).unwrap().view().unwrap().1.clone();
    let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
    for (name, digest) in [("repomd.xml", view.blobs.repomd), ("repomd.xml.asc", view.blobs.signature)] {
        std::fs::write(home.path().join(name), repository.document(&digest).await.unwrap()).unwrap();
    }
    let gpg = || {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--no-autostart", "--homedir"]).arg(home.path());
        command
    };
    let key = repository.keys().keys().public_of(&next).unwrap();
    std::fs::write(home.path().join("key.asc"), key).unwrap();
    run(gpg().arg("--import").arg(home.path().join("key.asc")));
    run(gpg().arg("--verify").arg(home.path().join("repomd.xml.asc")).arg(home.path().join("repomd.xml")));

    keys.retire(&before).unwrap();
    repository.follow_keys().await.unwrap();
    assert_eq!(repository.keys().keys().announced().fingerprints(), [next.as_str()]);
    assert!(repository.keys().keys().public_of(&before).is_some(), "old snapshots can still be checked");
}
