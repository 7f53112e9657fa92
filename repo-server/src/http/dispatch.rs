//! The way of each request: URL, route, answer, count, log line.

use std::time::Instant;

use http::header::{HeaderMap, HeaderValue};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use repo_api::{Permission, Problem, ProblemKind};

use super::api;
use super::app::App;
use super::body::ReplyBody;
use super::guard::permit;
use super::hot::{HotReply, LastGiven};
use super::index_page;
use super::metrics::{Gauges, Label};
use super::origin::{Origin, Peer, REQUEST_ID};
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::{ChannelFile, NoRoute, Route};
use super::yum;

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers a request, whatever it is.
pub(super) async fn handle(app: &App, peer: Peer, request: Request<Incoming>) -> Response<ReplyBody> {
    let started = Instant::now();
    let origin = Origin::new(app, peer, request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let (label, answered) = answer(app, &origin, request).await;
    let failed = answered.is_err();
    let mut response = answered.unwrap_or_else(|refusal| {
        if refusal.is_internal() {
            app.metrics.store_failed();
        }
        refusal.into_response(origin.id())
    });
    let took = started.elapsed();
    let status = response.status().as_u16();
    app.metrics.answered(label, status, took);
    log(&origin, (&method, uri.path()), (label, status, u64::try_from(took.as_micros()).unwrap_or(u64::MAX)), failed);
    response.headers_mut().insert(REQUEST_ID, origin.id);
    response
}

/// Writes a line: of each change and of each refusal of a right always, of what is read only when all is told.
fn log(origin: &Origin, (method, path): (&Method, &str), (label, status, micros): (Label, u16, u64), failed: bool) {
    let (address, request) = (origin.address, origin.id());
    if failed && matches!(status, 401 | 403 | 429) {
        tracing::warn!(%address, request, %method, path, status, micros, "refused");
    } else if label.is_change() && *method != Method::GET && *method != Method::HEAD {
        tracing::info!(%address, request, %method, path, status, micros, "request");
    } else {
        tracing::debug!(%address, request, %method, path, status, micros, "request");
    }
}

async fn answer(
    app: &App,
    origin: &Origin,
    request: Request<Incoming>,
) -> (Label, Result<Response<ReplyBody>, Refusal>) {
    let path = request.uri().path();
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if reads {
        let commit = app.repository.state().position().number;
        if let Some(hot) = app.hot.get(commit, path) {
            let label = hot.label;
            return (label, serve_hot(app, origin, &hot, request.method(), request.headers()).await);
        }
    }
    let route = match Route::parse(path) {
        Ok(route) => route,
        Err(NoRoute::Unknown) => return (Label::Unknown, Err(yum::missing())),
        Err(NoRoute::Malformed) => {
            let problem = Problem::new(ProblemKind::BadRequest, "the path of the URL can't be read");
            return (Label::Unknown, Err(problem.into()));
        }
    };
    let label = route.label();
    if let Route::Api(route) = &route {
        return (label, api::answer(app, origin, route, request).await);
    }
    if !reads {
        return (label, Err(Refusal::Method("GET, HEAD")));
    }
    (label, read(app, origin, &route, &request).await)
}

async fn serve_hot(
    app: &App,
    origin: &Origin,
    hot: &HotReply,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response<ReplyBody>, Refusal> {
    permit(app, origin, headers, Permission::Read, Some(&hot.channel)).await?;
    if hot.is_newest_repomd && *method == Method::GET {
        let now = Instant::now();
        if hot.last.is_news(origin.address, now) {
            app.pairs.note(origin.address, &hot.channel, hot.reply.digest(), now);
        }
    }
    hot.reply.answer(&app.repository, method, headers).await
}

async fn read(
    app: &App,
    origin: &Origin,
    route: &Route,
    request: &Request<Incoming>,
) -> Result<Response<ReplyBody>, Refusal> {
    let (method, headers) = (request.method(), request.headers());
    if let Some(channel) = route.channel() {
        permit(app, origin, headers, Permission::Read, Some(channel)).await?;
    }
    let commit = app.repository.state().position().number;
    let reply = match find(app, origin, route, headers).await {
        // Another server of the same store may have told the client of it just now.
        Err(Refusal::Problem(problem)) if problem.kind == ProblemKind::NotFound => {
            if app.refreshes.pass("repository", Instant::now()).is_err() {
                return Err(problem.into());
            }
            app.repository.refresh().await?;
            find(app, origin, route, headers).await?
        }
        reply => reply?,
    };
    let reply = std::sync::Arc::new(reply);
    if let Route::File { channel, at, file } = route {
        let is_newest_repomd = at.is_none() && *file == ChannelFile::Repomd;
        if is_newest_repomd && *method == Method::GET {
            app.pairs.note(origin.address, channel, reply.digest(), Instant::now());
        }
        // Which signature is given depends on who asks.
        if *file != ChannelFile::RepomdKey && (at.is_some() || *file != ChannelFile::RepomdSignature) {
            let (channel, reply) = (channel.clone(), std::sync::Arc::clone(&reply));
            let hot = HotReply { channel, label: route.label(), is_newest_repomd, reply, last: LastGiven::default() };
            app.hot.keep(commit, request.uri().path(), hot);
        }
    }
    reply.answer(&app.repository, method, headers).await
}

async fn find(app: &App, origin: &Origin, route: &Route, headers: &HeaderMap) -> Result<Reply, Refusal> {
    let repository = &app.repository;
    match route {
        Route::Index => Ok(index(app, origin, headers).await),
        Route::Health => Ok(Reply::text(TEXT, "ok\n".to_owned())),
        Route::Ready => ready(app).await,
        Route::Metrics => Ok(metrics(app)),
        Route::Key => Ok(yum::key(repository)),
        Route::RepoFile(channel) => yum::repo_file(repository, channel, &origin.base_url(app, headers)?),
        Route::Metalink(channel) => yum::metalink(repository, channel, &origin.base_url(app, headers)?).await,
        Route::OneKey(fingerprint) => yum::one_key(repository, fingerprint),
        Route::ChannelKeys(channel) => yum::channel_keys(repository, channel),
        Route::TaggedFile { channel, tag, file } => yum::tagged_file(repository, channel, tag, file).await,
        Route::MirrorList(channel) => yum::mirror_list(repository, channel, &origin.base_url(app, headers)?),
        Route::File { channel, at: None, file: ChannelFile::RepomdSignature } => {
            let held = app.pairs.last(origin.address, channel, Instant::now());
            yum::signature_of(repository, channel, held).await
        }
        Route::File { channel, at, file } => yum::file(repository, channel, *at, file).await,
        Route::Api(_) => Err(yum::missing()),
    }
}

/// The page names the channels that the client may read.
async fn index(app: &App, origin: &Origin, headers: &HeaderMap) -> Reply {
    let state = app.repository.state();
    let mut shown = Vec::new();
    for (name, channel) in state.channels() {
        if permit(app, origin, headers, Permission::Read, Some(name)).await.is_ok() {
            shown.push((name, channel.as_ref()));
        }
    }
    Reply::text("text/html; charset=utf-8", index_page::render(&shown))
}

/// Whether the server can do its work: the store answers.
async fn ready(app: &App) -> Result<Reply, Refusal> {
    match tokio::time::timeout(app.limits.head, app.repository.refresh()).await {
        Ok(refreshed) => refreshed?,
        Err(_) => return Err(Problem::new(ProblemKind::Busy, "the store does not answer in time").into()),
    }
    Ok(Reply::text(TEXT, format!("ready\ncommit {}\n", app.repository.state().position().number)))
}

fn metrics(app: &App) -> Reply {
    let gauges = Gauges { state: &app.repository.state(), connections: app.ward.open() };
    Reply::text("text/plain; version=0.0.4; charset=utf-8", app.metrics.render(&gauges))
}

/// An answer of JSON, which nobody keeps.
pub(super) fn json(status: http::StatusCode, value: &impl serde::Serialize) -> Result<Response<ReplyBody>, Refusal> {
    let text = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be put together");
        Problem::new(ProblemKind::Internal, "the server failed; its log says why")
    })?;
    let mut response = Response::new(ReplyBody::whole(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
