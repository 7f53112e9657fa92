//! Handlers of what is about the server as a whole: its health, its keys.

use std::str::FromStr;

use http::Response;
use repo_api::{Problem, ProblemKind};

use super::body::ReplyBody;
use super::call::{Call, Named};
use super::metrics::Gauges;
use super::refusal::Refusal;
use super::reply::Reply;
use super::yum;

const TEXT: &str = "text/plain; charset=utf-8";

type Answer = Result<Response<ReplyBody>, Refusal>;

/// Whether the server is there.
pub(super) async fn health(call: Call) -> Answer {
    call.answer(&Reply::text(TEXT, "ok\n".to_owned())).await
}

/// Whether the server can do its work: the store answers, and its key is where it was.
pub(super) async fn ready(call: Call) -> Answer {
    let repository = &call.app.repository;
    match tokio::time::timeout(call.app.limits.head, repository.refresh()).await {
        Ok(refreshed) => refreshed?,
        Err(_) => return Err(Problem::new(ProblemKind::Busy, "the store does not answer in time").into()),
    }
    if !repository.keys().is_present() {
        return Err(Problem::new(ProblemKind::Busy, "the signing key is not where it was").into());
    }
    let position = repository.state().position().number;
    call.answer(&Reply::text(TEXT, format!("ready\ncommit {position}\n"))).await
}

/// What Prometheus reads.
pub(super) async fn metrics(call: Call) -> Answer {
    let gauges = Gauges { state: &call.app.repository.state(), connections: call.app.ward.open() };
    let text = call.app.metrics.render(&gauges);
    call.answer(&Reply::text("text/plain; version=0.0.4; charset=utf-8", text)).await
}

/// The public keys that repositories are signed by.
pub(super) async fn key(call: Call) -> Answer {
    call.answer(&yum::key(&call.app.repository)).await
}

/// One of them.
pub(super) async fn one_key(Named(file): Named<KeyFile>, call: Call) -> Answer {
    call.answer(&yum::one_key(&call.app.repository, &file.fingerprint)?).await
}

/// The name of a key's file: the fingerprint, 40 or 64 hexadecimal digits, upper case, and `.asc`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyFile {
    fingerprint: String,
}

impl FromStr for KeyFile {
    type Err = ();

    fn from_str(file: &str) -> Result<Self, ()> {
        let fits = |text: &&str| {
            let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
            digits && (text.len() == 40 || text.len() == 64)
        };
        let fingerprint = file.strip_suffix(".asc").filter(fits).ok_or(())?;
        Ok(Self { fingerprint: fingerprint.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_keys() {
        let file: KeyFile = format!("{}.asc", "AB".repeat(20)).parse().unwrap();
        assert_eq!(file.fingerprint, "AB".repeat(20));
        for bad in ["repository.key", ".asc", "AB.asc", &"AB".repeat(20), &format!("{}.asc", "ab".repeat(20))] {
            assert!(bad.parse::<KeyFile>().is_err(), "{bad}");
        }
    }
}
