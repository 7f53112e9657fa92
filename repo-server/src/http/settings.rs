//! How a server listens, and what it puts up with.

use std::net::SocketAddr;
use std::time::Duration;

use super::network::Network;
use super::tls::TlsFiles;

/// How a server listens.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The address; port 0 stands for any free one.
    pub listen: SocketAddr,
    /// HTTPS with these files; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// The proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.
    pub proxies: Vec<Network>,
    /// The address under which clients know the server, such as `https://rpm.example.org`; without it, each request's
    /// own `Host` is taken.
    pub public_url: Option<String>,
    /// What is allowed.
    pub limits: Limits,
}

/// What a server puts up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, in all.
    pub connections: usize,
    /// Connections at a time from one address; named proxies are exempt.
    pub connections_per_address: usize,
    /// How long the head of a request may take, and a TLS handshake.
    pub head: Duration,
    /// How long a connection may stay open between requests.
    pub idle: Duration,
    /// How long a body, either way, may stand still.
    pub stall: Duration,
    /// The head of a request, bytes.
    pub head_size: usize,
    /// An uploaded file, bytes.
    pub file_size: u64,
    /// A JSON body, bytes.
    pub json_size: usize,
    /// Requests to the API that write, in a second, by one token or address in the long run.
    pub writes_per_second: u32,
    /// Such requests at once, after a time of silence.
    pub writes_at_once: u32,
    /// How long requests may go on after the server was told to stop.
    pub grace: Duration,
}

impl ServerSettings {
    /// Plain HTTP at an address, with the usual limits.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, tls: None, proxies: Vec::new(), public_url: None, limits: Limits::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 1024,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(60),
            head_size: 32 << 10,
            file_size: 8 << 30,
            json_size: 4 << 20,
            writes_per_second: 1000,
            writes_at_once: 20_000,
            grace: Duration::from_secs(20),
        }
    }
}
