//! Uploads: files by their sha256, which can be sent again as often as need be.

use axum::body::Body;
use http::header::CONTENT_LENGTH;
use http::{Response, StatusCode};
use ledger::ReceiveError;
use repo_api::{FileDigest, Permission, Problem, ProblemKind, Uploaded};

use super::super::body::{ReplyBody, moving};
use super::super::call::{Call, Named};
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::packages::store_digest;
use crate::error::RepositoryError;

/// Says whether a file has been uploaded.
pub(super) async fn look(Named(digest): Named<FileDigest>, call: Call) -> Result<Response<ReplyBody>, Refusal> {
    call.permit_change(Permission::Publish, None).await?;
    let size = call.app.repository.uploaded(&store_digest(&digest)).await?;
    match size {
        Some(size) => json(StatusCode::OK, &Uploaded { sha256: digest, size }),
        None => Err(Problem::new(ProblemKind::MissingUpload, format!("`{digest}` has not been uploaded")).into()),
    }
}

/// Takes a file in as it comes.
pub(super) async fn receive(
    Named(digest): Named<FileDigest>,
    call: Call,
    body: Body,
) -> Result<Response<ReplyBody>, Refusal> {
    call.permit_change(Permission::Publish, None).await?;
    let limits = &call.app.limits;
    let announced = call.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|size: u64| size > limits.file_size) {
        return Err(too_large(limits.file_size));
    }
    let expected = store_digest(&digest);
    let body = moving(body, limits.stall);
    match call.app.repository.store().receive_blob(Some(expected), body, limits.file_size).await {
        Ok(received) => json(StatusCode::CREATED, &Uploaded { sha256: digest, size: received.size }),
        Err(error @ ReceiveError::Mismatch { .. }) => {
            let hint = "the file changed while it was sent: try again";
            Err(Problem::new(ProblemKind::DigestMismatch, error.to_string()).hint(hint).into())
        }
        Err(ReceiveError::TooLarge { limit }) => Err(too_large(limit)),
        Err(error @ ReceiveError::Body(_)) => {
            Err(Problem::new(ProblemKind::InterruptedUpload, error.to_string()).into())
        }
        Err(ReceiveError::Store(error)) => Err(RepositoryError::from(error).into()),
    }
}

fn too_large(limit: u64) -> Refusal {
    Problem::new(ProblemKind::TooLarge, format!("at most {limit} bytes are allowed")).into()
}
