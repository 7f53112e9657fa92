//! From what went wrong to what the client is told.

use std::error::Error;

use axum::Json;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use repo_api::{Problem, ProblemKind};

use crate::error::RepositoryError;

/// A request that is not answered as it was asked.
#[derive(Debug)]
pub(super) enum Refusal {
    /// With a problem.
    Problem(Problem),
    /// Because the URL takes other methods, which are named.
    Method(&'static str),
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
        RepositoryError::NotAnRpm { .. } => ProblemKind::NotAnRpm,
        RepositoryError::OddNevra { .. } => ProblemKind::RefusedPackage,
        RepositoryError::OtherBytes { .. } | RepositoryError::FileNameTaken { .. } => ProblemKind::Conflict,
        RepositoryError::Busy { .. } | RepositoryError::Stopping => ProblemKind::Busy,
        RepositoryError::OtherKey { .. }
        | RepositoryError::Damaged { .. }
        | RepositoryError::Store(_)
        | RepositoryError::Ledger(_)
        | RepositoryError::Fold(_)
        | RepositoryError::Key(_)
        | RepositoryError::Render(_) => ProblemKind::Internal,
    }
}

fn hint(error: &RepositoryError) -> Option<&'static str> {
    match error {
        RepositoryError::OtherBytes { .. } => Some("build it anew with a higher release, and publish that"),
        RepositoryError::FileNameTaken { .. } => Some("change its version or release too, not only its epoch"),
        RepositoryError::AmbiguousPackage { .. } => Some("write the version and release too"),
        RepositoryError::Busy { .. } => Some("try again"),
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

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (problem, methods) = match self {
            Self::Problem(problem) => (problem, None),
            Self::Method(methods) => {
                (Problem::new(ProblemKind::MethodNotAllowed, format!("allowed is {methods}")), Some(methods))
            }
        };
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(methods) = methods {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pkg\""));
        }
        response
    }
}
