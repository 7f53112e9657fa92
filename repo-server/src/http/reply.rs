//! Answering with a file: validators, ranges, HEAD, and bodies in large chunks.

use std::ops::Range;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use chrono::DateTime;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use ledger::{Digest, StoreError};
use repo_api::{Problem, ProblemKind};

use super::refusal::Refusal;
use crate::error::RepositoryError;
use crate::repository::Repository;

/// How much of a large file is handed to the connection at a time, bytes.
const CHUNK: usize = 1 << 20;

/// A file to answer with.
#[derive(Debug)]
pub(super) struct Reply {
    /// The sha256 of its bytes, which is its ETag.
    pub(super) digest: Digest,
    pub(super) content_type: &'static str,
    pub(super) caching: Caching,
    /// Seconds since 1970.
    pub(super) modified: Option<u64>,
    pub(super) content: Content,
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
    /// Makes a reply of a text that is made on the fly.
    pub(super) fn text(content_type: &'static str, text: String) -> Self {
        let bytes = Bytes::from(text);
        Self {
            digest: Digest::of(&bytes),
            content_type,
            caching: Caching::Revalidate,
            modified: None,
            content: Content::Memory(bytes),
        }
    }

    /// Answers a GET or HEAD.
    pub(super) async fn answer(
        self,
        repository: &Repository,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response, Refusal> {
        let etag = format!("\"{}\"", self.digest);
        let size = self.content.size();
        if is_known(headers, &etag) {
            return finish(self.head(StatusCode::NOT_MODIFIED, &etag), Body::empty());
        }
        let (builder, range) = match wanted(headers, &etag, size) {
            Wanted::Whole => (self.head(StatusCode::OK, &etag), 0..size),
            Wanted::Part(range) => {
                let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let builder = self.head(StatusCode::PARTIAL_CONTENT, &etag);
                (builder.header(CONTENT_RANGE, content_range), range)
            }
            Wanted::Nothing => {
                let builder = self.head(StatusCode::RANGE_NOT_SATISFIABLE, &etag);
                return finish(builder.header(CONTENT_RANGE, format!("bytes */{size}")), Body::empty());
            }
        };
        let builder = builder.header(CONTENT_LENGTH, range.end - range.start);
        if method == Method::HEAD {
            return finish(builder, Body::empty());
        }
        let body = match self.content {
            Content::Memory(bytes) => Body::from(slice(&bytes, &range)),
            Content::Blob(_) => blob_body(repository, &self.digest, range).await?,
        };
        finish(builder, body)
    }

    fn head(&self, status: StatusCode, etag: &str) -> Builder {
        let caching = match self.caching {
            Caching::Revalidate => "no-cache",
            Caching::Immutable => "public, max-age=31536000, immutable",
        };
        let mut builder = Response::builder()
            .status(status)
            .header(ETAG, etag)
            .header(CACHE_CONTROL, caching)
            .header(CONTENT_TYPE, self.content_type)
            .header(ACCEPT_RANGES, "bytes")
            .header("x-content-type-options", "nosniff");
        if let Some(modified) = self.modified.and_then(http_date) {
            builder = builder.header(LAST_MODIFIED, modified);
        }
        builder
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

fn finish(builder: Builder, body: Body) -> Result<Response, Refusal> {
    builder.body(body).map_err(|error| {
        tracing::error!(%error, "an answer could not be put together");
        Problem::new(ProblemKind::Internal, "the server failed; its log says why").into()
    })
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let position = |at: u64| usize::try_from(at).unwrap_or(bytes.len()).min(bytes.len());
    bytes.slice(position(range.start)..position(range.end))
}

async fn blob_body(repository: &Repository, digest: &Digest, range: Range<u64>) -> Result<Body, Refusal> {
    let blob = repository.store().open_blob(digest, Some(range)).await.map_err(RepositoryError::from)?;
    let damaged = RepositoryError::Damaged { digest: *digest, what: "missing" };
    Ok(Body::from_stream(in_chunks(blob.ok_or(damaged)?.stream)))
}

/// Joins what a store gives in small pieces.
fn in_chunks(
    pieces: BoxStream<'static, Result<Bytes, StoreError>>,
) -> impl futures::Stream<Item = Result<Bytes, StoreError>> + Send {
    stream::try_unfold(pieces, |mut pieces| async move {
        let mut chunk = match pieces.try_next().await? {
            None => return Ok(None),
            Some(piece) if piece.len() >= CHUNK => return Ok(Some((piece, pieces))),
            Some(piece) => {
                let mut chunk = BytesMut::with_capacity(CHUNK);
                chunk.extend_from_slice(&piece);
                chunk
            }
        };
        while chunk.len() < CHUNK {
            match pieces.next().await {
                Some(piece) => chunk.extend_from_slice(&piece?),
                None => break,
            }
        }
        Ok(Some((chunk.freeze(), pieces)))
    })
}

/// The `HTTP-date` of RFC 9110, section 5.6.7.
fn http_date(seconds: u64) -> Option<String> {
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
    Some(time.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').map(str::trim).any(known))
}

/// Reads `Range` (RFC 9110, section 14.2): one range of bytes; anything else is answered with the whole.
fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    if headers.get(IF_RANGE).is_some_and(|value| value.as_bytes() != etag.as_bytes()) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc\"";

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
            assert_eq!(wanted(&headers(&[("range", range)]), TAG, 10), expected, "{range}");
        }
        assert_eq!(wanted(&headers(&[("range", "bytes=0-1"), ("if-range", "\"old\"")]), TAG, 10), Wanted::Whole);
        assert_eq!(wanted(&headers(&[("range", "bytes=0-1"), ("if-range", TAG)]), TAG, 10), Wanted::Part(0..2));
        assert_eq!(wanted(&headers(&[("range", "bytes=0-")]), TAG, 0), Wanted::Nothing);
    }

    #[test]
    fn validators() {
        for value in [TAG, "W/\"abc\"", "*", "\"x\", \"abc\""] {
            assert!(is_known(&headers(&[("if-none-match", value)]), TAG), "{value}");
        }
        for value in ["\"x\"", "abc", ""] {
            assert!(!is_known(&headers(&[("if-none-match", value)]), TAG), "{value}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(http_date(784_111_777).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    }

    #[tokio::test]
    async fn small_pieces_become_large_chunks() {
        let pieces = stream::iter((0..300).map(|number: u32| Ok(Bytes::from(vec![number as u8; 8192])))).boxed();
        let chunks: Vec<Bytes> = in_chunks(pieces).try_collect().await.unwrap();
        assert_eq!(chunks.iter().map(Bytes::len).collect::<Vec<_>>(), [CHUNK, CHUNK, 300 * 8192 - 2 * CHUNK]);
        assert_eq!(chunks[2].last(), Some(&(299_u32 as u8)));
    }
}
