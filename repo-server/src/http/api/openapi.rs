//! The OpenAPI document: the API as programs read it.
//!
//! OpenAPI 3.1: <https://spec.openapis.org/oas/v3.1.1.html>

use std::sync::OnceLock;

use bytes::Bytes;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use repo_api::{Problem, Snapshot};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::body::ReplyBody;
use super::super::refusal::Refusal;
use super::audit::LONGEST;
use super::operations::{Content, OPERATIONS, Operation, of};

/// Problems that any operation can have.
const ANY: [u16; 6] = [400, 401, 403, 429, 500, 503];

/// Answers with the document.
pub(super) async fn answer() -> Result<Response<ReplyBody>, Refusal> {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let text = DOCUMENT.get_or_init(|| document().to_string().into());
    let mut response = Response::new(ReplyBody::whole(text.clone()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        })
        .into_generator();
    let problem = of::<Problem>(&mut generator);
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let described = describe(operation, &mut generator);
        let path = paths.entry(operation.path).or_insert_with(|| json!({ "parameters": parameters(operation.path) }));
        path[operation.method] = described;
    }
    let mut schemas = generator.take_definitions(true);
    bound_names(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "pkg repository",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Publish, promote and withdraw packages. Every request can be sent again: uploads are named \
                by their sha256, and a change that was made already is answered as such.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "token": [] }, { "password": [] }, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "password": { "type": "http", "scheme": "basic", "description": "any user; the token is the password" },
            },
            "responses": { "problem": {
                "description": "what is wrong (RFC 9457)",
                "content": { "application/problem+json": { "schema": problem } },
            }},
            "schemas": schemas,
        },
    })
}

/// Says of every `who` and `why` what [`super::audit`] allows.
fn bound_names(schemas: &mut Map<String, Value>) {
    for schema in schemas.values_mut() {
        for name in ["who", "why"] {
            if let Some(text) = schema.pointer_mut(&format!("/properties/{name}")).and_then(Value::as_object_mut) {
                text.insert("maxLength".to_owned(), LONGEST.into());
                text.insert("pattern".to_owned(), r"^[^\x00-\x1f\x7f-\x9f]*$".into());
            }
        }
    }
}

fn describe(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for (status, meaning) in operation.answers {
        let mut response = json!({ "description": meaning });
        if let Some(content) = content(&operation.gives, generator) {
            response["content"] = content;
        }
        responses.insert(status.to_string(), response);
    }
    // What a path holds may be nothing that there is, or could be.
    let missing: &[u16] = if operation.path.contains('{') { &[404] } else { &[] };
    for status in ANY.iter().chain(operation.problems).chain(missing) {
        responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/problem" }));
    }
    let description = match operation.scope {
        "" => "Open to all.".to_owned(),
        scope => format!("Scope of the token: {scope}."),
    };
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": description,
        "responses": responses,
    });
    let query = query(operation.id, generator);
    if !query.is_empty() {
        described["parameters"] = query.into();
    }
    if let Some(content) = content(&operation.body, generator) {
        described["requestBody"] = json!({ "required": true, "content": content });
    }
    described
}

fn content(content: &Content, generator: &mut SchemaGenerator) -> Option<Value> {
    match content {
        Content::None => None,
        Content::File => {
            Some(json!({ "application/octet-stream": { "schema": {} }, "application/x-rpm": { "schema": {} } }))
        }
        Content::Text(kind) => Some(json!({ *kind: { "schema": { "type": "string" } } })),
        Content::Json(schema) => Some(json!({ "application/json": { "schema": schema(generator) } })),
    }
}

/// The parameters that stand in the query of a URL.
fn query(id: &str, generator: &mut SchemaGenerator) -> Vec<Value> {
    let text = json!({ "type": "string", "maxLength": LONGEST, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$" });
    let number = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
    let moment = json!({ "type": "string", "pattern": "^([1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9._-]{0,63})$" });
    let snapshot = of::<Snapshot>(generator);
    let version =
        json!({ "type": "string", "pattern": "^([1-9][0-9]{0,8}:)?[A-Za-z0-9._+~^]{1,60}-[A-Za-z0-9._+~^]{1,60}$" });
    let parameters = match id {
        "showEnvironment" => vec![("at", false, json!({ "type": "string", "format": "date-time" }))],
        "listDeployments" => vec![("before", false, json!({ "type": "string", "pattern": "^D-[0-9]{4,9}$" }))],
        "followEnvironment" | "listRepositoryCommits" => vec![("after", false, number)],
        "listCommits" => vec![("after", false, number), ("abridged", false, json!({ "type": "boolean" }))],
        "listNotes" => vec![
            ("package", true, json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._+-]{0,200}$" })),
            ("from", false, version.clone()),
            ("to", true, version),
        ],
        "listPackages" => vec![("at", false, moment)],
        "compare" => vec![("from", true, snapshot.clone()), ("to", true, snapshot)],
        "removeChannel" | "removeTag" | "revokeToken" => vec![("who", false, text.clone()), ("why", false, text)],
        "findJar" => vec![
            ("jar", true, json!({ "type": "string", "minLength": 1, "maxLength": LONGEST })),
            (
                "version",
                false,
                json!({ "type": "string", "pattern": "^(([<>]=?|=)?[0-9][0-9A-Za-z._]{0,60}(,|$)){0,4}$" }),
            ),
            (
                "at",
                false,
                json!({ "type": "string", "pattern": "^([1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9._-]{0,63}|2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]))$" }),
            ),
            ("withdrawn", false, json!({ "type": "boolean" })),
        ],
        "log" => vec![
            ("channel", false, json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$" })),
            ("since", false, json!({ "type": "string", "format": "date-time" })),
            ("before", false, number.clone()),
            ("limit", false, number),
        ],
        _ => Vec::new(),
    };
    parameters
        .into_iter()
        .map(|(name, required, schema)| json!({ "name": name, "in": "query", "required": required, "schema": schema }))
        .collect()
}

/// The parameters that stand in a path, with what they may be.
fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            if name == "number" {
                let number = json!({ "type": "integer", "minimum": 1, "maximum": u64::MAX });
                return json!({ "name": name, "in": "path", "required": true, "schema": number });
            }
            let pattern = match name {
                "deployment" => "^D-[0-9]{4,9}$",
                "sha256" => "^[0-9a-f]{64}$",
                "tag" | "environment" => "^[A-Za-z][A-Za-z0-9._-]{0,63}$",
                "name" => "^[A-Za-z0-9._@-]{1,64}$",
                _ => "^[a-z0-9][a-z0-9_-]{0,63}$",
            };
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "pattern": pattern } })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refers_only_to_what_it_holds() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        assert!(text.contains("urn") || document["components"]["schemas"]["Problem"].is_object());
    }
}
