//! What the server does not put up with: slowness, size, numbers, rates.

use std::time::{Duration, Instant};

use repo_server::{Limits, ServerSettings};
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Running, rpm};

const SHORT: Duration = Duration::from_millis(500);

async fn server(limits: Limits) -> Running {
    let settings = ServerSettings { limits, ..ServerSettings::new("127.0.0.1:0".parse().unwrap()) };
    Running::with(settings, |access| access).await
}

async fn connect(server: &Running) -> TcpStream {
    TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Reads until the server closes, and says how long that took.
async fn until_closed(stream: &mut TcpStream) -> (Duration, String) {
    let started = Instant::now();
    let mut answer = Vec::new();
    // A reset is a way to close, too.
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
    (started.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_let_go() {
    let limits = Limits { head: SHORT, idle: SHORT, stall: SHORT, ..Limits::default() };
    let server = server(limits).await;

    let mut silent = connect(&server).await;
    let (took, _) = until_closed(&mut silent).await;
    assert!(took < Duration::from_secs(3), "silent: {took:?}");

    // A header line now and then is no progress.
    let mut dripping = connect(&server).await;
    dripping.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let started = Instant::now();
    while dripping.write_all(b"X-A: b\r\n").await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(3), "dripping");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let mut idle = connect(&server).await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (took, answer) = until_closed(&mut idle).await;
    assert!(took < Duration::from_secs(3) && answer.starts_with("HTTP/1.1 200"), "idle: {took:?} {answer}");

    // A body that drips is as good as none.
    let sha256 = "0".repeat(64);
    let mut body = connect(&server).await;
    let head = format!("PUT /api/v1/blobs/{sha256} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
    body.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = body.split();
    let dripping = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = vec![0; 1000];
    let read = tokio::select! {
        read = reading.read(&mut answer) => read.unwrap(),
        () = dripping => 0,
        () = tokio::time::sleep(Duration::from_secs(3)) => panic!("the dripping body is still taken"),
    };
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("interrupted-upload"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_let_go() {
    let limits = Limits { stall: SHORT, ..Limits::default() };
    let server = server(limits).await;
    server.lab.publish("dev", vec![rpm("app", "1.0", &"x".repeat(16 << 20))]).await;
    let mut stream = connect(&server).await;
    let request = b"GET /dev/Packages/app-1.0-1.noarch.rpm HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (_, answer) = until_closed(&mut stream).await;
    assert!(answer.len() < 16 << 20, "the server waited for a client that did not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections() {
    let server = server(Limits { connections_per_address: 2, ..Limits::default() }).await;
    let (mut first, _second) = (connect(&server).await, connect(&server).await);
    // The first two are known to the server once one is answered.
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(first.read(&mut [0; 100]).await.unwrap() > 0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut third = connect(&server).await;
    let _ = third.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let (_, answer) = until_closed(&mut third).await;
    assert_eq!(answer, "");
    drop(first);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let response = reqwest::get(format!("{}/healthz", server.url)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_and_rates() {
    let limits =
        Limits { file_size: 1000, json_size: 1000, writes_per_second: 1, writes_at_once: 6, ..Limits::default() };
    let server = server(limits).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let blob = format!("{}/api/v1/blobs/{}", server.url, "0".repeat(64));
    let large = client.put(&blob).body(vec![0; 1001]).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    // Without a length, it is found out on the way.
    let pieces = futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 100])));
    let large = client.put(&blob).body(reqwest::Body::wrap_stream(pieces)).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let packages = format!("{}/api/v1/channels/dev/packages", server.url);
    let json = client.post(&packages).header("content-type", "application/json").body(" ".repeat(1001));
    assert_eq!(json.send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    let head = client.get(format!("{}/healthz", server.url)).header("x-large", "x".repeat(200_000));
    assert_eq!(head.send().await.unwrap().status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

    let mut statuses = Vec::new();
    for _ in 0..5 {
        let response = client.get(&blob).send().await.unwrap();
        statuses.push(response.status().as_u16());
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(response.headers()["retry-after"], "1");
            let problem: repo_api::Problem = response.json().await.unwrap();
            assert_eq!(problem.kind, repo_api::ProblemKind::TooManyRequests);
        }
    }
    assert!(statuses.contains(&404) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(client.get(format!("{}/healthz", server.url)).send().await.unwrap().status(), StatusCode::OK);
}
