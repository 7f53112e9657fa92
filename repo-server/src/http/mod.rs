//! The HTTP face of a repository: yum clients' files, the API, and the pages for people.

mod api;
mod app;
mod body;
mod call;
mod channel_files;
mod connection;
mod dispatch;
mod guard;
mod hot;
mod housekeeping;
mod metrics;
mod network;
mod origin;
mod pages;
mod pairs;
mod plain;
mod pulse;
mod rate;
mod refusal;
mod reply;
mod route;
mod router;
mod send_file;
mod server;
mod settings;
mod tls;
mod ui;
mod yum;

pub use network::{Network, ParseNetworkError};
pub use server::{BindError, Server, serve};
pub use settings::{Limits, ServerSettings};
pub use tls::{TlsError, TlsFiles};
