//! Asks a JIRA for tickets: `/rest/api/2/search`, and where that is gone, as in the cloud, `/rest/api/2/search/jql`.
//!
//! Sources: "JIRA Server platform REST API reference", "Jira Cloud platform REST API v2", "Rate limiting" of both.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Method, Response, StatusCode, Url};

use super::answer::{Page, Refusal};
use super::{JiraError, Ticket};
use crate::{Line, mentions};

/// Who asks.
#[derive(Clone)]
pub enum Credentials {
    /// Whoever.
    Nobody,
    /// A personal access token, of a server or a data centre.
    Token(String),
    /// A person's mail address and API token, of the cloud.
    User(String, String),
}

/// One JIRA.
#[derive(Clone)]
pub struct Jira {
    http: reqwest::Client,
    server: String,
    credentials: Credentials,
    customer_field: Option<String>,
}

/// Tickets that were asked for by their keys.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that are there, by key.
    pub tickets: BTreeMap<String, Ticket>,
    /// The keys that JIRA does not know, or does not show us.
    pub missing: Vec<String>,
}

/// How tickets are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    /// Pages are counted.
    Counted,
    /// Pages have tokens.
    Tokens,
}

const PAGE: usize = 100;
/// As many as a URL holds well.
const KEYS_AT_A_TIME: usize = 100;
const MOST: usize = 20_000;
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

impl Jira {
    /// Makes a client; nothing is sent yet. `customer_field` is the field, such as `customfield_10042`, that holds what
    /// customers read.
    ///
    /// # Errors
    /// [`JiraError`] for an address or credentials that can't be used.
    pub fn new(server: &str, credentials: Credentials, customer_field: Option<&str>) -> Result<Self, JiraError> {
        let wrong = || JiraError::Address(server.to_owned());
        let url: Url = server.parse().map_err(|_| wrong())?;
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain || url.password().is_some() {
            return Err(wrong());
        }
        let can_be_sent = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if let Credentials::Token(token) | Credentials::User(_, token) = &credentials
            && !can_be_sent(token)
        {
            return Err(JiraError::Token);
        }
        Ok(Self {
            http: http_client(&url)?,
            server: url.as_str().trim_end_matches('/').to_owned(),
            credentials,
            customer_field: customer_field.map(str::to_owned),
        })
    }

    /// Finds what a query (JQL) fits, in the order that JIRA gives.
    ///
    /// # Errors
    /// [`JiraError`]
    pub async fn search(&self, jql: &str) -> Result<Vec<Ticket>, JiraError> {
        match self.pages(jql, Endpoint::Counted).await {
            // The cloud took this address away.
            Err(JiraError::Refused { status: 404 | 405 | 410, .. }) => self.pages(jql, Endpoint::Tokens).await,
            other => other,
        }
    }

    /// Finds the tickets of some keys. A key that is not there does not hide the others.
    ///
    /// # Errors
    /// [`JiraError`]
    pub async fn tickets(&self, keys: &[String]) -> Result<Found, JiraError> {
        let keys: Vec<&String> = keys.iter().filter(|key| mentions::is_key(key)).collect();
        let mut found = Found::default();
        for keys in keys.chunks(KEYS_AT_A_TIME) {
            self.find_into(&mut found, keys.iter().map(|key| (*key).clone()).collect()).await?;
            let missing = keys.iter().filter(|key| !found.tickets.contains_key(key.as_str()));
            found.missing.extend(missing.map(|key| (*key).clone()));
        }
        Ok(found)
    }

    /// JIRA refuses a query for keys of which one is not there: those that it names are asked for no more, and where it
    /// names none, the keys are asked for by halves.
    async fn find_into(&self, found: &mut Found, keys: Vec<String>) -> Result<(), JiraError> {
        let mut open = vec![keys];
        while let Some(keys) = open.pop() {
            if keys.is_empty() {
                continue;
            }
            let said = match self.search(&format!("key in ({}) order by key", keys.join(", "))).await {
                Ok(tickets) => {
                    found.tickets.extend(tickets.into_iter().map(|ticket| (ticket.key.clone(), ticket)));
                    continue;
                }
                Err(JiraError::Query { said, .. }) => said,
                Err(error) => return Err(error),
            };
            let names = |key: &String| {
                said.as_str()
                    .split(|character: char| !character.is_ascii_alphanumeric() && character != '-')
                    .any(|word| word == key)
            };
            let known: Vec<String> = keys.iter().filter(|key| !names(key)).cloned().collect();
            if known.len() < keys.len() {
                open.push(known);
            } else if keys.len() > 1 {
                let (left, right) = keys.split_at(keys.len() / 2);
                open.extend([right.to_vec(), left.to_vec()]);
            }
        }
        Ok(())
    }

