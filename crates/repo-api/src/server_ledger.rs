//! Ledgers that the repository server keeps: those of environments, for those who write them, and its own, to be read.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ledger::{Extent, Ground, Refused, RemoteError, RemoteLedger, Standing};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};

use crate::client::{Client, ClientError};
use crate::{Problem, ProblemKind, TagName};

/// How long one request may take: a lease does not last much longer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A ledger on a repository server.
#[derive(Debug)]
pub struct ServerLedger {
    client: Client,
    /// Of its commits, below the API's address.
    path: String,
    writer: Option<String>,
}

impl ServerLedger {
    /// The ledger of an environment. Asks the server who the caller is; nothing is written yet, and the environment need not
    /// exist.
    ///
    /// # Errors
    /// [`ClientError`], also where the token is not known.
    pub async fn open(client: Client, environment: TagName) -> Result<Self, ClientError> {
        let writer = client.me().await?.name.map(String::from);
        Ok(Self { client, path: format!("environments/{environment}/commits"), writer })
    }

    /// The ledger of an environment, to be read. Nothing is asked yet.
    #[must_use]
    pub fn of_environment(client: Client, environment: &TagName) -> Self {
        Self { client, path: format!("environments/{environment}/commits"), writer: None }
    }

    /// The ledger of the repository itself, which is only read this way. Nothing is asked yet.
    #[must_use]
    pub fn of_repository(client: Client) -> Self {
        Self { client, path: "commits".to_owned(), writer: None }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.client.url(&format!("{}{path}", self.path));
        self.client.request(method, &url).timeout(TIMEOUT)
    }

    async fn bytes(&self, path: &str) -> Result<Option<Bytes>, RemoteError> {
        match self.client.send(|| Ok(self.request(Method::GET, path))).await {
            Ok(response) => response.bytes().await.map(Some).map_err(|error| RemoteError::Unreachable(error.into())),
            Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::UnknownCommit => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

#[async_trait]
impl RemoteLedger for ServerLedger {
    fn writer(&self) -> Option<&str> {
        self.writer.as_deref()
    }

    async fn create(&self, number: u64, bytes: Bytes) -> Result<Standing, RemoteError> {
        let json = HeaderValue::from_static("application/json");
        let make = || {
            let request = self.request(Method::PUT, &format!("/{number}"));
            Ok(request.header(CONTENT_TYPE, json.clone()).body(bytes.clone()))
        };
        match self.client.send(make).await {
            Ok(_) => Ok(Standing::Ours),
            Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::CommitTaken => Ok(Standing::Theirs),
            Err(error) => Err(failed(error)),
        }
    }

    async fn read(&self, number: u64) -> Result<Option<Bytes>, RemoteError> {
        self.bytes(&format!("/{number}")).await
    }

    async fn after(&self, number: u64, extent: Extent) -> Result<Vec<Bytes>, RemoteError> {
        let abridged = match extent {
            Extent::Whole => "",
            Extent::Abridged => "&abridged=true",
        };
        let lines = self.bytes(&format!("?after={number}{abridged}")).await?.unwrap_or_default();
        // A commit has one line, and an answer that broke off has a length that it does not reach.
        Ok(lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| lines.slice_ref(line))
            .collect())
    }
}

fn failed(error: ClientError) -> RemoteError {
    match error {
        ClientError::Problem(problem) => {
            let passing =
                matches!(problem.kind, ProblemKind::Busy | ProblemKind::TooManyRequests | ProblemKind::Internal);
            if passing { RemoteError::Unreachable(problem.detail.into()) } else { refused(*problem) }
        }
        ClientError::Foreign { status, .. } if status < 500 => {
            let hint = Some("is it the address of a `pkg serve`, and of no other server or proxy?".to_owned());
            RemoteError::Refused(Box::new(Refused { ground: Ground::Other, detail: error.to_string(), hint }))
        }
        error => RemoteError::Unreachable(error.into()),
    }
}

fn refused(problem: Problem) -> RemoteError {
    let ground = match problem.kind {
        ProblemKind::ApprovalMissing => Ground::Approval,
        ProblemKind::Frozen => Ground::Frozen,
        ProblemKind::LeaseHeld => Ground::Lease,
        ProblemKind::Unauthorized | ProblemKind::Forbidden => Ground::Right,
        _ => Ground::Other,
    };
    RemoteError::Refused(Box::new(Refused { ground, detail: problem.detail, hint: problem.hint }))
}
