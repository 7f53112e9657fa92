//! Tokens: what each may do, where, how long; and who is said to have done it.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ledger::{Ledger, Position};
use repo_api::{Client, ClientError, ProblemKind, PublishRequest, ReasonRequest, StagedPackage, TokenRequest};
use repo_server::{Access, Reading, ServerSettings, TokenBook};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Running, author, channel, rpm, store};

const MASTER: &str = "the-token-of-the-server";

fn settings() -> ServerSettings {
    ServerSettings::new("127.0.0.1:0".parse().unwrap())
}

async fn server(reading: Reading) -> Running {
    Running::with(settings(), |access: Access| access.with_master(MASTER).unwrap().with_reading(reading)).await
}

fn request(name: &str, scopes: &[&str]) -> TokenRequest {
    let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    TokenRequest {
        name: name.parse().unwrap(),
        scopes,
        expires_at: None,
        unattended: false,
        who: Some("ana@pc".to_owned()),
        why: None,
    }
}

/// A client with a new token.
async fn client(server: &Running, name: &str, scopes: &[&str]) -> Client {
    let admin = Client::new(&server.url, Some(MASTER)).unwrap();
    let made = admin.create_token(&request(name, scopes)).await.unwrap();
    Client::new(&server.url, Some(&made.token)).unwrap()
}

