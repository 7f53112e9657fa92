//! The commits of the repository's own ledger, for whoever follows its chain: bytes as they were written.

use bytes::Bytes;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use repo_api::{Permission, Problem, ProblemKind};

use super::super::body::ReplyBody;
use super::super::call::{Call, Named};
use super::super::guard::Reads;
use super::super::refusal::Refusal;
use super::query::Query;

type Answer = Result<Response<ReplyBody>, Refusal>;

/// Gives commits after a number, one to a line: some of them, and none only where there are none.
pub(super) async fn list(call: Call) -> Answer {
    permit(&call).await?;
    let after = Query::read(call.uri.query(), &["after"])?.value("after")?.unwrap_or(0);
    Ok(written("application/x-ndjson", call.app.repository.written_commits(after).await?))
}

/// Gives a commit.
pub(super) async fn show(Named(number): Named<u64>, call: Call) -> Answer {
    permit(&call).await?;
    let commit = call.app.repository.written_commit(number).await?;
    let missing = || Problem::new(ProblemKind::UnknownCommit, format!("the repository has no commit {number}"));
    Ok(written("application/json", commit.ok_or_else(missing)?))
}

/// A commit can't be shown in part, or its hash is another: so only to those who may read every channel that there ever was.
async fn permit(call: &Call) -> Result<(), Refusal> {
    if Reads::of(&call.app, &call.origin, &call.headers).await.everything() {
        return Ok(());
    }
    // Who is not known at all is told so.
    call.permit(Permission::Read, None).await?;
    let detail = "commits name every channel that there ever was: the token has to allow `admin`";
    let hint = "`pkg log` shows what was done in the channels that the token reads";
    Err(Problem::new(ProblemKind::Forbidden, detail).hint(hint).into())
}

/// Commits as they were written.
pub(super) fn written(kind: &'static str, bytes: Bytes) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
