//! Which packages carry a jar.

use http::{Response, StatusCode};
use repo_api::{Problem, ProblemKind};

use super::super::body::ReplyBody;
use super::super::call::Call;
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::super::ui::{Reader, find_jars, jar_search};
use super::query::Query;

/// Finds the packages, of channels that the client may read, that carry a jar.
pub(super) async fn find(call: Call) -> Result<Response<ReplyBody>, Refusal> {
    let reader = Reader::of(&call).await?;
    let query = Query::read(call.uri.query(), &["jar", "version", "at", "withdrawn"])?;
    let text = |name| query.text(name).unwrap_or_default();
    let (jar, version, at) = (text("jar"), text("version"), text("at"));
    if jar.is_empty() {
        return Err(Problem::new(ProblemKind::BadRequest, "the query says nothing of `jar`").into());
    }
    let with_withdrawn = query.value::<bool>("withdrawn")?.unwrap_or_default();
    let asked = jar_search(&reader.visible.state, [&jar, &version, &at], with_withdrawn)?;
    json(StatusCode::OK, &find_jars(&call, &reader, asked).await?)
}
