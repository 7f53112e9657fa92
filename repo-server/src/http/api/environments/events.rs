//! What happens in an environment, as it happens: server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), one for each commit of its ledger.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use ledger::Extent;
use repo_api::{Permission, Problem, ProblemKind, TagName};
use serde::Deserialize;
use tokio::sync::watch;

use super::super::super::body::ReplyBody;
use super::super::super::call::{Call, Named};
use super::super::super::refusal::with_causes;
use super::super::query::Query;
use super::Answer;
use crate::environments::Environment;

const LAST_EVENT_ID: &str = "last-event-id";
/// How often something is sent where nothing happens, so that nobody between takes the connection for dead.
const BEAT: Duration = Duration::from_secs(15);

/// Sends commits after the one that the client saw last (`Last-Event-ID`, or `after`), and then each as it is made. Without
/// either, only what comes.
pub(super) async fn follow(Named(name): Named<TagName>, call: Call) -> Answer {
    call.permit_environment(Permission::Watch, &name).await?;
    let query = Query::read(call.uri.query(), &["after"])?;
    let last = call.headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let last = last.map(|id| id.parse::<u64>()).transpose();
    let last = last.map_err(|_| Problem::new(ProblemKind::BadRequest, "`Last-Event-ID` is the number of a commit"))?;
    let after = last.map_or_else(|| query.value("after"), |last| Ok(Some(last)))?;
    let environment = call.app.environments.fresh(&name).await?;
    let after = after.unwrap_or_else(|| environment.position());
    let follower = Follower {
        newest: environment.follow(),
        stopping: call.app.stopping.subscribe(),
        environment,
        after,
        ready: VecDeque::from([Bytes::from_static(b"retry: 1000\n\n")]),
    };
    let mut response = Response::new(ReplyBody::routed(Body::from_stream(follower.events())));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would wait for more to send.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// One who follows.
struct Follower {
    environment: Arc<Environment>,
    newest: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    /// The number of the last commit that was sent.
    after: u64,
    /// What is to be sent next.
    ready: VecDeque<Bytes>,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        stream::unfold(self, |mut follower| async move { follower.next().await.map(|event| (Ok(event), follower)) })
    }

    /// The next event; `None` when the server stops or the ledger can't be read: the client comes again.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            // Marked as seen before the commits are read, so that none is missed.
            let newest = *self.newest.borrow_and_update();
            if newest > self.after || self.environment.position() > self.after {
                let lines = match self.environment.commits(self.after, Extent::Whole).await {
                    Ok(lines) => lines,
                    Err(error) => {
                        tracing::error!(error = with_causes(&error), "events broke off");
                        return None;
                    }
                };
                for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    self.after += 1;
                    self.ready.push_back(event(self.after, line));
                }
                continue;
            }
            tokio::select! {
                changed = self.newest.changed() => changed.ok()?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = tokio::time::sleep(BEAT) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }
}

/// A commit has one line, so it is one field of an event.
fn event(number: u64, commit: &[u8]) -> Bytes {
    #[derive(Deserialize)]
    struct Head {
        payload: Payload,
    }
    #[derive(Deserialize)]
    struct Payload {
        entry: String,
    }
    let kind = serde_json::from_slice::<Head>(commit).map(|head| head.payload.entry).unwrap_or_default();
    let is_word = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let kind = if is_word { kind.as_str() } else { "commit" };
    let mut event = BytesMut::with_capacity(commit.len() + 64);
    event.put(format!("id: {number}\nevent: {kind}\ndata: ").as_bytes());
    event.put(commit);
    event.put_slice(b"\n\n");
    event.freeze()
}
