//! Whether a request may do what it asks for, and in whose name.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use ledger::Digest;
use repo_api::{ChannelName, Permission, Problem, ProblemKind, TagName, TokenInfo};

use super::app::App;
use super::origin::Origin;
use super::refusal::{Refusal, with_causes};
use crate::access::{Reading, TokenRecord};
use crate::environments::Controller;

/// Who asks, as far as the server knows for sure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// The bearer of a token of this name.
    Token(String),
    /// The bearer of the token that the server was started with.
    Master,
    /// A program on this machine.
    ThisMachine,
    /// Anybody: it is open.
    Anybody,
}

impl Caller {
    /// The name that stands for certain.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Token(name) => Some(name),
            Self::Master | Self::ThisMachine | Self::Anybody => None,
        }
    }
}

/// Lets a request through that may do something in a channel; `None` stands for any of them.
pub(super) async fn permit(
    app: &App,
    origin: &Origin,
    headers: &HeaderMap,
    permission: Permission,
    channel: Option<&ChannelName>,
) -> Result<Caller, Problem> {
    if permission == Permission::Read && app.access.is_open(channel) {
        return Ok(Caller::Anybody);
    }
    let record = match identify(app, origin, headers).await? {
        Known::Caller(caller) => return Ok(caller),
        Known::Bearer(record) => record,
    };
    let name = &record.info.name;
    if !record.allows(permission, channel) {
        let wanted = wanted(permission, channel);
        let detail = format!("token `{name}` does not allow `{wanted}`, only {}", record.scopes());
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    Ok(Caller::Token(name.to_string()))
}

/// Who a request comes from, whatever it may do.
pub(super) enum Known {
    /// The bearer of a token.
    Bearer(Arc<TokenRecord>),
    /// Somebody who may do everything.
    Caller(Caller),
}

/// Finds out who a request comes from.
pub(super) async fn identify(app: &App, origin: &Origin, headers: &HeaderMap) -> Result<Known, Problem> {
    let unauthorized = |detail: &str| {
        let hint = "give a token: PKG_TOKEN or --token-file for pkg, `password` in yum's .repo file";
        Problem::new(ProblemKind::Unauthorized, detail).hint(hint)
    };
    let Some(token) = credential(headers) else {
        if app.access.trusts_this_machine() {
            return check_this_machine(origin, headers).map(|()| Known::Caller(Caller::ThisMachine));
        }
        return Err(unauthorized("the request has no token"));
    };
    let sha256 = Digest::of(token.as_bytes());
    if app.access.master == Some(sha256) {
        return Ok(Known::Caller(Caller::Master));
    }
    let mut found = app.access.tokens.find(&sha256);
    if found.is_none() && app.refreshes.pass("tokens", std::time::Instant::now()).is_ok() {
        // Another server may have made it just now.
        if let Err(error) = Box::pin(app.access.tokens.refresh()).await {
            app.metrics.store_failed();
            tracing::error!(error = with_causes(&error), "the tokens can't be read");
        }
        found = app.access.tokens.find(&sha256);
    }
    let record = found.ok_or_else(|| unauthorized("the request's token is not known here"))?;
    if record.has_expired(Utc::now()) {
        return Err(unauthorized(&format!("token `{}` has expired", record.info.name)));
    }
    Ok(Known::Bearer(record))
}

/// What a request may read, of channels that are no more too.
pub(super) struct Reads<'a> {
    app: &'a App,
    known: Option<Known>,
}

impl<'a> Reads<'a> {
    /// Finds it out; who is not known may read what is open.
    pub(super) async fn of(app: &'a App, origin: &Origin, headers: &HeaderMap) -> Self {
        Self { app, known: identify(app, origin, headers).await.ok() }
    }

    /// Whether it may read a channel.
    pub(super) fn channel(&self, channel: &ChannelName) -> bool {
        let may = match &self.known {
            None => false,
            Some(Known::Caller(_)) => true,
            Some(Known::Bearer(record)) => record.allows(Permission::Read, Some(channel)),
        };
        may || self.app.access.is_open(Some(channel))
    }

    /// Whether it may read everything.
    pub(super) fn everything(&self) -> bool {
        let may = match &self.known {
            None => false,
            Some(Known::Caller(_)) => true,
            Some(Known::Bearer(record)) => record.allows(Permission::Admin, None),
        };
        may || self.app.access.reading == Reading::Open
    }
}

