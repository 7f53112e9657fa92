//! How a host shows that it serves the right version.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use nevra::Name;
use serde::Deserialize;
use toml::Spanned;

use super::fields::{Fields, RawFields};
use super::reader::{Checked, Located, Reader};
use super::{EnvironmentProblem, Host};

/// How a host shows that it serves the right version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is looked at.
    pub check: Check,
    /// Whose version and release a check may ask for; by default those of the first package deployed.
    pub package: Option<Name>,
    /// How long a started host has until it must be right, 2 minutes by default.
    pub start_timeout: Duration,
    /// The time between two looks, 250 ms by default.
    pub interval: Duration,
    /// How many good looks in a row it takes, 1 by default.
    pub successes: u32,
    /// How long a host is watched after it was put back, a second by default.
    pub watch: Duration,
}

/// What shows that a host is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It answers a request.
    Http(HttpCheck),
    /// It takes connections.
    Tcp {
        /// The port.
        port: u16,
        /// Who looks: the controller connects, the host sees that something listens.
        from: From,
    },
    /// A command ends with 0.
    Command {
        /// The command, for a shell.
        command: String,
        /// Who runs it.
        from: From,
    },
}

/// A request and the answer that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    /// The URL, with `{address}`, `{host}` and the host's variables.
    pub url: String,
    /// The status that is right, 200 by default.
    pub expect_status: u16,
    /// What the body must contain, with `{version}` and `{release}` for the package's.
    pub expect_body: Option<String>,
    /// What a JSON body must have, by dotted paths: `build.version` → `{version}`.
    pub expect_json: BTreeMap<String, String>,
    /// How long the whole answer may take.
    pub max_latency: Option<Duration>,
    /// Who asks.
    pub from: From,
}

/// Who looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// The controller.
    #[default]
    Controller,
    /// The host itself.
    Host,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Http,
    Tcp,
    Command,
}

const KINDS: [(&str, Kind); 3] = [("http", Kind::Http), ("tcp", Kind::Tcp), ("command", Kind::Command)];

/// The keys depend on the kind.
pub(super) type RawHealth = RawFields;

impl Reader<'_> {
    pub(super) fn health(&self, raw: &RawHealth) -> Checked<Health> {
        let mut fields = Fields::new(self, raw);
        let check = match fields.kind(&KINDS, Some(Kind::Http))? {
            Kind::Http => Check::Http(fields.http_check()?),
            Kind::Tcp => Check::Tcp { port: fields.needed_number("port")?, from: fields.from(From::Controller)? },
            Kind::Command => Check::Command { command: fields.shell("command")?, from: fields.from(From::Host)? },
        };
        let package = fields.text("package")?;
        let health = Health {
            check,
            package: package.map(|package| self.parsed(&package)).transpose()?,
            start_timeout: fields.time("start_timeout", Duration::from_secs(120))?,
            interval: fields.time("interval", Duration::from_millis(100))?,
            successes: fields.number("successes")?.unwrap_or(1).max(1),
            watch: fields.time("watch", Duration::from_secs(1))?,
        };
        fields.finish()?;
        Ok(health)
    }
}

impl Fields<'_> {
    fn http_check(&mut self) -> Checked<HttpCheck> {
        let url = self.needed("url")?;
        let body = self.text("expect_body")?;
        Ok(HttpCheck {
            url: self.reader().http_url("url", &url)?,
            expect_status: self.number("expect_status")?.unwrap_or(200),
            expect_body: body.map(|body| self.reader().text(&body)).transpose()?,
            expect_json: self.texts("expect_json")?,
            max_latency: match self.text("max_latency")? {
                Some(text) => Some(self.reader().time(Some(&text), Duration::ZERO)?),
                None => None,
            },
            from: self.from(From::Controller)?,
        })
    }

    fn from(&mut self, default: From) -> Checked<From> {
        let Some(text) = self.text("from")? else { return Ok(default) };
        let unknown = |value: &str| Located {
            span: text.span(),
            problem: EnvironmentProblem::Shape {
                message: format!("`from` is `{value}`, not `controller` or `host`"),
                nearest: None,
            },
        };
        match self.reader().text(&text)?.as_str() {
            "controller" => Ok(From::Controller),
            "host" => Ok(From::Host),
            other => Err(unknown(other)),
        }
    }

    /// A table of texts; numbers and flags stand for their own texts.
    fn texts(&mut self, key: &'static str) -> Checked<BTreeMap<String, String>> {
        let Some(table) = self.table(key)? else { return Ok(BTreeMap::new()) };
        let text = |(key, value): (String, toml::Value)| {
            let value = match value {
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            Ok((key, self.reader().text(&Spanned::new(self.span(), value))?))
        };
        table.into_iter().map(text).collect()
    }
}

impl Health {
    /// What a host is looked at for, as a person reads it.
    #[must_use]
    pub fn describe(&self, host: &Host) -> String {
        host.fill(&self.check.to_string())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(check) => write!(formatter, "{} answers {}", check.url, check.expect_status),
            Self::Tcp { port, .. } => write!(formatter, "port {port} takes connections"),
            Self::Command { command, .. } => write!(formatter, "`{command}` ends with 0"),
        }
    }
}
