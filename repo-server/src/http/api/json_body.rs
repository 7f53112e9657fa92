//! Reading the JSON body of a request.

use axum::body::Body;
use futures::StreamExt;
use http::header::CONTENT_TYPE;
use repo_api::{Problem, ProblemKind};
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::body::moving;
use super::super::call::Call;
use super::super::refusal::Refusal;

/// Reads a JSON body. The content type is asked for because no web page of another site can send it unasked.
pub(super) async fn read<T: DeserializeOwned + JsonSchema>(call: &Call, body: Body) -> Result<T, Refusal> {
    let bytes = bytes(call, body).await?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    let schema = SchemaGenerator::default().into_root_schema_for::<T>().to_value();
    // serde takes a list for an object whose fields come in order.
    if !value.is_object() || has_stray_list(&schema, &schema, &value) {
        return Err(bad("a list stands where the API's document says object".to_owned()).into());
    }
    // Read anew for messages that name the line.
    serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()).into())
}

/// Reads the bytes of a body that says that it is JSON.
pub(super) async fn bytes(call: &Call, body: Body) -> Result<Vec<u8>, Refusal> {
    let limits = &call.app.limits;
    let content_type = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(bad(format!("the body is `{content_type}`: allowed is `application/json`")).into());
    }
    let limit = limits.json_size;
    let read = async {
        let mut pieces = std::pin::pin!(moving(body, limits.stall));
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| bad(format!("the body stopped: {error}")))?;
            if bytes.len() + piece.len() > limit {
                return Err(Problem::new(ProblemKind::TooLarge, format!("at most {limit} bytes are allowed")));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    };
    tokio::time::timeout(limits.stall, read)
        .await
        .map_err(|_| bad(format!("the body did not come within {} s", limits.stall.as_secs())).into())
        .and_then(|read| read.map_err(Refusal::from))
}

fn bad(detail: String) -> Problem {
    Problem::new(ProblemKind::BadRequest, detail)
}

/// Tells whether a list stands where a schema allows none.
fn has_stray_list(root: &Value, schema: &Value, value: &Value) -> bool {
    let reference = schema.get("$ref").and_then(|reference| reference.as_str()?.strip_prefix('#'));
    if let Some(target) = reference.and_then(|pointer| root.pointer(pointer)) {
        return has_stray_list(root, target, value);
    }
    if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        return choices.iter().all(|choice| has_stray_list(root, choice, value));
    }
    let stray = |part: Option<&Value>, value| part.is_some_and(|part| has_stray_list(root, part, value));
    match (value, schema.get("type")) {
        (Value::Array(_), Some(Value::String(kind))) if kind != "array" => true,
        (Value::Array(_), Some(Value::Array(kinds))) if !kinds.iter().any(|kind| kind == "array") => true,
        (Value::Array(items), _) => items.iter().any(|item| stray(schema.get("items"), item)),
        (Value::Object(fields), _) => fields.iter().any(|(name, field)| {
            let property = schema.get("properties").and_then(|properties| properties.get(name));
            stray(property.or_else(|| schema.get("additionalProperties")), field)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use repo_api::{ChannelRequest, PromoteRequest, PublishRequest};
    use serde_json::json;

    use super::*;

    fn is_refused<T: JsonSchema>(value: &Value) -> bool {
        let schema = SchemaGenerator::default().into_root_schema_for::<T>().to_value();
        has_stray_list(&schema, &schema, value)
    }

    #[test]
    fn lists_are_no_objects() {
        let sha256 = "0".repeat(64);
        assert!(!is_refused::<PublishRequest>(&json!({ "packages": [{ "sha256": sha256, "file_name": "a" }] })));
        assert!(is_refused::<PublishRequest>(&json!({ "packages": [[sha256, "a"]] })));
        assert!(!is_refused::<ChannelRequest>(&json!({ "settings": {}, "before": null })));
        assert!(is_refused::<ChannelRequest>(&json!({ "settings": [] })));
        assert!(is_refused::<ChannelRequest>(&json!({ "settings": {}, "before": [] })));
        for to in [json!("qa"), json!(["qa", "prod"])] {
            assert!(!is_refused::<PromoteRequest>(&json!({ "packages": ["a-1"], "from": "dev", "to": to })), "{to}");
        }
    }
}
