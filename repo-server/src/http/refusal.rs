//! From what went wrong to what the client is told.

use std::error::Error;

use axum::body::Body;
use axum::response::IntoResponse;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use repo_api::{Problem, ProblemKind};

use super::body::ReplyBody;
use crate::access::TokenBookError;
use crate::environments::EnvironmentError;
use crate::error::RepositoryError;
use crate::policy::PolicyError;

/// A request that is not answered as it was asked.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// With a problem.
    Problem(Problem),
    /// Because the URL takes other methods, which are named.
    Method(String),
    /// Because requests come too fast.
    TooFast {
        /// After how many seconds to come again.
        seconds: u64,
    },
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<RepositoryError> for Refusal {
    fn from(error: RepositoryError) -> Self {
        let kind = kind(&error);
        if kind == ProblemKind::Internal {
            // What the store says is the operator's business, not the client's.
            tracing::error!(error = with_causes(&error), "request failed");
            if is_full(&error) {
                return Problem::new(kind, "the disk of the server's store is full; nothing was changed").into();
            }
            return Problem::new(kind, "the server failed; its log says why").into();
        }
        let problem = Problem::new(kind, with_causes(&error));
        match hint(&error) {
            Some(hint) => problem.hint(hint).into(),
            None => problem.into(),
        }
    }
}

fn kind(error: &RepositoryError) -> ProblemKind {
    match error {
        RepositoryError::UnknownChannel { .. } => ProblemKind::UnknownChannel,
        RepositoryError::UnknownPackage { .. } => ProblemKind::UnknownPackage,
        RepositoryError::AmbiguousPackage { .. } => ProblemKind::AmbiguousPackage,
        RepositoryError::NothingNamed => ProblemKind::BadRequest,
        RepositoryError::MissingUpload { .. } => ProblemKind::MissingUpload,
        RepositoryError::NotAnAttachment { .. } => ProblemKind::RefusedPackage,
        RepositoryError::NotAnRpm { .. } => ProblemKind::NotAnRpm,
        RepositoryError::OtherBytes { .. } | RepositoryError::FileNameTaken { .. } => ProblemKind::Conflict,
        RepositoryError::Busy { .. } | RepositoryError::Stopping | RepositoryError::Collected => ProblemKind::Busy,
        RepositoryError::Together(error) => kind(error),
        RepositoryError::Policy(error) => kind_of_policy(error),
        RepositoryError::OtherKey { .. }
        | RepositoryError::NoKeys { .. }
        | RepositoryError::Damaged { .. }
        | RepositoryError::Store(_)
        | RepositoryError::Ledger(_)
        | RepositoryError::Environments(_)
        | RepositoryError::Fold(_)
        | RepositoryError::Key(_)
        | RepositoryError::Render(_) => ProblemKind::Internal,
    }
}

fn kind_of_policy(error: &PolicyError) -> ProblemKind {
    match error {
        PolicyError::PromotionsOnly { .. } | PolicyError::Signature { .. } => ProblemKind::RefusedPackage,
        PolicyError::Settings { .. } | PolicyError::Keys { .. } => ProblemKind::BadRequest,
        PolicyError::ChannelExists(_)
        | PolicyError::SettingsChanged(_)
        | PolicyError::ChannelNotEmpty { .. }
        | PolicyError::ChannelTagged { .. }
        | PolicyError::TagTaken { .. } => ProblemKind::Conflict,
        PolicyError::UnknownTag { .. } | PolicyError::UnknownCommit { .. } => ProblemKind::NotFound,
        PolicyError::Meanwhile(_) => ProblemKind::Busy,
    }
}

fn hint(error: &RepositoryError) -> Option<&'static str> {
    match error {
        RepositoryError::OtherBytes { .. } => Some("build it anew with a higher release, and publish that"),
        RepositoryError::AmbiguousPackage { .. } => Some("write the version and release too"),
        RepositoryError::Busy { .. } | RepositoryError::Collected => Some("try again"),
        _ => None,
    }
}

fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull) {
            return true;
        }
        cause = error.source();
    }
    false
}

pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<TokenBookError> for Refusal {
    fn from(error: TokenBookError) -> Self {
        let kind = match &error {
            TokenBookError::NameTaken(_) => ProblemKind::Conflict,
            TokenBookError::Unknown { .. } => ProblemKind::NotFound,
            TokenBookError::NoScope | TokenBookError::Past(_) => ProblemKind::BadRequest,
            TokenBookError::Busy => ProblemKind::Busy,
            TokenBookError::Ledger(error) => {
                tracing::error!(error = with_causes(error), "request failed");
                return Problem::new(ProblemKind::Internal, "the server failed; its log says why").into();
            }
        };
        Problem::new(kind, error.to_string()).into()
    }
}

impl From<EnvironmentError> for Refusal {
    fn from(error: EnvironmentError) -> Self {
        let kind = match &error {
            EnvironmentError::Taken(_) => ProblemKind::CommitTaken,
            EnvironmentError::Gap { .. } | EnvironmentError::Chain(_) | EnvironmentError::SettingsChanged(_) => {
                ProblemKind::Conflict
            }
            EnvironmentError::Unreadable { .. } | EnvironmentError::Clock { .. } | EnvironmentError::Settings(_) => {
                ProblemKind::BadRequest
            }
            EnvironmentError::Author { .. } => ProblemKind::Forbidden,
            EnvironmentError::Held(_) => ProblemKind::LeaseHeld,
            EnvironmentError::Approval(_) => ProblemKind::ApprovalMissing,
            EnvironmentError::Frozen { .. } => ProblemKind::Frozen,
            EnvironmentError::UnknownDeployment { .. } | EnvironmentError::Unknown(_) => ProblemKind::NotFound,
            EnvironmentError::Busy => ProblemKind::Busy,
            EnvironmentError::Ledger(error) => {
                tracing::error!(error = with_causes(error), "request failed");
                return Problem::new(ProblemKind::Internal, "the server failed; its log says why").into();
            }
        };
        Problem::new(kind, with_causes(&error)).into()
    }
}

impl Refusal {
    /// Tells whether it is the server that failed.
    pub(super) fn is_internal(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.kind == ProblemKind::Internal)
    }

    /// The answer to the request of an id.
    pub(super) fn answer(self, request: &str) -> Response<ReplyBody> {
        let (mut problem, methods, wait) = match self {
            Self::Problem(problem) => (problem, None, None),
            Self::Method(methods) => {
                let detail = format!("allowed is {methods}");
                (Problem::new(ProblemKind::MethodNotAllowed, detail), HeaderValue::from_str(&methods).ok(), None)
            }
            Self::TooFast { seconds } => {
                let detail = format!("requests that write come too fast: try again in {seconds} s");
                (Problem::new(ProblemKind::TooManyRequests, detail), None, Some(seconds))
            }
        };
        problem.instance = Some(format!("urn:pkg:request:{request}"));
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(ReplyBody::whole(serde_json::to_vec(&problem).unwrap_or_default().into()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(methods) = methods {
            headers.insert(ALLOW, methods);
        }
        if let Some(seconds) = wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // The first is what yum, dnf and curl send a user's password to.
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"pkg\", charset=\"UTF-8\""));
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pkg\""));
        }
        response
    }
}

/// On its way out of the table of routes, which knows no request's id.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}