fn kind<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ProblemKind {
    match result.unwrap_err() {
        ClientError::Problem(problem) => problem.kind,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_does_what_it_is_for() {
    let server = server(Reading::Open).await;
    let ci = client(&server, "ci", &["publish:dev"]).await;
    let release = client(&server, "release", &["promote:qa", "withdraw:qa"]).await;
    let upload = server.lab.upload(rpm("app", "1.0", "a")).await;
    let staged =
        StagedPackage { sha256: upload.sha256.to_string().parse().unwrap(), file_name: "a.rpm".to_owned(), time: None };
    let publish = PublishRequest { packages: vec![staged], who: Some("ana@pc".to_owned()), why: None };
    let promote = repo_api::PromoteRequest {
        packages: vec!["app-1.0".parse().unwrap()],
        from: channel("dev"),
        to: vec![channel("qa")],
        who: None,
        why: None,
    };
    let to_both = repo_api::PromoteRequest { to: vec![channel("qa"), channel("prod")], ..promote.clone() };

    assert_eq!(kind(release.publish(&channel("dev"), &publish).await), ProblemKind::Forbidden);
    assert_eq!(kind(ci.publish(&channel("prod"), &publish).await), ProblemKind::Forbidden);
    assert!(ci.publish(&channel("dev"), &publish).await.unwrap().changed);
    assert_eq!(kind(ci.promote(&promote).await), ProblemKind::Forbidden);
    assert_eq!(kind(release.promote(&to_both).await), ProblemKind::Forbidden);
    assert!(server.lab.listed("qa").is_empty() && server.lab.listed("prod").is_empty());
    assert!(release.promote(&promote).await.unwrap().changed);
    assert_eq!(kind(ci.create_token(&request("more", &["admin"])).await), ProblemKind::Forbidden);
    assert_eq!(kind(ci.tokens().await), ProblemKind::Forbidden);

    let listed = ci.packages(&channel("dev")).await.unwrap();
    assert_eq!(listed.packages[0].listed_by, "ci (ana@pc)", "the token's name stands first");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end() {
    let server = server(Reading::Open).await;
    let admin = Client::new(&server.url, Some(MASTER)).unwrap();
    let short = TokenRequest { expires_at: Some(Utc::now() + TimeDelta::seconds(2)), ..request("short", &["admin"]) };
    let short = Client::new(&server.url, Some(&admin.create_token(&short).await.unwrap().token)).unwrap();
    assert_eq!(short.tokens().await.unwrap().tokens.len(), 1);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(kind(short.tokens().await), ProblemKind::Unauthorized);

    // Made and revoked in the store by another process: servers know within two seconds.
    let book = TokenBook::open(&store(&server.lab).await).await.unwrap();
    let made = book.create(request("other", &["admin"]), author()).await.unwrap();
    let other = Client::new(&server.url, Some(&made.token)).unwrap();
    assert_eq!(other.tokens().await.unwrap().tokens.len(), 2);
    book.revoke(&made.info.name, author()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(kind(other.tokens().await), ProblemKind::Unauthorized);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_with_a_token() {
    let server = server(Reading::TokensFor([channel("prod")].into())).await;
    let reader = client(&server, "host", &["read:prod"]).await;
    drop(reader);
    let admin = Client::new(&server.url, Some(MASTER)).unwrap();
    let made = admin.create_token(&request("host2", &["read:prod"])).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| http.get(format!("{}{path}", server.url));
    let prod = "/prod/repodata/repomd.xml";
    for (path, anonymous) in [(prod, 401), ("/dev/repodata/repomd.xml", 200), ("/prod/prod.repo", 401), ("/", 200)] {
        // The second time, the reply is ready in memory.
        for _ in 0..2 {
            assert_eq!(get(path).send().await.unwrap().status(), anonymous, "{path}");
            assert_eq!(get(path).bearer_auth(&made.token).send().await.unwrap().status(), 200, "{path}");
            assert_eq!(get(path).basic_auth("yum", Some(&made.token)).send().await.unwrap().status(), 200, "{path}");
        }
    }
    let refused = get(prod).send().await.unwrap();
    let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().collect();
    assert!(challenges[0].to_str().unwrap().starts_with("Basic "), "{challenges:?}");
    assert!(!get("/").send().await.unwrap().text().await.unwrap().contains("/prod/"));
    let channels = Client::new(&server.url, None).unwrap().channels().await.unwrap().channels;
    assert_eq!(channels.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>(), ["dev", "qa"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_trusted_until_there_is_a_token() {
    let server = Running::new().await;
    let anonymous = Client::new(&server.url, None).unwrap();
    let made = anonymous.create_token(&request("ana", &["admin"])).await.unwrap();
    assert_eq!(made.info.created_by, "ana@pc");
    assert_eq!(kind(anonymous.tokens().await), ProblemKind::Unauthorized);
    let ana = Client::new(&server.url, Some(&made.token)).unwrap();
    let reason = ReasonRequest { who: Some("ana@pc".to_owned()), why: Some("lost".to_owned()) };
    ana.revoke_token(&made.info.name, &reason).await.unwrap();
    assert_eq!(kind(anonymous.tokens().await), ProblemKind::Unauthorized, "the last token's end opens nothing");
    let history: Ledger<Value> = store(&server.lab).await.ledger("access");
    let history = history.since(&Position::start()).await.unwrap();
    let revoked = &history.last().unwrap().author;
    assert_eq!((revoked.who.as_str(), revoked.why.as_deref()), ("ana (ana@pc)", Some("lost")));
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_believed_where_they_are_named() {
    let believing = ServerSettings { proxies: vec!["127.0.0.0/8".parse().unwrap()], ..settings() };
    for (settings, from, base) in [(settings(), None, "http://"), (believing, Some("192.0.2.7"), "https://rpm.example")]
    {
        let server = Running::with(settings, |access| access).await;
        // The same provider that the project's own client installs.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let proxied = |method, path: &str| {
            let request = http.request(method, format!("{}{path}", server.url));
            let request = request.header("x-forwarded-for", "10.9.9.9, 192.0.2.7");
            request.header("x-forwarded-proto", "https").header("x-forwarded-host", "rpm.example")
        };
        let list = proxied(Method::GET, "/dev/mirrorlist").send().await.unwrap().text().await.unwrap();
        assert!(list.starts_with(base), "{list}");
        let refused = proxied(Method::GET, "/api/v1/tokens").header("x-request-id", "abc-1").send().await.unwrap();
        assert_eq!(
            (refused.status(), &refused.headers()["x-request-id"]),
            (StatusCode::FORBIDDEN, &"abc-1".parse().unwrap())
        );
        let problem: repo_api::Problem = refused.json().await.unwrap();
        assert_eq!(problem.instance.as_deref(), Some("urn:pkg:request:abc-1"));
        assert_eq!(problem.detail.contains("192.0.2.7"), from.is_some(), "{}", problem.detail);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn history_says_nothing_of_what_is_private() {
    let server = server(Reading::TokensFor([channel("prod"), channel("gone")].into())).await;
    let admin = Client::new(&server.url, Some(MASTER)).unwrap();
    server.lab.publish("prod", vec![rpm("secret", "1", "a"), rpm("app", "1", "b")]).await;
    let settings = repo_api::ChannelSettings::default();
    let gone = repo_api::ChannelRequest { settings, before: None, who: None, why: None };
    admin.set_channel(&channel("gone"), &gone).await.unwrap();
    server.lab.publish("gone", vec![rpm("past", "1", "c")]).await;
    let promote = repo_api::PromoteRequest {
        packages: vec!["app-1-1".parse().unwrap()],
        from: channel("prod"),
        to: vec![channel("qa")],
        who: None,
        why: None,
    };
    admin.promote(&promote).await.unwrap();
    for (environment, packages) in
        [("shop", vec!["app-1-1.noarch", "secret-1-1.noarch", "past-1-1.noarch"]), ("vault", vec!["secret-1-1.noarch"])]
    {
        let packages = packages.into_iter().map(|nevra| nevra.parse().unwrap()).collect();
        let request = repo_api::HoldRequest { packages, who: None, why: None };
        admin.hold(&environment.parse().unwrap(), &request).await.unwrap();
    }
    let remove = repo_api::ReasonRequest::default();
    let withdraw = repo_api::WithdrawRequest { packages: vec!["past-1-1".parse().unwrap()], who: None, why: None };
    admin.withdraw(&channel("gone"), &withdraw).await.unwrap();
    admin.remove_channel(&channel("gone"), &remove).await.unwrap();

    let story = async |client: &Client| {
        let log = client.log(&repo_api::LogQuery::default()).await.unwrap().entries;
        let lines = log.into_iter().map(|entry| {
            let packages: Vec<String> = entry.packages.iter().map(ToString::to_string).collect();
            format!("{} [{}] {}", entry.action, packages.join(" "), entry.detail.unwrap_or_default())
        });
        lines.collect::<Vec<_>>()
    };
    let all = story(&admin).await;
    assert!(all.iter().any(|line| line == "promoted [app-1-1.noarch] from prod"), "{all:#?}");
    assert!(all.iter().any(|line| line.starts_with("held [") && line.contains("past") && line.contains("secret")));
    assert!(all.iter().any(|line| line == "channel-removed [] "), "{all:#?}");
    let open = story(&Client::new(&server.url, None).unwrap()).await;
    assert!(open.iter().any(|line| line == "promoted [app-1-1.noarch] "), "{open:#?}");
    assert!(open.iter().any(|line| line == "held [app-1-1.noarch] environment shop"), "{open:#?}");
    for hidden in ["secret", "past", "prod", "vault", "gone"] {
        assert!(!open.iter().any(|line| line.contains(hidden)), "{hidden}: {open:#?}");
    }
    let reader = story(&client(&server, "host", &["read:prod"]).await).await;
    assert!(reader.iter().any(|line| line.contains("secret")) && !reader.iter().any(|line| line.contains("past")));
}
