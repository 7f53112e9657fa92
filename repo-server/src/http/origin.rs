//! Where a request comes from, and under which number it is known.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue};
use repo_api::{Problem, ProblemKind};

use super::app::App;
use super::refusal::Refusal;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Headers that proxies add: with one of them, the peer's address says nothing of who asks.
const PROXY_HEADERS: [&str; 4] = ["forwarded", FORWARDED_FOR, "x-real-ip", "via"];
/// The longest request id that is taken from a client, characters.
const LONGEST_ID: usize = 64;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// Whether the connection is HTTPS.
    pub(super) secure: bool,
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The client's address, behind the proxies that are believed.
    pub(super) address: IpAddr,
    /// The request's id: the client's own, or one made here.
    pub(super) id: HeaderValue,
    /// Whether the connection comes from a proxy that is believed.
    proxied: bool,
    secure: bool,
}

impl Origin {
    pub(super) fn new(app: &App, peer: Peer, headers: &HeaderMap) -> Self {
        let origin = Self::direct(peer, headers);
        if !app.is_proxy(peer.address) {
            return origin;
        }
        Self { address: behind(app, peer.address, headers), proxied: true, ..origin }
    }

    /// Takes the other end of the connection for the one who asks.
    pub(super) fn direct(peer: Peer, headers: &HeaderMap) -> Self {
        Self { address: peer.address, id: request_id(headers), proxied: false, secure: peer.secure }
    }

    pub(super) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// The proxy header because of which the address of the request says nothing, if there is one.
    pub(super) fn unknown_behind(&self, headers: &HeaderMap) -> Option<&'static str> {
        if self.proxied {
            return None;
        }
        PROXY_HEADERS.into_iter().find(|header| headers.contains_key(*header))
    }

    /// The server's own address: as configured, or as the client wrote it.
    pub(super) fn base_url(&self, app: &App, headers: &HeaderMap) -> Result<String, Refusal> {
        if let Some(url) = &app.public_url {
            return Ok(url.clone());
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let forwarded = |name| if self.proxied { text(name) } else { None };
        let host = forwarded("x-forwarded-host").or_else(|| text(HOST.as_str())).unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(fits) {
            return Err(Problem::new(ProblemKind::BadRequest, format!("`{host}` in the Host header is no host")).into());
        }
        let secure = self.secure || forwarded("x-forwarded-proto") == Some("https");
        Ok(format!("{}://{host}", if secure { "https" } else { "http" }))
    }
}

/// The last address of `X-Forwarded-For` that is not itself a proxy which is believed: what stands before it, anyone may
/// have written.
fn behind(app: &App, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let lists = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let addresses: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    let mut nearest = peer;
    for text in addresses.into_iter().rev() {
        let Ok(address) = text.parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
        if !app.is_proxy(nearest) {
            break;
        }
    }
    nearest
}

fn request_id(headers: &HeaderMap) -> HeaderValue {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let given = headers.get(REQUEST_ID).filter(|value| {
        let id = value.as_bytes();
        !id.is_empty() && id.len() <= LONGEST_ID && id.iter().copied().all(fits)
    });
    given.cloned().unwrap_or_else(|| {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let number: u64 = rand::random();
        let id: [u8; 16] = std::array::from_fn(|at| DIGITS[(number >> (4 * at) & 15) as usize]);
        HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    })
}
