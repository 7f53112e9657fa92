//! A server that speaks as JIRA's REST API is documented: searches with pages, refusals, limits of rate.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A server or data centre: `/rest/api/2/search`, pages by `startAt`.
    Server,
    /// The cloud: that address is gone, `/rest/api/2/search/jql` has pages by `nextPageToken`.
    Cloud,
    /// Lets in every other request only.
    Limited,
    /// Never lets in.
    Closed,
    /// Knows nobody.
    Unauthorized,
    /// Is no JIRA.
    Foreign,
}

/// A running server.
pub(crate) struct JiraServer {
    pub(crate) url: String,
    /// The targets of all requests, with the header `authorization`.
    pub(crate) asked: Arc<Mutex<Vec<(String, String)>>>,
}

/// How many tickets it gives at a time, whatever is asked for.
const PAGE: usize = 50;
const MISSING: &str = "SHOP-404";

impl JiraServer {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0; 1];
                    if stream.read(&mut byte).await.unwrap() == 0 {
                        break;
                    }
                    request.push(byte[0]);
                }
                let text = String::from_utf8(request).unwrap();
                let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
                let is_authorization = |line: &&str| line.to_ascii_lowercase().starts_with("authorization:");
                let authorization = text.lines().find(is_authorization).and_then(|line| line.split_once(": "));
                let authorization = authorization.map(|(_, value)| value.to_owned()).unwrap_or_default();
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push((target.clone(), authorization));
                    log.len()
                };
                let (status, headers, body) = answer(manner, &target, number);
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }

    /// The addresses that were asked for, without what was asked.
    pub(crate) fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(target, _)| target.split('?').next().unwrap().to_owned()).collect()
    }
}

fn answer(manner: Manner, target: &str, number: usize) -> (u16, &'static str, String) {
    let url = reqwest::Url::parse(&format!("http://x{target}")).unwrap();
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let path = url.path();
    match manner {
        Manner::Closed => return (429, "retry-after: 3600\r\n", String::new()),
        Manner::Limited if number % 2 == 1 => return (429, "retry-after: 0\r\n", String::new()),
        Manner::Unauthorized => {
            return (401, "", json!({"errorMessages": ["You are not <b>authenticated</b>."]}).to_string());
        }
        Manner::Foreign => return (200, "", "<html>welcome</html>".to_owned()),
        Manner::Cloud if path == "/rest/api/2/search" => {
            return (410, "", json!({"errorMessages": ["The requested API has been removed."]}).to_string());
        }
        Manner::Cloud if path != "/rest/api/2/search/jql" => return (404, "", String::new()),
        Manner::Server | Manner::Limited if path != "/rest/api/2/search" => return (404, "", String::new()),
        _ => {}
    }
    let keys = match keys(&value("jql").unwrap_or_default()) {
        Ok(keys) => keys,
        Err(messages) => return (400, "", json!({"errorMessages": messages, "errors": {}}).to_string()),
    };
    let start: usize = match manner {
        Manner::Cloud => value("nextPageToken").map_or(0, |token| token.trim_start_matches("page-").parse().unwrap()),
        _ => value("startAt").unwrap().parse().unwrap(),
    };
    let page: Vec<Value> = keys.iter().skip(start).take(PAGE).map(|key| ticket(key)).collect();
    let end = start + page.len();
    let body = match manner {
        Manner::Cloud if end < keys.len() => {
            json!({"issues": page, "isLast": false, "nextPageToken": format!("page-{end}")})
        }
        Manner::Cloud => json!({"issues": page, "isLast": true}),
        _ => json!({"startAt": start, "maxResults": PAGE, "total": keys.len(), "issues": page}),
    };
    (200, "", body.to_string())
}

/// The keys that a query finds.
fn keys(jql: &str) -> Result<Vec<String>, Vec<String>> {
    if let Some(list) = jql.strip_prefix("key in (").and_then(|rest| rest.split(')').next()) {
        let keys: Vec<String> = list.split(',').map(|key| key.trim().to_owned()).collect();
        if keys.iter().any(|key| key == MISSING) {
            return Err(vec![format!("An issue with key '{MISSING}' does not exist for field 'key'.")]);
        }
        // The cloud does not always say which.
        if keys.iter().any(|key| key == "SECRET-1") {
            return Err(vec!["One of the values does not exist or you do not have permission to view it.".to_owned()]);
        }
        return Ok(keys);
    }
    if jql.starts_with("fixVersion = \"1.4\"") {
        return Ok((1..=120).map(|number| format!("SHOP-{number}")).collect());
    }
    Err(vec![format!("Error in the JQL Query: '{jql}'")])
}

fn ticket(key: &str) -> Value {
    let number: usize = key.rsplit('-').next().unwrap().parse().unwrap();
    let issue_type = ["Bug", "Story", "Improvement", "Task"][number % 4];
    json!({"id": number.to_string(), "key": key, "fields": {
        "summary": format!("Ticket {number} <img src=x onerror=alert(1)> & \u{202e}\u{1b}[31mmore"),
        "issuetype": {"name": issue_type},
        "description": if number == 2 {
            json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "A document."}]}]})
        } else {
            json!("h2. Markup\r\n\r\n<b>text</b>")
        },
        "fixVersions": [{"name": "1.4"}],
        "customfield_1": if number == 1 { json!("Orders can be <paid>.") } else { Value::Null },
    }})
}
