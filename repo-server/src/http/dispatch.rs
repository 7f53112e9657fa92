//! The way of each request: URL, route, answer, count, log line.

use std::sync::Arc;
use std::time::Instant;

use axum::{BoxError, Router};
use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use repo_api::{Permission, Problem, ProblemKind};
use tower_service::Service;

use super::app::App;
use super::body::ReplyBody;
use super::guard::permit;
use super::hot::HotReply;
use super::metrics::Label;
use super::origin::{Origin, Peer, REQUEST_ID};
use super::refusal::Refusal;
use super::route;
use super::router::router;

/// The body of a request, wherever it comes from.
pub(super) trait RequestBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static> RequestBody for B {}

/// What a request is counted under, and its answer.
type Answered = (Label, Result<Response<ReplyBody>, Refusal>);

/// Has requests answered.
pub(super) struct Dispatcher {
    pub(super) app: Arc<App>,
    routes: Router,
}

impl Dispatcher {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { routes: router(Arc::clone(&app)), app }
    }

    /// Answers a request, whatever it is.
    pub(super) async fn handle<B: RequestBody>(&self, peer: Peer, request: Request<B>) -> Response<ReplyBody> {
        let (app, started) = (&*self.app, Instant::now());
        let origin = Origin::new(app, peer, request.headers());
        if let Some(hot) = hot(app, &request) {
            let asked = (request.method(), request.headers(), started);
            let answered = (hot.label, serve_hot(app, &origin, &hot, asked).await);
            return finish(app, origin, (request.method(), request.uri().path()), started, answered);
        }
        let (method, uri) = (request.method().clone(), request.uri().clone());
        // Boxed: what is hot shall not pay for the size of this.
        let answered = Box::pin(self.route(&origin, request)).await;
        finish(app, origin, (&method, uri.path()), started, answered)
    }

    /// Looks a request up in the table of routes.
    async fn route<B: RequestBody>(&self, origin: &Origin, mut request: Request<B>) -> Answered {
        if route::is_malformed(request.uri().path()) {
            let problem = Problem::new(ProblemKind::BadRequest, "the path of the URL can't be read");
            return (Label::Unknown, Err(problem.into()));
        }
        request.extensions_mut().insert(origin.clone());
        let Ok(mut response) = self.routes.clone().call(request).await;
        let label = response.extensions_mut().remove().unwrap_or(Label::Unknown);
        if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
            return (label, Err(refusal));
        }
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            let methods = response.headers().get(ALLOW).and_then(|methods| methods.to_str().ok()).unwrap_or_default();
            return (label, Err(Refusal::Method(methods.replace(',', ", "))));
        }
        (label, Ok(response.map(ReplyBody::routed)))
    }
}

/// Makes the response of an answer, counts it and logs it.
fn finish(
    app: &App,
    origin: Origin,
    asked: (&Method, &str),
    started: Instant,
    (label, answered): Answered,
) -> Response<ReplyBody> {
    let failed = answered.is_err();
    let mut response = answered.unwrap_or_else(|refusal| {
        if refusal.is_internal() {
            app.metrics.store_failed();
        }
        refusal.answer(origin.id())
    });
    let took = started.elapsed();
    let status = response.status().as_u16();
    app.metrics.answered(label, status, took);
    log(&origin, asked, (label, status, u64::try_from(took.as_micros()).unwrap_or(u64::MAX)), failed);
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

/// Finds what the same URL was answered with since the newest commit.
fn hot<B>(app: &App, request: &Request<B>) -> Option<Arc<HotReply>> {
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let commit = app.repository.state().position().number;
    if reads { app.hot.get(commit, request.uri().path()) } else { None }
}

async fn serve_hot(
    app: &App,
    origin: &Origin,
    hot: &HotReply,
    (method, headers, now): (&Method, &HeaderMap, Instant),
) -> Result<Response<ReplyBody>, Refusal> {
    permit(app, origin, headers, Permission::Read, Some(&hot.channel)).await?;
    if hot.is_newest_repomd && *method == Method::GET && hot.last.is_news(origin.address, now) {
        app.pairs.note(origin.address, &hot.channel, hot.reply.digest(), now);
    }
    hot.reply.answer(&app.repository, method, headers).await
}