    async fn pages(&self, jql: &str, endpoint: Endpoint) -> Result<Vec<Ticket>, JiraError> {
        let mut tickets = Vec::new();
        let (mut seen, mut token) = (0, None::<String>);
        loop {
            let page = self.page(jql, endpoint, (seen, token.as_deref())).await?;
            seen += page.issues.len();
            let customer_field = self.customer_field.as_deref();
            tickets.extend(page.issues.iter().filter_map(|issue| issue.ticket(&self.server, customer_field)));
            if tickets.len() > MOST {
                return Err(JiraError::TooMany(MOST));
            }
            let is_last = match endpoint {
                Endpoint::Counted => page.total.is_none_or(|total| seen >= total),
                Endpoint::Tokens => {
                    page.is_last == Some(true) || page.next_page_token.is_none() || page.next_page_token == token
                }
            };
            if is_last || page.issues.is_empty() {
                return Ok(tickets);
            }
            token = page.next_page_token;
        }
    }

    async fn page(
        &self,
        jql: &str,
        endpoint: Endpoint,
        (start, token): (usize, Option<&str>),
    ) -> Result<Page, JiraError> {
        let fields = ["summary", "issuetype", "description", "fixVersions"];
        let fields: Vec<&str> = fields.into_iter().chain(self.customer_field.as_deref()).collect();
        let (path, start) = match endpoint {
            Endpoint::Counted => ("/rest/api/2/search", start.to_string()),
            Endpoint::Tokens => ("/rest/api/2/search/jql", String::new()),
        };
        let (size, fields) = (PAGE.to_string(), fields.join(","));
        let mut query = vec![("jql", jql), ("maxResults", &size), ("fields", &fields)];
        if endpoint == Endpoint::Counted {
            query.push(("startAt", &start));
        }
        query.extend(token.map(|token| ("nextPageToken", token)));
        let url = Url::parse_with_params(&format!("{}{path}", self.server), &query)
            .map_err(|_| JiraError::Address(self.server.clone()))?;
        let response = self.send(&url).await?;
        let status = response.status();
        if status.is_success() {
            let foreign = || JiraError::Foreign { url: format!("{}{path}", self.server), status: status.as_u16() };
            return response.json().await.map_err(|_| foreign());
        }
        let refusal: Refusal = response.json().await.unwrap_or_default();
        let said = refusal.said();
        if status == StatusCode::BAD_REQUEST {
            return Err(JiraError::Query { jql: Line::new(jql), said });
        }
        let reason = || Line::new(status.canonical_reason().unwrap_or("no reason given"));
        let said = if said.is_empty() { reason() } else { said };
        Err(JiraError::Refused { server: self.server.clone(), status: status.as_u16(), said })
    }

    /// Sends a question, again where JIRA is busy or passes; waits as long as it is asked to.
    async fn send(&self, url: &Url) -> Result<Response, JiraError> {
        let mut attempt = 1;
        loop {
            let request = self.http.request(Method::GET, url.clone()).header("accept", "application/json");
            let request = match &self.credentials {
                Credentials::Nobody => request,
                Credentials::Token(token) => request.bearer_auth(token),
                Credentials::User(user, token) => request.basic_auth(user, Some(token)),
            };
            let outcome = request.send().await;
            let asked = outcome.as_ref().ok().and_then(retry_after);
            let passing = match &outcome {
                Ok(response) => matches!(response.status().as_u16(), 408 | 429 | 502 | 503 | 504),
                Err(error) => !error.is_builder() && !error.is_redirect(),
            };
            let pause = asked.unwrap_or(FIRST_PAUSE * 2_u32.pow(attempt - 1));
            if !passing || attempt == ATTEMPTS || pause > LONGEST_PAUSE {
                let server = self.server.clone();
                return match outcome {
                    Ok(response) if passing && response.status() == StatusCode::TOO_MANY_REQUESTS => {
                        Err(JiraError::Busy { server, seconds: pause.as_secs(), attempts: attempt })
                    }
                    Ok(response) => Ok(response),
                    Err(source) => Err(JiraError::Unreachable { server, source: source.without_url() }),
                };
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

fn http_client(server: &Url) -> Result<reqwest::Client, JiraError> {
    // Every user of TLS in the process may ask for this; the first one decides, and all ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("pkg/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        // A token is for this server alone.
        .redirect(reqwest::redirect::Policy::none());
    if server.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    let host = server.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    if host == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(JiraError::Setup)
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    (date.to_utc() - chrono::Utc::now()).to_std().ok()
}

impl std::fmt::Debug for Jira {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Jira").field("server", &self.server).finish_non_exhaustive()
    }
}
