//! Requests as bytes: several at once, odd ones, and those after which the connection goes on.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Running, rpm};

/// Sends bytes and reads what comes until the server ends the connection.
async fn said(server: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answer: &str) -> Vec<&str> {
    answer.match_indices("HTTP/1.1 ").map(|(at, text)| &answer[at + text.len()..][..3]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_on_one_connection() {
    let server = Running::new().await;
    let body = "x".repeat(700_000);
    server.lab.publish("dev", vec![rpm("app", "1", &body)]).await;
    let package = "/dev/Packages/app-1-1.noarch.rpm";
    let get = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    let head = format!("HEAD {package} HTTP/1.1\r\nHost: x\r\n\r\n");
    let close = get("/dev/repodata/repomd.xml", "Connection: close\r\n");
    for (requests, expected) in [
        // All in one packet; the package twice, the second time out of what is hot.
        (
            [get(package, ""), get(package, "Range: bytes=0-9\r\n"), head.clone(), close.clone()],
            ["200", "206", "200", "200"],
        ),
        ([get("/nothing", ""), get("/healthz", ""), get("/dev/%", ""), close.clone()], ["404", "200", "400", "200"]),
        // hyper takes the connection over, with what has been read of it.
        (
            [
                get(package, ""),
                "DELETE /dev/Packages/app-1-1.noarch.rpm HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
                head,
                close,
            ],
            ["200", "405", "200", "200"],
        ),
    ] {
        let answer = said(&server, requests.concat().as_bytes()).await;
        assert_eq!(statuses(&answer), expected, "{requests:?}");
        assert!(answer.ends_with("</repomd>\n"), "{requests:?}");
    }
    let whole = said(&server, get(package, "Connection: close\r\n").as_bytes()).await;
    assert!(whole.contains("connection: close\r\n") && whole.contains("\r\ndate: "), "{:.500}", whole);
    assert!(whole.len() > 700_000 || whole.contains("content-length"), "{}", whole.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_requests_are_answered_as_ever() {
    let server = Running::new().await;
    server.lab.publish("dev", vec![rpm("app", "1", "a")]).await;
    for (request, expected) in [
        ("GET /dev/repodata/repomd.xml HTTP/1.0\r\n\r\n", "HTTP/1.0 200"),
        ("GET /dev/repodata/repomd.xml HTTP/1.1\nHost: x\nConnection: close\n\n", "HTTP/1.1 200"),
        (
            "GET /dev/repodata/repomd.xml HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab",
            "HTTP/1.1 200",
        ),
        ("GET /dev/ HTTP/1.1\r\nHo st: x\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let answer = said(&server, request.as_bytes()).await;
        assert!(answer.starts_with(expected), "{request:?}: {answer:.200}");
    }
    let mut large = "GET /dev/ HTTP/1.1\r\nHost: x\r\nX: ".to_owned();
    large.push_str(&"x".repeat(100_000));
    let answer = said(&server, large.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer:.200}");
}
