//! What a change refers to: tickets, issues, merge requests, vulnerabilities, each with its page.

use serde::{Deserialize, Serialize};

use crate::Line;

/// A reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// What it is.
    pub kind: ReferenceKind,
    /// How people write it: `ABC-123`, `#12`, `owner/repository#12`, `!34`, `CVE-2026-1234`.
    pub id: Line,
    /// What it is called there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Line>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<WebAddress>,
}

/// What is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// A ticket of JIRA, `ABC-123`.
    Ticket,
    /// An issue of GitHub or GitLab, `#12`; of GitHub also a pull request.
    Issue,
    /// A merge request of GitLab, `!34`.
    MergeRequest,
    /// A vulnerability, `CVE-2026-1234`.
    Vulnerability,
}

/// The address of a page: `http` or `https`, and nothing in it that could end an attribute or a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebAddress(String);

/// Says why a text is no page's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no page's address: allowed is `https://…` or `http://…`, without blanks and quotes")]
pub struct ParseWebAddressError(Line);

impl Reference {
    /// Makes one of which no more is known.
    #[must_use]
    pub fn new(kind: ReferenceKind, id: &str) -> Self {
        Self { kind, id: Line::new(id), title: None, url: None }
    }
}

impl WebAddress {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, with its port.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }
}

impl TryFrom<String> for WebAddress {
    type Error = ParseWebAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_plain = |character: char| {
            !character.is_whitespace()
                && !character.is_control()
                && !matches!(character, '"' | '\'' | '<' | '>' | '`' | '\\')
        };
        let fits = rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_alphanumeric() || first == '['));
        let harmless = Line::new(&text).as_str() == text;
        if fits && harmless && text.chars().all(is_plain) {
            Ok(Self(text))
        } else {
            Err(ParseWebAddressError(Line::new(&text)))
        }
    }
}

impl From<WebAddress> for String {
    fn from(address: WebAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_pages() {
        for good in ["https://jira.example.org/browse/ABC-1", "http://[::1]:8080/?a=b&c=(d)#e"] {
            assert_eq!(WebAddress::try_from(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in ["", "javascript:alert(1)", "https://", "https://a\"b", "https://a b", "https://a/\u{202e}", "//a"] {
            assert!(WebAddress::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert_eq!(WebAddress::try_from("https://a.example:1/b".to_owned()).unwrap().host(), "a.example:1");
    }
}
