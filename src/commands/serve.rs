//! `pkg serve`: the repository server, until it is told to stop.

pub(crate) mod arenas;
pub(super) mod configuration;
mod log;
mod service_manager;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use repo_api::ChannelName;
use repo_server::{Access, KeyDirectory, KeyRing, KeySource, Repository, RepositoryError, Server, TokenBook};
use tokio::signal::unix::{SignalKind, signal};

use self::configuration::{Configuration, ReadRule};
use self::log::{LogFormat, LogLevel};
use self::service_manager::notify;
use super::connection::read_token;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Serve a yum repository.
///
/// Prints its address on stdout once it answers. Metadata is signed by an OpenPGP key that is made at the first start.
/// Until a token is made (`pkg token create`) or given (--token-file), programs on this machine may change everything, and
/// nobody else; reading is open unless --read says otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A file of settings (TOML); flags and the environment come before what it says.
    #[arg(long, value_name = "FILE", env = "PKG_SERVE_CONFIG")]
    config: Option<PathBuf>,
    /// The directory that holds packages, metadata and history, created where it is missing; or s3://BUCKET/PREFIX,
    /// gs://…, az://… [default: repository].
    #[arg(long, value_name = "STORE", env = "PKG_SERVE_STORE")]
    store: Option<String>,
    /// The address to listen at; port 0 stands for any free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", env = "PKG_SERVE_LISTEN")]
    listen: Option<SocketAddr>,
    /// A channel to have, created where it does not exist; may be repeated [default: dev, qa, prod].
    #[arg(long = "channel", value_name = "NAME", env = "PKG_SERVE_CHANNELS", value_delimiter = ',')]
    channels: Option<Vec<ChannelName>>,
    /// The directory of the private signing key, which is not part of the store [default: the store's path with `.keys`
    /// added].
    #[arg(long, value_name = "DIR", env = "PKG_SERVE_KEY_DIR")]
    key_dir: Option<PathBuf>,
    /// The key that signs, where it is not the one of --key-dir: a file, or gpg:FINGERPRINT for one that gpg holds.
    #[arg(long, value_name = "KEY", env = "PKG_SERVE_SIGNING_KEY")]
    signing_key: Option<String>,
    /// A file whose first line is the passphrase of the signing keys; PKG_SIGNING_PASSPHRASE holds the passphrase itself.
    #[arg(long, value_name = "FILE", env = "PKG_SERVE_SIGNING_PASSPHRASE_FILE")]
    signing_passphrase_file: Option<PathBuf>,
    /// Let those do everything who have the token that is the first line of this file; PKG_SERVE_TOKEN holds a token
    /// itself.
    #[arg(long, value_name = "FILE", env = "PKG_SERVE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Who may read: everybody, or who has a token [default: open].
    #[arg(long, value_name = "WHO", env = "PKG_SERVE_READ")]
    read: Option<ReadRule>,
    /// Serve HTTPS with the certificates in this file (PEM); it is read again when it changes, and on SIGHUP.
    #[arg(long, value_name = "FILE", env = "PKG_SERVE_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(long, value_name = "FILE", env = "PKG_SERVE_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The address under which clients know this server, for mirror lists and .repo files [default: what each request
    /// calls it].
    #[arg(long, value_name = "URL", env = "PKG_SERVE_PUBLIC_URL")]
    public_url: Option<String>,
    /// A proxy, or a network of them, whose X-Forwarded-… headers are believed; may be repeated.
    #[arg(long = "proxy", value_name = "ADDR[/BITS]", env = "PKG_SERVE_PROXIES", value_delimiter = ',')]
    proxies: Vec<String>,
    /// How the log on stderr is written [default: text].
    #[arg(long, value_name = "FORMAT", env = "PKG_SERVE_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    /// How much is logged [default: info; debug with --verbose, warn with --quiet].
    #[arg(long, value_name = "LEVEL", env = "PKG_SERVE_LOG_LEVEL")]
    log_level: Option<LogLevel>,
}

const EXAMPLES: &str = "\
Examples:
  pkg serve
  pkg serve --store /srv/pkg/repository --listen 0.0.0.0:8080 --token-file /etc/pkg/token
  pkg serve --config /etc/pkg/repository.toml
  curl http://127.0.0.1:8080/dev/dev.repo > /etc/yum.repos.d/dev.repo

The settings of a file, with limits and private channels, are in docs/operating.md.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let configuration = Configuration::new(args)?;
    log::start(configuration.log.0, configuration.log.1, printer);
    let json = configuration.log.0 == LogFormat::Json;
    // Lines for a person do not go between lines of JSON.
    let talk = |line: &str| if json { tracing::info!("{line}") } else { printer.talk(line) };
    let token = read_token(configuration.token_file.as_ref(), "PKG_SERVE_TOKEN")?;
    let passphrase = read_token(configuration.signing_passphrase_file.as_ref(), "PKG_SIGNING_PASSPHRASE")?;
    let directory = KeyDirectory::new(&configuration.key_dir, passphrase);
    let source = KeySource { directory, key: configuration.signing_key };
    // Making a key takes a second of pure computing.
    let keys = tokio::task::spawn_blocking(move || KeyRing::open(source))
        .await
        .map_err(Failure::failed)?
        .map_err(Failure::failed)?;
    talk(&format!("signing key {} in {}", keys.keys().fingerprint(), keys.directory().path().display()));
    let store = configuration.store;
    let repository = Repository::open(&store, keys, &configuration.channels).await.map_err(cannot_open)?;
    let state = repository.state();
    let channels: Vec<String> = state.channels().keys().map(ToString::to_string).collect();
    talk(&format!("store {store} at commit {}, channels {}", state.position().number, channels.join(", ")));
    let tokens = TokenBook::open(repository.store()).await.map_err(Failure::failed)?;
    let mut access = Access::new(tokens).with_reading(configuration.reading);
    if let Some(token) = &token {
        access = access.with_master(token).map_err(Failure::input)?;
    }
    let writers = if access.trusts_this_machine() { "programs on this machine" } else { "those who have a token" };
    let server = Server::bind(configuration.settings, Arc::new(repository), access).await.map_err(Failure::failed)?;
    let url = server.url().map_err(Failure::failed)?;
    let stop = stop_signal().context("signals can't be received").map_err(Failure::failed)?;
    reload_on_hangup(&server).context("signals can't be received").map_err(Failure::failed)?;
    printer.data(&url);
    notify("READY=1");
    talk(&format!("listening at {url}; {writers} may write"));
    repo_server::serve(server, stop).await;
    talk("stopped");
    Ok(Exit::Done)
}

fn cannot_open(error: RepositoryError) -> Failure {
    let is_key = matches!(error, RepositoryError::OtherKey { .. });
    let failure = Failure::failed(error);
    if is_key { failure.hint("put the key back, or name its directory with --key-dir") } else { failure }
}

/// Waits for SIGINT or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        notify("STOPPING=1");
    })
}

/// Reads the certificate again on each SIGHUP, for as long as the program runs.
fn reload_on_hangup(server: &Server) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let reload = server.reloader();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload();
        }
    });
    Ok(())
}
