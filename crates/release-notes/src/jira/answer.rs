//! JIRA's JSON: a page of a search, a ticket, a refusal. Versions 2 (text in its own markup) and 3 (texts as documents).

use serde::Deserialize;
use serde_json::Value;

use super::Ticket;
use crate::{Line, Prose, WebAddress, mentions};

/// A page of what a search finds. Servers and data centres count (`startAt`, `total`), the cloud gives a token.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) issues: Vec<Issue>,
    #[serde(default)]
    pub(super) total: Option<usize>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
    #[serde(default)]
    pub(super) is_last: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    key: String,
    #[serde(default)]
    fields: serde_json::Map<String, Value>,
}

/// A refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Refusal {
    pub(super) error_messages: Vec<String>,
    pub(super) errors: serde_json::Map<String, Value>,
    message: Option<String>,
}

impl Issue {
    /// The ticket, with its page below the server's address; none where its key is no key.
    pub(super) fn ticket(&self, server: &str, customer_field: Option<&str>) -> Option<Ticket> {
        if !mentions::is_key(&self.key) {
            return None;
        }
        let field = |name: &str| self.fields.get(name);
        let name_of = |value: &Value| value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Ticket {
            key: self.key.clone(),
            issue_type: field("issuetype").map(name_of).unwrap_or_default(),
            summary: Line::new(field("summary").and_then(Value::as_str).unwrap_or_default()),
            description: field("description").and_then(prose),
            customer: customer_field.and_then(field).and_then(prose),
            url: WebAddress::try_from(format!("{server}/browse/{}", self.key)).ok(),
            fix_versions: field("fixVersions").and_then(Value::as_array).into_iter().flatten().map(name_of).collect(),
        })
    }
}

impl Refusal {
    /// All that it says, in one line.
    pub(super) fn said(&self) -> Line {
        let errors = self.errors.values().filter_map(Value::as_str);
        let all = self.error_messages.iter().map(String::as_str).chain(errors).chain(self.message.as_deref());
        Line::new(&all.collect::<Vec<_>>().join(" "))
    }
}

/// A text, or a document of version 3 (Atlassian Document Format) as its plain text.
fn prose(value: &Value) -> Option<Prose> {
    match value {
        Value::String(text) => Prose::new(text),
        Value::Object(_) => {
            let mut text = String::new();
            document_text(value, &mut text, 0);
            Prose::new(&text)
        }
        _ => None,
    }
}

/// Documents may be nested; nobody nests them deeper.
const DEEPEST: usize = 40;

fn document_text(node: &Value, text: &mut String, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let kind = node.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "text" => text.push_str(node.get("text").and_then(Value::as_str).unwrap_or_default()),
        "hardBreak" => text.push('\n'),
        "listItem" => text.push_str("- "),
        "mention" | "emoji" => {
            let shown = node.get("attrs").and_then(|attributes| attributes.get("text")).and_then(Value::as_str);
            text.push_str(shown.unwrap_or_default());
        }
        _ => {}
    }
    for child in node.get("content").and_then(Value::as_array).into_iter().flatten() {
        document_text(child, text, depth + 1);
    }
    match kind {
        "paragraph" | "heading" | "codeBlock" if depth > 2 => text.push('\n'),
        "paragraph" | "heading" | "codeBlock" | "bulletList" | "orderedList" => text.push_str("\n\n"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_text() {
        let document = serde_json::json!({"type": "doc", "version": 1, "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "One "}, {"type": "text", "text": "<b>"}]},
            {"type": "bulletList", "content": [
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}]},
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "b"}]}]}]}]});
        assert_eq!(prose(&document).unwrap().as_str(), "One <b>\n\n- a\n- b");
        assert_eq!(prose(&Value::Null), None);
    }
}
