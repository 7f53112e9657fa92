//! Requests from the controller.

use std::time::Duration;

use async_trait::async_trait;

use super::HealthError;

/// Asks a host for its health.
#[async_trait]
pub trait HealthProbe: Send + Sync {
    /// Makes one GET request and gives the status and the beginning of the body.
    ///
    /// # Errors
    /// [`HealthError::Request`] where there is no whole answer.
    async fn get(&self, url: &str) -> Result<(u16, String), HealthError>;
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
