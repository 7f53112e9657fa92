//! The commits of an environment's ledger as controllers read and make them: bytes that are kept as they came.

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use ledger::Extent;
use repo_api::{Committed, Permission, Problem, ProblemKind, TagName};

use super::super::super::call::{Both, Call, Named};
use super::super::super::reply::json;
use super::super::commits::written;
use super::super::json_body;
use super::super::query::Query;
use super::Answer;
use super::kept::hold;
use crate::environments::Appended;

/// Gives commits after a number, one to a line: some of those that are asked for, and none only where there are none.
pub(super) async fn list(Named(name): Named<TagName>, call: Call) -> Answer {
    call.permit_environment(Permission::Watch, &name).await?;
    let query = Query::read(call.uri.query(), &["after", "abridged"])?;
    let after = query.value("after")?.unwrap_or(0);
    let extent = if query.value("abridged")?.unwrap_or(false) { Extent::Abridged } else { Extent::Whole };
    let environment = call.app.environments.current(&name).await?;
    Ok(written("application/x-ndjson", environment.commits(after, extent).await?))
}

/// Gives a commit.
pub(super) async fn show(Both(name, number): Both<TagName, u64>, call: Call) -> Answer {
    call.permit_environment(Permission::Watch, &name).await?;
    let commit = call.app.environments.at_hand(&name).commit(number).await?;
    let missing = || Problem::new(ProblemKind::UnknownCommit, format!("`{name}` has no commit {number}"));
    Ok(written("application/json", commit.ok_or_else(missing)?))
}

/// Makes a commit, if it may be made and no other has its number.
pub(super) async fn make(Both(name, number): Both<TagName, u64>, call: Call, body: Body) -> Answer {
    let controller = call.permit_environment(Permission::Deploy, &name).await?;
    let bytes = Bytes::from(json_body::bytes(&call, body).await?);
    let appended = call.app.environments.append(&name, number, bytes, &controller).await?;
    let status = match appended {
        Appended::Known => StatusCode::OK,
        Appended::New { needs } => {
            if let Some(needs) = needs {
                hold(&call.app, &name, needs).await;
            }
            StatusCode::CREATED
        }
    };
    json(status, &Committed { commit: number })
}
