//! HTTPS, and certificates that change while the server runs.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use repo_server::{ServerSettings, TlsFiles};
use tokio::io::AsyncReadExt;

use crate::support::{Running, run};

/// Makes a certificate that is its own authority.
fn certify(directory: &Path, days: &str) -> Vec<u8> {
    let path = |name: &str| directory.join(name).display().to_string();
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-noenc",
        "-subj",
        "/CN=pkg",
    ]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1", "-days", days, "-keyout", &path("new.key")]);
    run(openssl.args(["-out", &path("new.crt")]));
    std::fs::rename(path("new.key"), path("server.key")).unwrap();
    std::fs::rename(path("new.crt"), path("server.crt")).unwrap();
    std::fs::read(path("server.crt")).unwrap()
}

async fn reaches(url: &str, certificate: &[u8]) -> bool {
    let authority = reqwest::Certificate::from_pem(certificate).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    client.get(url).send().await.is_ok_and(|response| response.status() == 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_used_without_a_restart() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let first = certify(directory.path(), "1");
    let tls = TlsFiles { certificate: directory.path().join("server.crt"), key: directory.path().join("server.key") };
    let settings = ServerSettings { tls: Some(tls.clone()), ..ServerSettings::new("127.0.0.1:0".parse().unwrap()) };
    let server = Running::with(settings, |access| access).await;
    assert!(server.url.starts_with("https://"));
    let url = format!("{}/dev/mirrorlist", server.url);
    assert!(reaches(&url, &first).await);

    // A file that is no certificate changes nothing.
    std::fs::write(&tls.certificate, "not a certificate").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(reaches(&url, &first).await);

    let second = certify(directory.path(), "2");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !reaches(&url, &second).await {
        assert!(Instant::now() < deadline, "the new certificate is not used");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!reaches(&url, &first).await);

    // Plain HTTP to it is closed, not answered.
    let address = server.url.strip_prefix("https://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"));
}
