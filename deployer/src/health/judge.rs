//! What an answer is held against: pure functions.

use std::time::Duration;

use nevra::Evr;
use serde_json::Value;

use super::HealthError;
use crate::environment::HttpCheck;

/// What a host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) latency: Duration,
}

impl Answer {
    /// Reads what `health_http.sh` prints; `None` where there was no answer.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, body) = text.split_once('\n')?;
        let (status, seconds) = first.split_once(' ')?;
        let status = status.parse().ok().filter(|status| *status > 0)?;
        let latency = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
        Some(Self { status, body: body.to_owned(), latency })
    }
}

/// Replaces `{version}` and `{release}`.
pub(super) fn fill(text: &str, version: Option<&Evr>) -> String {
    match version {
        Some(evr) => text.replace("{version}", evr.version()).replace("{release}", evr.release()),
        None => text.to_owned(),
    }
}

/// Holds an answer against what is right.
pub(super) fn judge(check: &HttpCheck, url: &str, answer: &Answer, version: Option<&Evr>) -> Result<(), HealthError> {
    let url = url.to_owned();
    if answer.status != check.expect_status {
        return Err(HealthError::Status { url, status: answer.status, expected: check.expect_status });
    }
    if let Some(expected) = check.expect_body.as_ref().map(|expected| fill(expected, version))
        && !contains_whole(&answer.body, &expected)
    {
        let begin = answer.body.lines().next().unwrap_or_default().chars().take(80).collect();
        return Err(HealthError::Body { url, expected, begin });
    }
    if !check.expect_json.is_empty() {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        for (path, expected) in &check.expect_json {
            let (expected, found) = (fill(expected, version), text_at(&body, path));
            if found.as_ref() != Some(&expected) {
                let found = found.map_or("nothing".to_owned(), |found| format!("`{found}`"));
                return Err(HealthError::Json { url, path: path.clone(), expected, found });
            }
        }
    }
    match check.max_latency {
        Some(limit) if answer.latency > limit => Err(HealthError::Latency { url, took: answer.latency, limit }),
        _ => Ok(()),
    }
}

/// What is at a dotted path; a number steps into a list.
fn text_at(body: &Value, path: &str) -> Option<String> {
    let step = |value: &Value, key: &str| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?).cloned(),
        other => other.get(key).cloned(),
    };
    let found = path.split('.').try_fold(body.clone(), |value, key| step(&value, key))?;
    Some(match found {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// Whether the text holds the words, not as a part of longer ones: `1.4.0-5` is not in `1.4.0-57`, nor `4.0` in `1.4.0`.
fn contains_whole(text: &str, words: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(words).any(|(start, found)| {
        let (before, after) = (&text[..start], &text[start + found.len()..]);
        let begins = !words.starts_with(joins) || !continues(before.chars().rev(), joins);
        let ends = !words.ends_with(joins) || !continues(after.chars(), joins);
        begins && ends
    })
}

/// Whether a version goes on there: a letter or a digit, also behind one of the marks that join a version's parts.
fn continues(mut characters: impl Iterator<Item = char>, joins: impl Fn(char) -> bool) -> bool {
    match characters.next() {
        Some('.' | '_' | '+' | '~' | '^') => characters.next().is_some_and(joins),
        Some(character) => joins(character),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::environment::From;

    #[test]
    fn a_longer_version_is_another() {
        for (text, words, expected) in [
            ("v 1.4.0-57.", "1.4.0-57", true),
            ("1.4.0-57", "1.4.0-5", false),
            ("11.4.0", "1.4.0", false),
            ("1.1.4.0", "1.4.0", false),
            ("1.4.0.1", "1.4.0", false),
            ("1.4.0~rc1", "1.4.0", false),
            ("1.4.0.1 and 1.4.0", "1.4.0", true),
            ("{\"version\":\"1.4.0\"}", "\"1.4.0\"", true),
            ("UP and more", "UP", true),
        ] {
            assert_eq!(contains_whole(text, words), expected, "{words} in {text}");
        }
    }

    fn check() -> HttpCheck {
        HttpCheck {
            url: "http://web1/".to_owned(),
            expect_status: 200,
            expect_body: None,
            expect_json: BTreeMap::new(),
            max_latency: None,
            from: From::Controller,
        }
    }

    fn judged(check: &HttpCheck, status: u16, body: &str) -> String {
        let evr: Evr = "1.4.0-57".parse().unwrap();
        let answer = Answer { status, body: body.to_owned(), latency: Duration::from_millis(40) };
        judge(check, &check.url, &answer, Some(&evr)).map_or_else(|error| error.to_string(), |()| "well".to_owned())
    }

    #[test]
    fn judges_status_and_version() {
        let check = HttpCheck { expect_body: Some("{version}-{release}".to_owned()), ..check() };
        for (status, body, expected) in [
            (200, "app 1.4.0-57 ok", "well"),
            (503, "1.4.0-57", "`http://web1/` answers 503 instead of 200"),
            (200, "app 1.3.0-1\nmore", "`http://web1/` answers without `1.4.0-57`; it begins `app 1.3.0-1`"),
            (200, "", "`http://web1/` answers without `1.4.0-57`; it begins ``"),
        ] {
            assert_eq!(judged(&check, status, body), expected);
        }
    }

    #[test]
    fn judges_json_by_its_paths() {
        let expect = [("status", "UP"), ("build.version", "{version}"), ("nodes.1.ready", "true")];
        let expect_json = expect.map(|(path, value)| (path.to_owned(), value.to_owned())).into();
        let check = HttpCheck { expect_json, ..check() };
        let body = r#"{"status": "UP", "build": {"version": "1.4.0"}, "nodes": [{"ready": false}, {"ready": true}]}"#;
        assert_eq!(judged(&check, 200, body), "well");
        let older = body.replace("1.4.0", "1.4.0.1");
        assert_eq!(judged(&check, 200, &older), "`http://web1/` has `1.4.0.1` at `build.version` instead of `1.4.0`");
        assert_eq!(judged(&check, 200, "<html>"), "`http://web1/` has nothing at `build.version` instead of `1.4.0`");
    }

    #[test]
    fn judges_latency() {
        let check = |limit| HttpCheck { max_latency: Some(Duration::from_millis(limit)), ..check() };
        assert_eq!(judged(&check(40), 200, ""), "well");
        assert_eq!(judged(&check(39), 200, ""), "`http://web1/` answers after 40 ms; 39 ms are allowed");
    }

    #[test]
    fn reads_what_the_host_saw() {
        let answer = Answer::parse("200 0.004500\nok 1.0\nmore\n").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok 1.0\nmore\n"));
        assert_eq!(answer.latency, Duration::from_micros(4500));
        for text in ["", "000 0.0\ncurl: exit code 7\n", "curl: exit code 7\n", "200 x\n"] {
            assert_eq!(Answer::parse(text), None, "{text}");
        }
    }
}
