//! Listening, and all that goes on beside the connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::app::App;
use super::connection;
use super::dispatch::Dispatcher;
use super::hot::Hot;
use super::housekeeping::keep_house;
use super::metrics::Metrics;
use super::pairs::Pairs;
use super::pulse::Ward;
use super::rate::Rate;
use super::refusal::with_causes;
use super::settings::ServerSettings;
use super::tls::{Tls, TlsError};
use super::ui::SharedPages;
use crate::access::Access;
use crate::engine::Repository;
use crate::environments::Environments;
use crate::pages::Catalog;

/// How often other processes' commits to the same store are looked for.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is looked whether there are packages that can't be searched yet.
const CATALOG_INTERVAL: Duration = Duration::from_millis(500);
/// How often at once, and in a second, requests make the server look.
const REFRESHES: u32 = 5;

/// A server that listens and is ready to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
}

/// Says why a server can't listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address can't be had.
    #[error("can't listen at `{address}`")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// HTTPS can't be had.
    #[error("HTTPS can't be served")]
    Tls(#[from] TlsError),
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// [`BindError`] where the address or the certificate can't be had.
    pub async fn bind(
        settings: ServerSettings,
        repository: Arc<Repository>,
        access: Access,
    ) -> Result<Self, BindError> {
        let address = settings.listen;
        let tls = settings.tls.as_ref().map(Tls::open).transpose()?;
        let listener = TcpListener::bind(address).await.map_err(|source| BindError::Address { address, source })?;
        let limits = settings.limits;
        let app = App {
            environments: Environments::new(repository.store()),
            repository,
            access,
            tls,
            proxies: settings.proxies,
            public_url: settings.public_url.map(|url| url.trim_end_matches('/').to_owned()),
            ward: Arc::new(Ward::new(limits.clone())),
            metrics: Metrics::default(),
            hot: Hot::default(),
            pairs: Pairs::default(),
            catalog: Catalog::default(),
            shared: SharedPages::default(),
            writes: Rate::new(limits.writes_per_second, limits.writes_at_once),
            refreshes: Rate::new(REFRESHES, REFRESHES),
            stopping: watch::Sender::new(false),
            limits,
        };
        Ok(Self { listener, app: Arc::new(app) })
    }

    /// The URL that it answers at.
    ///
    /// # Errors
    /// The system's.
    pub fn url(&self) -> io::Result<String> {
        let scheme = if self.app.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.listener.local_addr()?))
    }

    /// Gives what reads the certificate again when it is called.
    pub fn reloader(&self) -> impl Fn() + Send + Sync + 'static {
        let tls = self.app.tls.clone();
        move || {
            if let Some(tls) = &tls {
                tls.reload();
            }
        }
    }
}

/// Answers requests until `stop` is ready, then finishes those that have begun, within the limits' grace.
pub async fn serve(server: Server, stop: impl Future<Output = ()> + Send) {
    let Server { listener, app } = server;
    let (stopping, stopped) = watch::channel(false);
    let accepting = connection::accept(listener, Arc::new(Dispatcher::new(Arc::clone(&app))), stopped);
    let mut accepting = std::pin::pin!(accepting);
    tokio::select! {
        () = accepting.as_mut() => return,
        () = keep_fresh(&app) => {}
        () = keep_house(&app) => {}
        () = keep_catalog(&app) => {}
        () = app.ward.look() => {}
        () = keep_certificate(&app) => {}
        () = stop => {}
    }
    let _ = stopping.send(true);
    app.stopping.send_replace(true);
    // Those who do nothing are still ended while the others finish.
    tokio::select! {
        () = accepting => {}
        () = app.ward.look() => {}
    }
}

/// Reads what is in new packages, so that it can be searched. Never ends.
async fn keep_catalog(app: &App) {
    loop {
        app.catalog.catch_up(&app.repository).await;
        tokio::time::sleep(CATALOG_INTERVAL).await;
    }
}

async fn keep_certificate(app: &App) {
    match &app.tls {
        Some(tls) => tls.keep_fresh().await,
        None => std::future::pending().await,
    }
}

/// Sees within a second what another server of the same store committed. Never ends.
async fn keep_fresh(app: &App) {
    let mut failing = false;
    loop {
        tokio::time::sleep(REFRESH_INTERVAL).await;
        let refreshed = refresh(app).await;
        match &refreshed {
            Err(error) if !failing => tracing::error!(error, "what others commit can't be read"),
            Ok(()) if failing => tracing::warn!("what others commit can be read again"),
            _ => {}
        }
        if refreshed.is_err() {
            app.metrics.store_failed();
        }
        failing = refreshed.is_err();
    }
}

async fn refresh(app: &App) -> Result<(), String> {
    app.repository.refresh().await.map_err(|error| with_causes(&error))?;
    app.access.tokens.refresh().await.map_err(|error| with_causes(&error))?;
    app.environments.refresh_lively().await.map_err(|error| with_causes(&error))
}
