//! Who may write.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use repo_api::{Problem, ProblemKind};
use sha2::{Digest, Sha256};

/// Headers that proxies add: with one of them, the peer's address says nothing of who asks.
const PROXY_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Who may write to the repository. Reading is free.
#[derive(Clone)]
pub enum Access {
    /// Programs on this machine that connect directly.
    Loopback,
    /// Whoever has the token, of which only the sha256 is kept.
    Token([u8; 32]),
}

/// Says why a text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token has to be {SHORTEST} or more characters of printable ASCII without spaces")]
pub struct TokenError;

/// The fewest characters of a token.
const SHORTEST: usize = 16;

impl Access {
    /// Lets those write that have a token.
    ///
    /// # Errors
    /// [`TokenError`] for a token that is too short or can't be sent in an HTTP header.
    pub fn token(token: &str) -> Result<Self, TokenError> {
        if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError);
        }
        Ok(Self::Token(Sha256::digest(token).into()))
    }

    /// Checks that a request may write.
    pub(super) fn check(&self, peer: SocketAddr, headers: &HeaderMap) -> Result<(), Problem> {
        match self {
            Self::Token(expected) => check_token(expected, headers),
            Self::Loopback => check_loopback(peer.ip(), headers),
        }
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Loopback => "Loopback",
            Self::Token(_) => "Token",
        })
    }
}

fn check_token(expected: &[u8; 32], headers: &HeaderMap) -> Result<(), Problem> {
    let unauthorized = |detail| Problem::new(ProblemKind::Unauthorized, detail).hint("set PKG_TOKEN, or --token-file");
    let value = headers.get(AUTHORIZATION).ok_or_else(|| unauthorized("the request has no token"))?;
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    let given: [u8; 32] = Sha256::digest(token.trim()).into();
    // As long for a wrong token as for the right one, whatever their first difference is.
    let difference = expected.iter().zip(given).fold(0, |difference, (left, right)| difference | (left ^ right));
    if scheme.eq_ignore_ascii_case("bearer") && std::hint::black_box(difference) == 0 {
        Ok(())
    } else {
        Err(unauthorized("the request's token is not the server's"))
    }
}

/// A direct connection from this machine, and no browser that another site's page made its messenger.
fn check_loopback(peer: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
    let forbidden = |detail: String| {
        let hint = "start the server with --token-file FILE, and give the token to those who may write";
        Err(Problem::new(ProblemKind::Forbidden, detail).hint(hint))
    };
    if !peer.to_canonical().is_loopback() {
        return forbidden(format!("without a token, only programs on the server's machine may write, not `{peer}`"));
    }
    if let Some(header) = PROXY_HEADERS.iter().find(|header| headers.contains_key(**header)) {
        return forbidden(format!("without a token, nothing may write through a proxy (header `{header}`)"));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if headers.contains_key(ORIGIN) || !names_loopback(host) {
        return forbidden(format!("without a token, no web page may write (host `{host}`)"));
    }
    Ok(())
}

fn names_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn kind(access: &Access, peer: &str, pairs: &[(&'static str, &'static str)]) -> Option<ProblemKind> {
        access.check(peer.parse().unwrap(), &headers(pairs)).err().map(|problem| problem.kind)
    }

    #[test]
    fn tokens() {
        let access = Access::token(TOKEN).unwrap();
        let far = "192.0.2.7:5000";
        assert_eq!(kind(&access, far, &[("authorization", "Bearer 0123456789abcdef")]), None);
        assert_eq!(kind(&access, far, &[("authorization", "bearer 0123456789abcdef")]), None);
        for value in ["Bearer 0123456789abcdeg", "Bearer ", "Bearer", "Basic 0123456789abcdef", "0123456789abcdef"] {
            let pairs = [("authorization", value)];
            assert_eq!(kind(&access, "127.0.0.1:5000", &pairs), Some(ProblemKind::Unauthorized), "{value}");
        }
        assert_eq!(kind(&access, "127.0.0.1:5000", &[("host", "localhost")]), Some(ProblemKind::Unauthorized));
        assert_eq!(format!("{access:?}"), "Token");
        for bad in ["", "short", "0123456789 abcdef", "0123456789abcdeü"] {
            assert_eq!(Access::token(bad).unwrap_err(), TokenError, "{bad}");
        }
    }

    #[test]
    fn loopback() {
        for (peer, host) in [
            ("127.0.0.1:5000", "127.0.0.1:8080"),
            ("127.0.0.1:5000", "localhost:8080"),
            ("[::1]:5000", "[::1]:8080"),
            ("[::ffff:127.0.0.1]:5000", "localhost"),
        ] {
            assert_eq!(kind(&Access::Loopback, peer, &[("host", host)]), None, "{peer} {host}");
        }
        let near = "127.0.0.1:5000";
        for (peer, pairs) in [
            ("192.0.2.7:5000", vec![("host", "localhost")]),
            (near, vec![("host", "evil.example")]),
            (near, vec![]),
            (near, vec![("host", "localhost"), ("x-forwarded-for", "192.0.2.7")]),
            (near, vec![("host", "localhost"), ("origin", "http://evil.example")]),
        ] {
            assert_eq!(kind(&Access::Loopback, peer, &pairs), Some(ProblemKind::Forbidden), "{peer} {pairs:?}");
        }
    }
}
