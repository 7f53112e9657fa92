//! Reading the JSON body of a request.

use futures::StreamExt;
use http::Request;
use http::header::CONTENT_TYPE;
use hyper::body::Incoming;
use repo_api::{Problem, ProblemKind};
use serde::de::DeserializeOwned;

use super::super::body::moving;
use super::super::refusal::Refusal;
use super::super::settings::Limits;

/// Reads a JSON body. The content type is asked for because no web page of another site can send it unasked.
pub(super) async fn read<T: DeserializeOwned>(request: Request<Incoming>, limits: &Limits) -> Result<T, Refusal> {
    let bad = |detail: String| Problem::new(ProblemKind::BadRequest, detail);
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(bad(format!("the body is `{content_type}`: allowed is `application/json`")).into());
    }
    let limit = limits.json_size;
    let read = async {
        let mut pieces = std::pin::pin!(moving(request.into_body(), limits.stall));
        let mut body = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| bad(format!("the body stopped: {error}")))?;
            if body.len() + piece.len() > limit {
                return Err(Problem::new(ProblemKind::TooLarge, format!("at most {limit} bytes are allowed")));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    };
    let body = tokio::time::timeout(limits.stall, read)
        .await
        .map_err(|_| bad(format!("the body did not come within {} s", limits.stall.as_secs())))??;
    // serde would take a list for an object whose fields come in order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte != b'{') {
        return Err(bad("the body is no JSON object".to_owned()).into());
    }
    serde_json::from_slice(&body).map_err(|error| bad(error.to_string()).into())
}
