//! The client of the repository server's API.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::io::ReaderStream;

use crate::{
    AttachRequest, Attached, ChannelList, ChannelName, FileDigest, LocalPackage, NewToken, PackageList, Problem,
    ProblemKind, PromoteRequest, Promoted, PublishRequest, Published, ReasonRequest, TokenInfo, TokenList, TokenName,
    TokenRequest, WithdrawRequest, Withdrawn,
};

/// How often a request is sent before its failure is reported. Every request of the API may be sent again: uploads are
/// named by their digest, and a change that was made already is answered as such.
const ATTEMPTS: u32 = 6;
/// How long to wait after the first attempt; doubled after each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest time that a server's `Retry-After` is heeded for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may stay silent.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// How much of a file is sent at a time, bytes.
const CHUNK: usize = 1 << 18;

/// Talks to one repository server. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    authorization: Option<HeaderValue>,
}

/// Says why the server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's address is no URL that can be used.
    #[error("`{0}` is not a server's address: allowed is `http://HOST[:PORT]` or `https://…`, with a path if needed")]
    Server(String),
    /// The token can't stand in an HTTP header.
    #[error("the token holds characters that can't be sent: allowed is printable ASCII without spaces")]
    Token,
    /// The HTTP client can't be made.
    #[error("HTTPS can't be used on this machine")]
    Setup(#[source] reqwest::Error),
    /// No answer came, whatever was tried.
    #[error("server `{server}` can't be reached")]
    Unreachable {
        /// The server's address.
        server: String,
        /// What failed at last.
        #[source]
        source: reqwest::Error,
    },
    /// A file to be uploaded can't be read; the cause names it.
    #[error("a file can't be read")]
    File(#[source] std::io::Error),
    /// The server says what is wrong.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The answer is none that this API gives.
    #[error("`{url}` answered {status}, but not as a repository server does")]
    Foreign {
        /// The URL that was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
}

impl Client {
    /// Makes a client for the server at an address such as `http://127.0.0.1:8080`, with the token for writing if
    /// there is one. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError`] for an address or a token that can't be used.
    pub fn new(server: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let wrong = || ClientError::Server(server.to_owned());
        let mut url: Url = server.parse().map_err(|_| wrong())?;
        let usable = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
        if !usable || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong());
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let authorization = token.map(bearer).transpose()?;
        Ok(Self { http: http_client(&url)?, server: url, authorization })
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }

    /// Tells whether the server has a file already, so that it need not be uploaded; also whether it would take it from
    /// us at all.
    ///
    /// # Errors
    /// [`ClientError`], also where writing is not allowed.
    pub async fn has_upload(&self, digest: &FileDigest) -> Result<bool, ClientError> {
        let url = self.url(&format!("blobs/{digest}"));
        match self.send(|| Ok(self.request(Method::GET, &url))).await {
            Ok(_) => Ok(true),
            Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::MissingUpload => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Uploads a file, in constant memory.
    ///
    /// # Errors
    /// [`ClientError`], also where the file has changed since it was read.
    pub async fn upload(&self, package: &LocalPackage) -> Result<(), ClientError> {
        let url = self.url(&format!("blobs/{}", package.sha256));
        self.send(|| {
            let file = fs_err::File::open(&package.path).map_err(ClientError::File)?;
            let stream = ReaderStream::with_capacity(fs_err::tokio::File::from_std(file), CHUNK);
            let request = self.request(Method::PUT, &url).header(CONTENT_LENGTH, package.size);
            Ok(request.header(CONTENT_TYPE, "application/x-rpm").body(Body::wrap_stream(stream)))
        })
        .await
        .map(drop)
    }

    /// Lists uploaded packages in a channel, all of them in one commit.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn publish(&self, channel: &ChannelName, request: &PublishRequest) -> Result<Published, ClientError> {
        self.post(&format!("channels/{channel}/packages"), request).await
    }

    /// Lists packages of one channel in another too.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn promote(&self, request: &PromoteRequest) -> Result<Promoted, ClientError> {
        self.post("promotions", request).await
    }

    /// Lists packages in a channel no longer.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn withdraw(&self, channel: &ChannelName, request: &WithdrawRequest) -> Result<Withdrawn, ClientError> {
        self.post(&format!("channels/{channel}/withdrawals"), request).await
    }

    /// Changes what a channel shows beside its packages.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn attach(&self, channel: &ChannelName, request: &AttachRequest) -> Result<Attached, ClientError> {
        self.post(&format!("channels/{channel}/attachments"), request).await
    }

    /// Gives the channels.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn channels(&self) -> Result<ChannelList, ClientError> {
        self.get("channels").await
    }

    /// Gives what a channel lists.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn packages(&self, channel: &ChannelName) -> Result<PackageList, ClientError> {
        self.get(&format!("channels/{channel}/packages")).await
    }

    /// Makes a token. A token whose answer is lost on the way is never known, so this is sent once.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn create_token(&self, request: &TokenRequest) -> Result<NewToken, ClientError> {
        let request = self.request(Method::POST, &self.url("tokens")).json(request);
        let unreachable = |source| ClientError::Unreachable { server: self.server().to_owned(), source };
        let response = request.send().await.map_err(unreachable)?;
        if response.status().is_success() { read(response).await } else { Err(refusal(response).await) }
    }

    /// Gives the tokens that have not been revoked.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn tokens(&self) -> Result<TokenList, ClientError> {
        self.get("tokens").await
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn revoke_token(&self, name: &TokenName, reason: &ReasonRequest) -> Result<TokenInfo, ClientError> {
        self.delete(&format!("tokens/{name}"), reason).await
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = self.url(path);
        read(self.send(|| Ok(self.request(Method::GET, &url))).await?).await
    }

    /// The URL of a path, to which a query can be added.
    pub(crate) fn address(&self, path: &str) -> Result<Url, ClientError> {
        Url::parse(&self.url(path)).map_err(|_| ClientError::Server(self.server().to_owned()))
    }

    pub(crate) async fn read_from<T: DeserializeOwned>(&self, url: &Url) -> Result<T, ClientError> {
        read(self.send(|| Ok(self.request(Method::GET, url.as_str()))).await?).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let url = self.url(path);
        read(self.send(|| Ok(self.request(Method::POST, &url).json(body))).await?).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}api/v1/{path}", self.server)
    }

    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization.clone()),
            None => request,
        }
    }

    /// Sends a request, again if need be, and gives its answer if that is a success.
    pub(crate) async fn send(
        &self,
        make: impl Fn() -> Result<RequestBuilder, ClientError>,
    ) -> Result<Response, ClientError> {
        let mut attempt = 1;
        loop {
            let outcome = make()?.send().await;
            let passing = match &outcome {
                Ok(response) => is_passing(response.status()),
                Err(error) => !error.is_builder() && !error.is_redirect(),
            };
            let asked = outcome.as_ref().ok().and_then(retry_after);
            if !passing || attempt == ATTEMPTS {
                return match outcome {
                    Ok(response) if response.status().is_success() => Ok(response),
                    Ok(response) => Err(refusal(response).await),
                    Err(source) => Err(ClientError::Unreachable { server: self.server().to_owned(), source }),
                };
            }
            let pause = FIRST_PAUSE * 2_u32.pow(attempt - 1);
            tokio::time::sleep(asked.map_or(pause, |asked| asked.max(pause))).await;
            attempt += 1;
        }
    }
}

