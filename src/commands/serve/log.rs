//! The server's log, on stderr.

use std::io;

use serde::Deserialize;
use tracing_subscriber::filter::LevelFilter;

use crate::render::Printer;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// A line for a person.
    Text,
    /// A line of JSON.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// What fails.
    Error,
    /// Refusals of a right, too.
    Warn,
    /// Changes, too.
    Info,
    /// Everything that is read, too.
    Debug,
}

/// Starts the log; without a level, --verbose tells everything and --quiet little.
pub(super) fn start(format: LogFormat, level: Option<LogLevel>, printer: &Printer) {
    let level = match level {
        Some(LogLevel::Error) => LevelFilter::ERROR,
        Some(LogLevel::Warn) => LevelFilter::WARN,
        Some(LogLevel::Info) => LevelFilter::INFO,
        Some(LogLevel::Debug) => LevelFilter::DEBUG,
        None if printer.is_verbose() => LevelFilter::DEBUG,
        None if printer.is_quiet() => LevelFilter::WARN,
        None => LevelFilter::INFO,
    };
    // Other crates' debugging is nothing that an operator of this one asked for.
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,repo_server={level},ledger={level},pkg={level}"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
    let log = log.with_writer(io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
