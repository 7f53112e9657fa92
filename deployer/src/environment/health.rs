//! How a host shows that it serves the right version.

use std::time::Duration;

use nevra::Name;
use serde::Deserialize;

use super::EnvironmentProblem;
use super::reader::{Checked, Reader, Text, at};

/// How a host shows that it serves the right version: a request from the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The URL, with `{address}` and `{host}` for the host's.
    pub url: String,
    /// The status that is right, 200 by default.
    pub expect_status: u16,
    /// What the body must contain, with `{version}` and `{release}` for the package's.
    pub expect_body: Option<String>,
    /// Whose version and release those are; by default those of the first package deployed.
    pub package: Option<Name>,
    /// How long a started host has until it must be right, 2 minutes by default.
    pub start_timeout: Duration,
    /// The time between two requests, 250 ms by default.
    pub interval: Duration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHealth {
    pub(super) url: Text,
    pub(super) expect_status: Option<u16>,
    pub(super) expect_body: Option<Text>,
    pub(super) package: Option<Text>,
    pub(super) start_timeout: Option<Text>,
    pub(super) interval: Option<Text>,
}

impl Reader<'_> {
    pub(super) fn health(&self, raw: &RawHealth) -> Checked<Health> {
        let url = self.text(&raw.url)?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let rule = "not a URL that begins with `http://` or `https://`";
            return Err(at(&raw.url, EnvironmentProblem::Text { field: "url", value: url, rule }));
        }
        Ok(Health {
            url,
            expect_status: raw.expect_status.unwrap_or(200),
            expect_body: raw.expect_body.as_ref().map(|body| self.text(body)).transpose()?,
            package: raw.package.as_ref().map(|package| self.parsed(package)).transpose()?,
            start_timeout: self.time(raw.start_timeout.as_ref(), Duration::from_secs(120))?,
            interval: self.time(raw.interval.as_ref(), Duration::from_millis(250))?,
        })
    }
}
