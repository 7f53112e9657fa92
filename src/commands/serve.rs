//! `pkg serve`: the repository server, until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use repo_api::ChannelName;
use repo_server::{Access, Repository, RepositoryError, Server, SigningKey};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use super::connection::read_token;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Serve a yum repository.
///
/// Prints its address on stdout once it answers. Metadata is signed by an OpenPGP key that is made at the first start.
/// Without a token, only programs on this machine may publish, promote and withdraw; reading is always free.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The directory that holds packages, metadata and history; created where it is missing.
    #[arg(long, value_name = "DIR", default_value = "repository")]
    store: String,
    /// The address to listen at; port 0 stands for any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A channel to have, created where it does not exist; may be repeated.
    #[arg(long = "channel", value_name = "NAME", default_values = ["dev", "qa", "prod"])]
    channels: Vec<ChannelName>,
    /// The directory of the private signing key, which is not part of the store [default: the store's path with `.keys`
    /// added].
    #[arg(long, value_name = "DIR")]
    key_dir: Option<PathBuf>,
    /// Let those write who have the token that is the first line of this file; PKG_SERVE_TOKEN holds a token itself.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  pkg serve
  pkg serve --store /srv/pkg/repository --listen 0.0.0.0:8080 --token-file /etc/pkg/token
  curl http://127.0.0.1:8080/dev/dev.repo > /etc/yum.repos.d/dev.repo";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    start_log(printer);
    let token = read_token(args.token_file.as_ref(), "PKG_SERVE_TOKEN")?;
    let access = match &token {
        Some(token) => Access::token(token).map_err(Failure::input)?,
        None => Access::Loopback,
    };
    let key_dir = args.key_dir.unwrap_or_else(|| beside(&args.store));
    // Making a key takes a second of pure computing.
    let key = tokio::task::spawn_blocking(move || SigningKey::open_or_make(&key_dir))
        .await
        .map_err(Failure::failed)?
        .map_err(Failure::failed)?;
    printer.talk(&format!("signing key {} in {}", key.fingerprint(), key.path().display()));
    let repository = Repository::open(&args.store, key, &args.channels).await.map_err(cannot_open)?;
    let state = repository.state();
    let channels: Vec<String> = state.channels().keys().map(ToString::to_string).collect();
    printer.talk(&format!(
        "store {} at commit {}, channels {}",
        args.store,
        state.position().number,
        channels.join(", ")
    ));
    let server = Server::bind(args.listen, Arc::new(repository), access)
        .await
        .with_context(|| format!("can't listen at `{}`", args.listen))
        .map_err(Failure::failed)?;
    let stop = stop_signal().context("signals can't be received").map_err(Failure::failed)?;
    let address = server.address().map_err(Failure::failed)?;
    printer.data(&format!("http://{address}"));
    let writers = if token.is_some() { "those who have the token" } else { "programs on this machine" };
    printer.talk(&format!("listening at http://{address}; {writers} may write"));
    repo_server::serve(server, stop).await.map_err(Failure::failed)?;
    printer.talk("stopped");
    Ok(Exit::Done)
}

/// Requests are logged with `--verbose`; what fails is logged always.
fn start_log(printer: &Printer) {
    let level = if printer.is_verbose() { LevelFilter::INFO } else { LevelFilter::WARN };
    tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(false).with_writer(io::stderr).init();
}

fn beside(store: &str) -> PathBuf {
    PathBuf::from(format!("{}.keys", store.trim_end_matches('/')))
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
    })
}