/// Makes the HTTP client. Certificates are only loaded where they are needed, and a server on this machine is not
/// reached through a proxy.
fn http_client(server: &Url) -> Result<reqwest::Client, ClientError> {
    // Every user of TLS in the process may ask for this; the first one decides, and all ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("pkg/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    if server.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    if server.host_str().is_some_and(is_loopback) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(ClientError::Setup)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn bearer(token: &str) -> Result<HeaderValue, ClientError> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ClientError::Token);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ClientError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Tells whether a status speaks of a state that passes by itself. A server that failed (500) fails again.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::REQUEST_TIMEOUT
    )
}

/// How long the server asks to wait, as far as that is heeded; its other form, a date, is not.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

pub(crate) async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    let foreign = foreign(&response);
    response.json().await.map_err(|_| foreign)
}

async fn refusal(response: Response) -> ClientError {
    let foreign = foreign(&response);
    match response.json::<Problem>().await {
        Ok(problem) => ClientError::Problem(Box::new(problem)),
        Err(_) => foreign,
    }
}

fn foreign(response: &Response) -> ClientError {
    ClientError::Foreign { url: response.url().to_string(), status: response.status().as_u16() }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn addresses() {
        for good in ["http://127.0.0.1:8080", "http://[::1]:8080", "https://rpm.example.org/pkg/"] {
            assert_eq!(Client::new(good, None).unwrap().server(), good.trim_end_matches('/'));
        }
        for bad in ["", "localhost:8080", "ftp://a", "http://", "http://a?b", "http://user:secret@a"] {
            assert!(matches!(Client::new(bad, None), Err(ClientError::Server(_))), "{bad}");
        }
        for bad in ["", "a b", "a\nb", "ü"] {
            assert!(matches!(Client::new("http://a", Some(bad)), Err(ClientError::Token)), "{bad}");
        }
    }

    /// Serves one canned answer per connection and gives the server's address.
    async fn canned(answers: Vec<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        format!("http://{address}")
    }

    const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn tries_again_what_passes() {
        let list = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 26\r\n\r\n{\"commit\":7,\"channels\":[]}";
        let client = Client::new(&canned(vec![BUSY, "", list]).await, None).unwrap();
        assert_eq!(client.channels().await.unwrap().commit, 7);
    }

    #[tokio::test]
    async fn waits_as_long_as_it_is_told() {
        let later = "HTTP/1.1 429 Later\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let list = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 26\r\n\r\n{\"commit\":7,\"channels\":[]}";
        let client = Client::new(&canned(vec![later, list]).await, None).unwrap();
        let started = std::time::Instant::now();
        assert_eq!(client.channels().await.unwrap().commit, 7);
        assert!(started.elapsed() >= Duration::from_secs(1));
    }

    #[tokio::test]
    async fn reports_what_does_not() {
        let text = r#"{"type":"urn:pkg:problem:unknown-channel","title":"t","status":404,"detail":"no `x`"}"#;
        let answer = format!("HTTP/1.1 404 No\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        let client = Client::new(&canned(vec![answer.leak()]).await, None).unwrap();
        let error = client.packages(&"x".parse().unwrap()).await.unwrap_err();
        assert!(
            matches!(&error, ClientError::Problem(problem) if problem.kind == ProblemKind::UnknownChannel),
            "{error}"
        );

        let client = Client::new(&canned(vec![BUSY; ATTEMPTS as usize]).await, None).unwrap();
        let error = client.channels().await.unwrap_err();
        assert!(matches!(error, ClientError::Foreign { status: 503, .. }), "{error}");
    }

    #[tokio::test]
    async fn says_that_nobody_listens() {
        let error = Client::new("http://127.0.0.1:1", None).unwrap().channels().await.unwrap_err();
        assert_eq!(error.to_string(), "server `http://127.0.0.1:1` can't be reached");
    }
}