/// Lets a request through that may do something in an environment.
pub(super) async fn permit_environment(
    app: &App,
    origin: &Origin,
    headers: &HeaderMap,
    permission: Permission,
    environment: &TagName,
) -> Result<Controller, Refusal> {
    match identify(app, origin, headers).await {
        Ok(Known::Caller(_)) => Ok(Controller { token: None, unattended: false }),
        Ok(Known::Bearer(record)) if record.allows_in(permission, environment) => {
            let TokenInfo { name, unattended, .. } = &record.info;
            Ok(Controller { token: Some(name.to_string()), unattended: *unattended })
        }
        Ok(Known::Bearer(record)) => {
            let (name, scopes) = (&record.info.name, record.scopes());
            let detail = format!("token `{name}` does not allow `{permission}:{environment}`, only {scopes}");
            Err(Problem::new(ProblemKind::Forbidden, detail).into())
        }
        // Who guesses tokens is slowed down. Who has one is not: a deployment to many hosts writes much.
        Err(problem) => {
            let slowed = app.writes.pass(&origin.address.to_string(), std::time::Instant::now());
            slowed.map_err(|seconds| Refusal::TooFast { seconds }).and(Err(problem.into()))
        }
    }
}

/// The same for what changes something, which may not come too fast.
pub(super) async fn permit_change(
    app: &App,
    origin: &Origin,
    headers: &HeaderMap,
    permission: Permission,
    channel: Option<&ChannelName>,
) -> Result<Caller, Refusal> {
    let pass =
        |who: &str| app.writes.pass(who, std::time::Instant::now()).map_err(|seconds| Refusal::TooFast { seconds });
    let address = origin.address.to_string();
    match permit(app, origin, headers, permission, channel).await {
        Ok(caller) => pass(caller.name().unwrap_or(&address)).map(|()| caller),
        // Who guesses tokens is slowed down, too.
        Err(problem) => pass(&address).and(Err(problem.into())),
    }
}

fn wanted(permission: Permission, channel: Option<&ChannelName>) -> String {
    match channel {
        Some(channel) if permission != Permission::Admin => format!("{permission}:{channel}"),
        _ => permission.to_string(),
    }
}

/// The token of a request: a bearer token, or the password of basic authentication, whoever the user is.
fn credential(headers: &HeaderMap) -> Option<String> {
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        return Some(pair.split_once(':')?.1.to_owned());
    }
    // What is no token of ours is a wrong token, not none.
    Some(if scheme.eq_ignore_ascii_case("bearer") { value.trim().to_owned() } else { String::new() })
}

/// A direct connection from this machine, and no browser that another site's page made its messenger.
fn check_this_machine(origin: &Origin, headers: &HeaderMap) -> Result<(), Problem> {
    let forbidden = |detail: String| {
        let hint = "make tokens (`pkg token create`), or start the server with --token-file FILE";
        Err(Problem::new(ProblemKind::Forbidden, detail).hint(hint))
    };
    if !origin.address.is_loopback() {
        return forbidden(format!(
            "without a token, only programs on the server's machine may do this, not `{}`",
            origin.address
        ));
    }
    if let Some(header) = origin.unknown_behind(headers) {
        return forbidden(format!("without a token, nothing may be done through a proxy (header `{header}`)"));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if headers.contains_key(ORIGIN) || !names_loopback(host) {
        return forbidden(format!("without a token, no web page may do this (host `{host}`)"));
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
    use crate::http::origin::Peer;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn credentials() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic YW5hOnNlY3JldDp4", Some("secret:x")),
            ("Basic !", None),
            ("Digest abc", Some("")),
            ("abc", Some("")),
        ] {
            assert_eq!(credential(&headers(&[("authorization", value)])).as_deref(), token, "{value}");
        }
        assert_eq!(credential(&HeaderMap::new()), None);
    }

    #[test]
    fn this_machine() {
        let check = |address: &str, pairs: &[(&'static str, &'static str)]| {
            let peer = Peer { address: address.parse().unwrap(), secure: false };
            let headers = headers(pairs);
            check_this_machine(&Origin::direct(peer, &headers), &headers).is_ok()
        };
        for (peer, host) in [
            ("127.0.0.1", "127.0.0.1:8080"),
            ("127.0.0.1", "localhost:8080"),
            ("::1", "[::1]:8080"),
            ("::1", "localhost"),
        ] {
            assert!(check(peer, &[("host", host)]), "{peer} {host}");
        }
        for (peer, pairs) in [
            ("192.0.2.7", vec![("host", "localhost")]),
            ("127.0.0.1", vec![("host", "evil.example")]),
            ("127.0.0.1", vec![]),
            ("127.0.0.1", vec![("host", "localhost"), ("x-forwarded-for", "192.0.2.7")]),
            ("127.0.0.1", vec![("host", "localhost"), ("origin", "http://evil.example")]),
        ] {
            assert!(!check(peer, &pairs), "{peer} {pairs:?}");
        }
    }
}
