//! What may stand before a fragment's text: TOML between lines of `+++`, or `key: value` between lines of `---`.

use serde::Deserialize;

use crate::{Line, Prose};

/// What is said of a change before its text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrontMatter {
    /// The kind of change, in place of the file name's.
    pub(crate) kind: Option<String>,
    /// Tickets and issues besides the file name's.
    #[serde(default)]
    pub(crate) issues: Vec<String>,
    /// What customers read.
    pub(crate) customer: Option<Prose>,
    pub(crate) scope: Option<Line>,
    #[serde(default)]
    pub(crate) breaking: bool,
}

/// Says why a front matter does not hold.
#[derive(Debug, thiserror::Error)]
pub enum FrontMatterError {
    /// It does not end.
    #[error("line 1: the front matter has no end; allowed is another line of `{0}`")]
    NoEnd(&'static str),
    /// It is no TOML of such keys.
    #[error("line {line}: {message}")]
    Toml {
        /// Counted from 1.
        line: usize,
        /// What the reader says.
        message: String,
    },
    /// A line is none of `key: value`.
    #[error(
        "line {line}: `{text}` is no `key: value`; what needs several lines can stand in TOML, between lines of `+++`"
    )]
    NoPair {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// The key is none.
    #[error("line {line}: `{key}` is no key; allowed are `kind`, `issues`, `customer`, `scope`, `breaking`")]
    Key {
        /// Counted from 1.
        line: usize,
        /// The key.
        key: String,
    },
}

/// Splits a text into what stands before it, if anything does, and itself.
pub(crate) fn split(text: &str) -> Result<(FrontMatter, &str), FrontMatterError> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default().trim_end();
    let mark = match first {
        "+++" => "+++",
        "---" => "---",
        _ => return Ok((FrontMatter::default(), text)),
    };
    let start = text.find('\n').map_or(text.len(), |end| end + 1);
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == mark {
            let matter = if mark == "+++" { toml(&text[start..end])? } else { pairs(&text[start..end])? };
            return Ok((matter, &text[end + line.len()..]));
        }
        end += line.len();
    }
    Err(FrontMatterError::NoEnd(mark))
}

fn toml(text: &str) -> Result<FrontMatter, FrontMatterError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        FrontMatterError::Toml { line: 2 + before.matches('\n').count(), message: error.message().to_owned() }
    })
}

fn pairs(text: &str) -> Result<FrontMatter, FrontMatterError> {
    let mut matter = FrontMatter::default();
    for (line, text) in (2..).zip(text.lines()) {
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let no_pair = || FrontMatterError::NoPair { line, text: text.trim_end().to_owned() };
        let (key, value) = text.split_once(':').ok_or_else(no_pair)?;
        let value = unquoted(value.trim());
        if matches!(value, "" | "|" | ">" | "|-" | ">-") {
            return Err(no_pair());
        }
        match key.trim() {
            "kind" => matter.kind = Some(value.to_owned()),
            "issues" => {
                let list = value.trim_start_matches('[').trim_end_matches(']');
                matter.issues = list.split(',').map(|item| unquoted(item.trim()).to_owned()).collect();
            }
            "customer" => matter.customer = Prose::new(value),
            "scope" => matter.scope = Some(Line::new(value)),
            "breaking" => matter.breaking = matches!(value, "true" | "yes"),
            key => return Err(FrontMatterError::Key { line, key: key.to_owned() }),
        }
    }
    Ok(matter)
}

fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}
