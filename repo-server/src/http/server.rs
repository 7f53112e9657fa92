//! Listening, and the way of each request: URL, route, answer, log line.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use repo_api::{Problem, ProblemKind};
use tokio::net::TcpListener;

use super::access::Access;
use super::api;
use super::app::App;
use super::index_page;
use super::refusal::{Refusal, with_causes};
use super::reply::Reply;
use super::route::{NoRoute, Route};
use super::yum;
use crate::repository::Repository;

/// How long requests may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// How often other processes' commits to the same store are looked for.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// A server that listens and is ready to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
}

impl Server {
    /// Listens at an address; port 0 stands for any free one.
    ///
    /// # Errors
    /// The system's, where the address can't be had.
    pub async fn bind(address: SocketAddr, repository: Arc<Repository>, access: Access) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, app: Arc::new(App { repository, access }) })
    }

    /// The address that it listens at.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Answers requests until `stop` is ready, then finishes those that have begun, within 20 seconds.
///
/// # Errors
/// The system's.
pub async fn serve(server: Server, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let refreshing = keep_fresh(Arc::clone(&server.app.repository));
    let router = Router::new().fallback(handle).with_state(server.app);
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    // Small answers shall not wait for more to send.
    let listener = server.listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY can't be set");
        }
    });
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        let _ = stopping.send(());
    });
    tokio::select! {
        result = serving => result,
        () = refreshing => Ok(()),
        () = async {
            // A server that fails before it is told to stop ends the other branch.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GRACE).await;
        } => Ok(()),
    }
}

/// Sees within a second what another server of the same store published. Never ends.
async fn keep_fresh(repository: Arc<Repository>) {
    let mut failing = false;
    loop {
        tokio::time::sleep(REFRESH_INTERVAL).await;
        let refreshed = repository.refresh().await;
        match &refreshed {
            Err(error) if !failing => tracing::error!(error = with_causes(error), "what others commit can't be read"),
            Ok(()) if failing => tracing::warn!("what others commit can be read again"),
            _ => {}
        }
        failing = refreshed.is_err();
    }
}

async fn handle(State(app): State<Arc<App>>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> Response {
    let started = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = answer(&app, peer, request).await.unwrap_or_else(IntoResponse::into_response);
    let status = response.status().as_u16();
    let micros = started.elapsed().as_micros();
    tracing::info!(%peer, %method, path, status, micros, "request");
    response
}

async fn answer(app: &App, peer: SocketAddr, request: Request<Body>) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let route = Route::parse(parts.uri.path()).map_err(|error| match error {
        NoRoute::Unknown => yum::missing(),
        NoRoute::Malformed => Problem::new(ProblemKind::BadRequest, "the path of the URL can't be read").into(),
    })?;
    if let Route::Api(route) = &route {
        return api::answer(app, peer, route, (parts, body)).await;
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(Refusal::Method("GET, HEAD"));
    }
    let reply = match read(app, &route, &parts.headers).await {
        // Another server of the same store may have told the client of it just now.
        Err(Refusal::Problem(problem)) if problem.kind == ProblemKind::NotFound => {
            app.repository.refresh().await?;
            read(app, &route, &parts.headers).await?
        }
        reply => reply?,
    };
    reply.answer(&app.repository, &parts.method, &parts.headers).await
}

async fn read(app: &App, route: &Route, headers: &axum::http::HeaderMap) -> Result<Reply, Refusal> {
    let repository = &app.repository;
    match route {
        Route::Index => Ok(Reply::text("text/html; charset=utf-8", index_page::render(&repository.state()))),
        Route::Health => Ok(Reply::text("text/plain; charset=utf-8", "ok\n".to_owned())),
        Route::Key => Ok(yum::key(repository)),
        Route::RepoFile(channel) => yum::repo_file(repository, channel, headers),
        Route::MirrorList(channel) => yum::mirror_list(repository, channel, headers),
        Route::File { channel, at, file } => yum::file(repository, channel, *at, file).await,
        Route::Api(_) => Err(yum::missing()),
    }
}
