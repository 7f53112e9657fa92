//! The server over HTTP: what yum clients and the API's users get, and what is refused.

use repo_api::{ChannelList, Client, ClientError, LocalPackage, ProblemKind, PublishRequest, StagedPackage};
use repo_server::ServerSettings;
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Running, channel, rpm};
use crate::xml_tree::Element;

const TOKEN: &str = "a-token-of-a-test";

fn settings() -> ServerSettings {
    ServerSettings::new("127.0.0.1:0".parse().unwrap())
}

async fn get(url: &str) -> reqwest::Response {
    client().get(url).send().await.unwrap()
}

fn client() -> reqwest::Client {
    // The same provider that the project's own client installs.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Sends bytes as they are and gives the status line: HTTP clients would tidy up the path.
async fn raw(server: &Running, request: &str) -> String {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_stays_where_it_was() {
    let server = Running::new().await;
    let base = format!("{}/dev", server.url);
    let mut named = Vec::new();
    for version in ["1", "2", "3"] {
        let commit = server.lab.publish("dev", vec![rpm("app", version, "a")]).await;
        let repomd = get(&format!("{base}/repodata/repomd.xml")).await;
        assert_eq!(
            (header(&repomd, "cache-control"), header(&repomd, "content-type")),
            ("no-cache", "application/xml")
        );
        let text = repomd.text().await.unwrap();
        assert_eq!(get(&format!("{base}/@{commit}/repodata/repomd.xml")).await.text().await.unwrap(), text);
        for data in Element::parse(&text).children.iter().filter(|child| child.name == "data") {
            named.push((commit, data.child("location").unwrap().attributes["href"].clone()));
        }
    }
    let mut times = std::collections::HashSet::new();
    for (commit, href) in &named {
        for url in [format!("{base}/{href}"), format!("{base}/@{commit}/{href}")] {
            let response = get(&url).await;
            assert_eq!(response.status(), StatusCode::OK, "{url}");
            assert!(header(&response, "cache-control").contains("immutable"));
            assert!(response.headers().get("content-encoding").is_none());
            let sha256 = header(&response, "etag").trim_matches('"').to_owned();
            assert!(href.contains(&sha256), "{href}");
            times.insert((href.rsplit('-').next().unwrap().to_owned(), header(&response, "last-modified").to_owned()));
            let bytes = response.bytes().await.unwrap();
            assert_eq!(ledger::Digest::of(&bytes).to_string(), sha256);
        }
    }
    assert_eq!(times.len(), 9, "files of one kind have different times: {times:?}");
    for (url, status) in [("/dev/@99/repodata/repomd.xml", 404), ("/dev/@1/repodata/repomd.xml", 200)] {
        assert_eq!(get(&format!("{}{url}", server.url)).await.status(), status, "{url}");
    }
    let mirrors = get(&format!("{base}/mirrorlist")).await.text().await.unwrap();
    assert_eq!(mirrors, format!("{base}/@4/\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_served_whole_in_part_and_not_at_all() {
    let server = Running::new().await;
    let bytes = rpm("app", "1.0", &"x".repeat(3 << 20));
    server.lab.publish("dev", vec![bytes.clone()]).await;
    let url = format!("{}/dev/Packages/app-1.0-1.noarch.rpm", server.url);
    let whole = get(&url).await;
    assert_eq!(header(&whole, "content-type"), "application/x-rpm");
    assert_eq!(header(&whole, "content-length"), bytes.len().to_string());
    let etag = header(&whole, "etag").to_owned();
    assert!(whole.bytes().await.unwrap() == bytes);

    let head = client().head(&url).send().await.unwrap();
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, bytes.len().to_string().as_str()));
    let known = client().get(&url).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((known.status(), header(&known, "etag")), (StatusCode::NOT_MODIFIED, etag.as_str()));
    let part = client().get(&url).header("range", "bytes=1000000-2500000").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), format!("bytes 1000000-2500000/{}", bytes.len()));
    assert!(part.bytes().await.unwrap() == bytes[1_000_000..=2_500_000]);
    let beyond = client().get(&url).header("range", "bytes=99999999-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    let withdrawn = ["app-1.0".parse().unwrap()];
    server.lab.repository.withdraw(&channel("dev"), &withdrawn, crate::support::author()).await.unwrap();
    assert_eq!(get(&url).await.status(), StatusCode::OK, "metadata that clients hold may still name it");
    assert_eq!(get(&url.replace("/dev/", "/dev/@1/")).await.status(), StatusCode::OK);
    assert_eq!(get(&url.replace("/dev/", "/prod/")).await.status(), StatusCode::NOT_FOUND);
}

/// Every operation of the document is a route that takes its method, and no route takes another.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_what_the_routes_take() {
    let server = Running::new().await;
    let document: serde_json::Value = get(&format!("{}/api/v1/openapi.json", server.url)).await.json().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 10, "{}", paths.len());
    for (path, operations) in paths {
        let sha256 = "0".repeat(64);
        let at = path.replace("{sha256}", &sha256).replace("{channel}", "dev").replace("{environment}", "prod");
        let url = format!("{}/api/v1{}", server.url, at.replace("{tag}", "june").replace("{name}", "ci"));
        let response = client().request(Method::TRACE, url).send().await.unwrap();
        let methods = ["get", "put", "post", "delete"].map(|method| operations.get(method).map(|_| method));
        let mut described: Vec<String> = methods.into_iter().flatten().map(str::to_uppercase).collect();
        let mut taken: Vec<&str> = header(&response, "allow").split(", ").filter(|method| *method != "HEAD").collect();
        described.sort();
        taken.sort_unstable();
        assert_eq!(taken, described, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_not_allowed() {
    let server = Running::new().await;
    for path in
        ["/nope", "/dev/media.1/media", "/dev/Packages/none-1-1.noarch.rpm", "/api/v2/channels", "/keys/repository.key"]
    {
        let response = get(&format!("{}{path}", server.url)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, "content-type"), "application/problem+json");
    }
    let host = "Host: localhost\r\nConnection: close\r\n\r\n";
    for path in ["/../etc/passwd", "/dev/Packages/../../keys/x.rpm", "/dev/Packages/%2e%2e%2fx.rpm", "/dev/%zz"] {
        let status = raw(&server, &format!("GET {path} HTTP/1.1\r\n{host}")).await;
        assert!(status.starts_with("HTTP/1.1 400"), "{path}: {status}");
    }
    for (method, path, allowed) in [
        (Method::POST, "/dev/repodata/repomd.xml", "GET, HEAD"),
        (Method::DELETE, "/api/v1/channels", "GET, HEAD"),
        (Method::GET, "/api/v1/promotions", "POST"),
    ] {
        let response = client().request(method, format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!((response.status(), header(&response, "allow")), (StatusCode::METHOD_NOT_ALLOWED, allowed));
    }
    let promotions = format!("{}/api/v1/promotions", server.url);
    let valid = r#"{"packages":["a-1"],"from":"dev","to":"qa"}"#;
    for (content_type, body) in [
        ("text/plain", valid),
        ("application/json", "{"),
        ("application/json", r#"{"packages":["a-1"],"from":"dev","to":"qa","wyh":"typo"}"#),
        ("application/json", r#"{"packages":["a-1"],"from":"dev","to":"../qa"}"#),
        ("application/json", r#"{"packages":[],"from":"dev","to":"qa"}"#),
    ] {
        let request = client().post(&promotions).header("content-type", content_type).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let problem: repo_api::Problem = response.json().await.unwrap();
        assert_eq!((problem.kind, problem.status), (ProblemKind::BadRequest, 400), "{body}");
    }
    let zeros = "0".repeat(64);
    for (path, body) in [
        ("packages", format!(r#"{{"packages":[["{zeros}","a-1-1.noarch.rpm"]]}}"#)),
        ("retention", r#"{"dry_run":true,"who":"a\u0007"}"#.to_owned()),
    ] {
        let url = format!("{}/api/v1/channels/dev/{path}", server.url);
        let response = client().post(url).header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
    }
    for who in ["%07".to_owned(), "a".repeat(501)] {
        let url = format!("{}/api/v1/channels/dev?who={who}", server.url);
        assert_eq!(client().delete(url).send().await.unwrap().status(), StatusCode::BAD_REQUEST, "{who}");
    }
    let foreign = client().post(&promotions).header("origin", "http://evil.example").json(&valid).send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let index = get(&server.url).await.text().await.unwrap();
    assert!(["dev", "qa", "prod"].iter().all(|name| index.contains(&format!("/{name}/{name}.repo"))), "{index}");
    assert_eq!(get(&format!("{}/healthz", server.url)).await.text().await.unwrap(), "ok\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_what_was_announced() {
    let server = Running::new().await;
    let announced = ledger::Digest::of(b"announced");
    let url = format!("{}/api/v1/blobs/{announced}", server.url);
    let response = client().put(&url).body("sent").send().await.unwrap();
    let problem: repo_api::Problem = response.json().await.unwrap();
    assert_eq!(problem.kind, ProblemKind::DigestMismatch);
    assert_eq!(get(&url).await.status(), StatusCode::NOT_FOUND);

    // A sender that goes away half-way leaves nothing.
    let host = "Host: localhost\r\nContent-Length: 9\r\n\r\nannou";
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("PUT /api/v1/blobs/{announced} HTTP/1.1\r\n{host}").as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(get(&url).await.status(), StatusCode::NOT_FOUND);

    for status in [StatusCode::CREATED, StatusCode::CREATED] {
        assert_eq!(client().put(&url).body("announced").send().await.unwrap().status(), status);
    }
    assert_eq!(client().head(&url).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_publishes_with_a_token() {
    let server = Running::with(settings(), |access| access.with_master(TOKEN).unwrap()).await;
    let path = server.lab.directory.path().join("my app.rpm");
    std::fs::write(&path, rpm("app", "1.0", "a")).unwrap();
    let package = LocalPackage::read(&path).unwrap();
    for token in [None, Some("another-token-of-a-test")] {
        let client = Client::new(&server.url, token).unwrap();
        let error = client.has_upload(&package.sha256).await.unwrap_err();
        assert!(
            matches!(&error, ClientError::Problem(problem) if problem.kind == ProblemKind::Unauthorized),
            "{error}"
        );
        assert_eq!(client.channels().await.unwrap().channels.len(), 3, "reading is free");
    }
    let client = Client::new(&server.url, Some(TOKEN)).unwrap();
    assert!(!client.has_upload(&package.sha256).await.unwrap());
    client.upload(&package).await.unwrap();
    assert!(client.has_upload(&package.sha256).await.unwrap());
    let staged = StagedPackage { sha256: package.sha256, file_name: package.file_name, time: None };
    let request = PublishRequest { packages: vec![staged], who: Some("ana".to_owned()), why: Some("test".to_owned()) };
    let dev = channel("dev");
    let published = client.publish(&dev, &request).await.unwrap();
    assert!(published.changed);
    assert_eq!(published.packages[0].url, "/dev/Packages/app-1.0-1.noarch.rpm");
    assert!(!client.publish(&dev, &request).await.unwrap().changed);
    let listed = client.packages(&dev).await.unwrap();
    assert_eq!((listed.commit, listed.packages[0].listed_by.as_str()), (published.commit, "ana"));
    let ChannelList { commit, channels } = client.channels().await.unwrap();
    assert_eq!((commit, channels[0].packages, channels[0].commit), (published.commit, 1, published.commit));
}
