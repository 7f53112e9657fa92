//! Whether a host serves the right version: one request from the controller, and the wait for a good one.

use std::time::Duration;

use async_trait::async_trait;
use nevra::Evr;

use crate::environment::{Endpoint, Health};

/// Asks a host for its health.
#[async_trait]
pub trait HealthProbe: Send + Sync {
    /// Makes one GET request and gives the status and the beginning of the body.
    ///
    /// # Errors
    /// [`HealthError::Request`] where there is no whole answer.
    async fn get(&self, url: &str) -> Result<(u16, String), HealthError>;
}

/// Says why a host is not healthy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// The HTTP client could not be made.
    #[error("HTTP client can't be made: {0}")]
    Client(String),
    /// No whole answer.
    #[error("`{url}` gives no answer: {reason}")]
    Request {
        /// The URL.
        url: String,
        /// What the client says.
        reason: String,
    },
    /// The wrong status.
    #[error("`{url}` answers {status} instead of {expected}")]
    Status {
        /// The URL.
        url: String,
        /// The status.
        status: u16,
        /// The right one.
        expected: u16,
    },
    /// The wrong body.
    #[error("`{url}` answers without `{expected}`; it begins `{begin}`")]
    Body {
        /// The URL.
        url: String,
        /// What should be in it.
        expected: String,
        /// The first line.
        begin: String,
    },
}

/// Requests over HTTP.
#[derive(Debug)]
pub struct HttpProbe(reqwest::Client);

const REQUEST_LIMIT: Duration = Duration::from_secs(5);
/// How much of a body is looked at, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

impl HttpProbe {
    /// Makes the client: direct, without redirects and proxies.
    ///
    /// # Errors
    /// [`HealthError::Client`] where the system's certificates can't be used.
    pub fn new() -> Result<Self, HealthError> {
        // Another part of the process may have installed it already: both mean the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .timeout(REQUEST_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| HealthError::Client(innermost(&error)))
    }
}

#[async_trait]
impl HealthProbe for HttpProbe {
    async fn get(&self, url: &str) -> Result<(u16, String), HealthError> {
        let failed = |error: reqwest::Error| HealthError::Request { url: url.to_owned(), reason: innermost(&error) };
        let mut response = self.0.get(url).send().await.map_err(failed)?;
        let mut body = Vec::new();
        while body.len() < BODY_LIMIT {
            match response.chunk().await.map_err(failed)? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok((response.status().as_u16(), String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The cause at the bottom is what a person wants to know (`Connection refused`).
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Asks once and judges.
///
/// # Errors
/// [`HealthError`] saying what is not right.
pub(crate) async fn check(
    probe: &dyn HealthProbe,
    health: &Health,
    endpoint: &Endpoint,
    version: Option<&Evr>,
) -> Result<(), HealthError> {
    let address = endpoint.address.rsplit_once('@').map_or(endpoint.address.as_str(), |(_, address)| address);
    let url = health.url.replace("{address}", address).replace("{host}", endpoint.name.as_str());
    let (status, body) = probe.get(&url).await?;
    if status != health.expect_status {
        return Err(HealthError::Status { url, status, expected: health.expect_status });
    }
    let Some(expected) = &health.expect_body else { return Ok(()) };
    let expected = match version {
        Some(evr) => expected.replace("{version}", evr.version()).replace("{release}", evr.release()),
        None => expected.clone(),
    };
    if contains_whole(&body, &expected) {
        return Ok(());
    }
    let begin = body.lines().next().unwrap_or_default().chars().take(80).collect();
    Err(HealthError::Body { url, expected, begin })
}

/// Whether the text holds the words, not as a part of longer ones: `1.4.0-5` is not in `1.4.0-57`, nor `4.0` in `1.4.0`.
fn contains_whole(text: &str, words: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(words).any(|(start, found)| {
        let (before, after) = (&text[..start], &text[start + found.len()..]);
        let begins = !words.starts_with(joins) || !continues(before.chars().rev(), joins);
        let ends = !words.ends_with(joins) || !continues(after.chars(), joins);
        begins && ends
    })
}

/// Whether a version goes on there: a letter or a digit, also behind one of the marks that join a version's parts.
fn continues(mut characters: impl Iterator<Item = char>, joins: impl Fn(char) -> bool) -> bool {
    match characters.next() {
        Some('.' | '_' | '+' | '~' | '^') => characters.next().is_some_and(joins),
        Some(character) => joins(character),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u16, &'static str);

    #[async_trait]
    impl HealthProbe for Fixed {
        async fn get(&self, url: &str) -> Result<(u16, String), HealthError> {
            assert_eq!(url, "http://10.0.0.1:8080/web1");
            Ok((self.0, self.1.to_owned()))
        }
    }

    #[test]
    fn a_longer_version_is_another() {
        for (text, words, expected) in [
            ("v 1.4.0-57.", "1.4.0-57", true),
            ("1.4.0-57", "1.4.0-5", false),
            ("11.4.0", "1.4.0", false),
            ("1.1.4.0", "1.4.0", false),
            ("1.4.0.1", "1.4.0", false),
            ("1.4.0~rc1", "1.4.0", false),
            ("1.4.0.1 and 1.4.0", "1.4.0", true),
            ("{\"version\":\"1.4.0\"}", "\"1.4.0\"", true),
            ("UP and more", "UP", true),
        ] {
            assert_eq!(contains_whole(text, words), expected, "{words} in {text}");
        }
    }

    #[tokio::test]
    async fn judges_status_and_version() {
        let health = Health {
            url: "http://{address}:8080/{host}".to_owned(),
            expect_status: 200,
            expect_body: Some("{version}-{release}".to_owned()),
            package: None,
            start_timeout: Duration::from_secs(1),
            interval: Duration::from_millis(1),
        };
        let endpoint = Endpoint { name: "web1".parse().unwrap(), address: "deploy@10.0.0.1".to_owned() };
        let evr: Evr = "1.4.0-57".parse().unwrap();
        check(&Fixed(200, "app 1.4.0-57 ok"), &health, &endpoint, Some(&evr)).await.unwrap();
        for (answer, expected) in [
            (Fixed(503, "1.4.0-57"), "answers 503 instead of 200"),
            (Fixed(200, "app 1.3.0-1\nmore"), "without `1.4.0-57`; it begins `app 1.3.0-1`"),
        ] {
            let error = check(&answer, &health, &endpoint, Some(&evr)).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
