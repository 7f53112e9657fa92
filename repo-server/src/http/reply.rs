//! Answering with a file: validators, ranges, HEAD, and bodies in large chunks.

use std::ops::Range;

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, LAST_MODIFIED, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use ledger::Digest;
use repo_api::{Problem, ProblemKind};

use super::body::ReplyBody;
use super::refusal::Refusal;
use crate::engine::Repository;
use crate::error::RepositoryError;

/// A file to answer with.
#[derive(Debug)]
pub(super) struct Reply {
    /// The sha256 of its bytes.
    digest: Digest,
    content: Content,
    /// All headers of an answer with the whole of it, but for its length.
    headers: HeaderMap,
}

/// Whether the URL can ever answer with other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    Revalidate,
    Immutable,
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Content {
    Memory(Bytes),
    /// In the blob of the reply's digest, of this size.
    Blob(u64),
}

/// Which bytes are asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    Nothing,
}

impl Reply {
    /// The sha256 of its bytes.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// Makes a reply of a file, whose ETag is its digest. `modified` is in seconds since 1970.
    pub(super) fn new(
        digest: Digest,
        content_type: &'static str,
        caching: Caching,
        modified: Option<u64>,
        content: Content,
    ) -> Self {
        let mut headers = HeaderMap::with_capacity(10);
        let caching = match caching {
            Caching::Revalidate => "no-cache",
            Caching::Immutable => "public, max-age=31536000, immutable",
        };
        // Digits and dates always are header values.
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{digest}\"")) {
            headers.insert(ETAG, etag);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(modified) = modified.and_then(http_date).and_then(|date| HeaderValue::from_str(&date).ok()) {
            headers.insert(LAST_MODIFIED, modified);
        }
        Self { digest, content, headers }
    }

    /// The same of a URL that may answer with other bytes one day.
    pub(super) fn revalidated(mut self) -> Self {
        self.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        self
    }

    /// Adds headers to every answer with it.
    pub(super) fn with(mut self, headers: &[(http::HeaderName, &'static str)]) -> Self {
        self.headers.extend(headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
        self
    }

    /// Makes a reply of a text that is made on the fly.
    pub(super) fn text(content_type: &'static str, text: String) -> Self {
        let bytes = Bytes::from(text);
        Self::new(Digest::of(&bytes), content_type, Caching::Revalidate, None, Content::Memory(bytes))
    }

    /// Answers a GET or HEAD.
    pub(super) async fn answer(
        &self,
        repository: &Repository,
        method: &Method,
        asked: &HeaderMap,
    ) -> Result<Response<ReplyBody>, Refusal> {
        let size = self.content.size();
        if is_known(asked, &self.headers) {
            return Ok(self.respond(StatusCode::NOT_MODIFIED, ReplyBody::empty()));
        }
        let (status, range) = match wanted(asked, &self.headers, size) {
            Wanted::Whole => (StatusCode::OK, 0..size),
            Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
            Wanted::Nothing => {
                let mut response = self.respond(StatusCode::RANGE_NOT_SATISFIABLE, ReplyBody::empty());
                set(&mut response, CONTENT_RANGE, &format!("bytes */{size}"));
                return Ok(response);
            }
        };
        let body = match &self.content {
            _ if method == Method::HEAD => ReplyBody::empty(),
            Content::Memory(bytes) => ReplyBody::whole(slice(bytes, &range)),
            // Boxed: what is in memory shall not pay for the size of this.
            Content::Blob(_) => Box::pin(blob_body(repository, &self.digest, range.clone())).await?,
        };
        let mut response = self.respond(status, body);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        if status == StatusCode::PARTIAL_CONTENT {
            set(&mut response, CONTENT_RANGE, &format!("bytes {}-{}/{size}", range.start, range.end - 1));
        }
        Ok(response)
    }

    fn respond(&self, status: StatusCode, body: ReplyBody) -> Response<ReplyBody> {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

fn set(response: &mut Response<ReplyBody>, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Blob(size) => *size,
        }
    }
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let position = |at: u64| usize::try_from(at).unwrap_or(bytes.len()).min(bytes.len());
    bytes.slice(position(range.start)..position(range.end))
}

async fn blob_body(repository: &Repository, digest: &Digest, range: Range<u64>) -> Result<ReplyBody, Refusal> {
    let size = range.end - range.start;
    let blob = repository.store().open_blob(digest, Some(range)).await.map_err(RepositoryError::from)?;
    let damaged = RepositoryError::Damaged { digest: *digest, what: "missing" };
    Ok(ReplyBody::blob(blob.ok_or(damaged)?, size))
}

/// The `HTTP-date` of RFC 9110, section 5.6.7.
pub(super) fn http_date(seconds: u64) -> Option<String> {
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
    Some(time.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn seconds(value: &HeaderValue) -> Option<i64> {
    let time = NaiveDateTime::parse_from_str(value.to_str().ok()?, "%a, %d %b %Y %H:%M:%S GMT").ok()?;
    Some(time.and_utc().timestamp())
}

/// Tells whether the client has the file already (RFC 9110, sections 13.1.2 and 13.1.3).
fn is_known(asked: &HeaderMap, ours: &HeaderMap) -> bool {
    if asked.contains_key(IF_NONE_MATCH) {
        let etag = ours.get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let known = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
        let values = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        return values.flat_map(|value| value.split(',')).map(str::trim).any(known);
    }
    let Some(since) = asked.get(IF_MODIFIED_SINCE).and_then(seconds) else { return false };
    ours.get(LAST_MODIFIED).and_then(seconds).is_some_and(|modified| modified <= since)
}

/// Reads `Range` (RFC 9110, section 14.2): one range of bytes; anything else is answered with the whole.
fn wanted(headers: &HeaderMap, ours: &HeaderMap, size: u64) -> Wanted {
    let holds = |value: &HeaderValue| Some(value) == ours.get(ETAG) || Some(value) == ours.get(LAST_MODIFIED);
    if headers.get(IF_RANGE).is_some_and(|value| !holds(value)) {
        return Wanted::Whole;
    }
    let range = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.trim().split_once('-')) else {
        return Wanted::Whole;
    };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => Wanted::Whole,
        (Ok(first), Ok(last)) if first < size => Wanted::Part(first..last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() && first < size => Wanted::Part(first..size),
        (Err(_), Ok(count)) if first.is_empty() && count > 0 && size > 0 => {
            Wanted::Part(size.saturating_sub(count)..size)
        }
        (Ok(_), Ok(_)) => Wanted::Nothing,
        (Ok(_), Err(_)) if last.is_empty() => Wanted::Nothing,
        (Err(_), Ok(_)) if first.is_empty() => Wanted::Nothing,
        _ => Wanted::Whole,
    }
}

/// An answer of JSON, which nobody keeps.
pub(super) fn json(status: StatusCode, value: &impl serde::Serialize) -> Result<Response<ReplyBody>, Refusal> {
    let text = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be put together");
        Problem::new(ProblemKind::Internal, "the server failed; its log says why")
    })?;
    let mut response = Response::new(ReplyBody::whole(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc\"";

    fn ours() -> HeaderMap {
        headers(&[("etag", TAG), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")])
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-5", Wanted::Part(2..6)),
            ("bytes=2-", Wanted::Part(2..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("bytes=5-300", Wanted::Part(5..10)),
            ("bytes=5-18446744073709551615", Wanted::Part(5..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
        ] {
            assert_eq!(wanted(&headers(&[("range", range)]), &ours(), 10), expected, "{range}");
        }
        assert_eq!(wanted(&headers(&[("range", "bytes=0-1"), ("if-range", "\"old\"")]), &ours(), 10), Wanted::Whole);
        assert_eq!(wanted(&headers(&[("range", "bytes=0-1"), ("if-range", TAG)]), &ours(), 10), Wanted::Part(0..2));
        let dated = [("range", "bytes=0-1"), ("if-range", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(wanted(&headers(&dated), &ours(), 10), Wanted::Part(0..2));
        assert_eq!(wanted(&headers(&[("range", "bytes=0-")]), &ours(), 0), Wanted::Nothing);
    }

    #[test]
    fn validators() {
        for value in [TAG, "W/\"abc\"", "*", "\"x\", \"abc\""] {
            assert!(is_known(&headers(&[("if-none-match", value)]), &ours()), "{value}");
        }
        for value in ["\"x\"", "abc", ""] {
            assert!(!is_known(&headers(&[("if-none-match", value)]), &ours()), "{value}");
        }
    }

    #[test]
    fn times() {
        let at = |time| is_known(&headers(&[("if-modified-since", time)]), &ours());
        assert!(at("Sun, 06 Nov 1994 08:49:37 GMT") && at("Sun, 06 Nov 1994 08:49:38 GMT"));
        assert!(!at("Sun, 06 Nov 1994 08:49:36 GMT") && !at("yesterday"));
        let other_tag = [("if-none-match", "\"x\""), ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert!(!is_known(&headers(&other_tag), &ours()), "the tag says more");
    }

    #[test]
    fn dates() {
        assert_eq!(http_date(784_111_777).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    }
}
