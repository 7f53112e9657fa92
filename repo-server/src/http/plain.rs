//! Requests that only read, on connections without TLS: answered here with as little work as the system allows.
//!
//! What is small goes out in one write, what is in a file goes from the file into the connection (`sendfile(2)`). Only the
//! plainest of requests are taken: GET and HEAD of HTTP/1.1 without a body. With the first other one, and with anything
//! that looks odd, the connection is hyper's for the rest of its life, and so are errors in what a client writes.

use std::cell::RefCell;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::body::ReplyBody;
use super::connection::{Watched, stopped};
use super::dispatch::Dispatcher;
use super::origin::Peer;
use super::reply::http_date;
use super::send_file::send_file;

/// As many as hyper reads.
const MOST_HEADERS: usize = 100;
/// Up to so many bytes a body is copied behind its head, to be one write with it.
const SMALL: usize = 16 << 10;
/// Headers of requests that hyper knows more of.
const NOT_PLAIN: [&str; 5] = ["content-length", "transfer-encoding", "expect", "upgrade", "http2-settings"];

/// What the bytes are that a client has sent.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made, and memory of its own would cost more"
)]
enum Asked {
    /// The beginning of a request.
    Part,
    /// A request that is answered here, and whether another one may follow.
    Plain(Request<Empty<Bytes>>, bool),
    /// Anything else.
    Other,
}

/// Whether another request may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Next,
    Close,
}

/// Answers requests until one comes that is not plain: that one, and the connection, is given back. `None` where the
/// connection has ended.
pub(super) async fn answer_plain(
    mut connection: Watched,
    peer: Peer,
    dispatcher: &Dispatcher,
    stop: &mut watch::Receiver<bool>,
) -> io::Result<Option<Watched>> {
    let head_size = dispatcher.app.limits.head_size.max(8192);
    let told = stop.clone();
    let mut stop = std::pin::pin!(stopped(stop));
    let mut unread = BytesMut::new();
    loop {
        let (request, more) = match parse(&mut unread) {
            Asked::Plain(request, more) => (request, more),
            Asked::Part if unread.len() < head_size => {
                tokio::select! {
                    biased;
                    read = connection.read_buf(&mut unread) => if read? == 0 { return Ok(None) },
                    // A request that has begun is waited for as long as any.
                    () = &mut stop, if unread.is_empty() => return Ok(None),
                }
                continue;
            }
            Asked::Part | Asked::Other => return Ok(Some(connection.with_unread(unread))),
        };
        connection.pulse().asked();
        let is_head = request.method() == Method::HEAD;
        let response = dispatcher.handle(peer, request).await;
        let more = more && !*told.borrow();
        let then = write(&mut connection, response, is_head, more).await?;
        connection.pulse().answered();
        if then == Then::Close {
            connection.shutdown().await?;
            return Ok(None);
        }
    }
}

/// Takes the next request from what was read.
fn parse(unread: &mut BytesMut) -> Asked {
    let begins = |method: &[u8]| unread.iter().zip(method).all(|(read, expected)| read == expected);
    if !begins(b"GET /") && !begins(b"HEAD /") {
        return Asked::Other;
    }
    let Some(end) = unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        // hyper takes line feeds alone for ends of lines, too.
        return if unread.windows(2).any(|bytes| bytes == b"\n\n") { Asked::Other } else { Asked::Part };
    };
    let head = Bytes::copy_from_slice(&unread[..end + 4]);
    match plain_request(&head) {
        Some((request, more)) => {
            // What is left keeps its place in memory.
            let _ = unread.split_to(end + 4);
            Asked::Plain(request, more)
        }
        None => Asked::Other,
    }
}

fn plain_request(head: &Bytes) -> Option<(Request<Empty<Bytes>>, bool)> {
    let mut lines = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut lines);
    if parsed.parse(head) != Ok(httparse::Status::Complete(head.len())) || parsed.version != Some(1) {
        return None;
    }
    let method = if parsed.method == Some("HEAD") { Method::HEAD } else { Method::GET };
    let uri = Uri::from_maybe_shared(head.slice_ref(parsed.path?.as_bytes())).ok()?;
    let mut headers = HeaderMap::with_capacity(parsed.headers.len() + 4);
    for line in parsed.headers.iter() {
        if NOT_PLAIN.iter().any(|name| line.name.eq_ignore_ascii_case(name)) {
            return None;
        }
        let name = HeaderName::from_bytes(line.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(head.slice_ref(line.value)).ok()?);
    }
    let mut more = true;
    for value in headers.get_all(CONNECTION) {
        match value.as_bytes() {
            value if value.eq_ignore_ascii_case(b"keep-alive") => {}
            value if value.eq_ignore_ascii_case(b"close") => more = false,
            _ => return None,
        }
    }
    let mut request = Request::new(Empty::new());
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
    Some((request, more))
}

/// Sends a response.
async fn write(connection: &mut Watched, response: Response<ReplyBody>, is_head: bool, more: bool) -> io::Result<Then> {
    let (parts, mut body) = response.into_parts();
    let has_body = !is_head && !matches!(parts.status, StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT);
    let size = body.size_hint().exact();
    // A body of unknown size ends with the connection.
    let then = if more && (size.is_some() || !has_body) { Then::Next } else { Then::Close };
    let mut head = Vec::with_capacity(1024);
    push_head(&mut head, parts.status, &parts.headers, then);
    if has_body && let Some(size) = size.filter(|_| !parts.headers.contains_key(CONTENT_LENGTH)) {
        push_line(&mut head, CONTENT_LENGTH.as_str(), size.to_string().as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    if !has_body {
        connection.write_all(&head).await?;
        return Ok(then);
    }
    if let Some(whole) = body.take_small(SMALL) {
        head.extend_from_slice(&whole);
        connection.write_all(&head).await?;
        return Ok(then);
    }
    connection.write_all(&head).await?;
    if let Some((file, range)) = body.as_file() {
        send_file(connection, file, range).await?;
        return Ok(then);
    }
    while let Some(frame) = body.frame().await {
        if let Ok(mut bytes) = frame?.into_data() {
            connection.write_all_buf(&mut bytes).await?;
        }
    }
    Ok(then)
}

fn push_head(head: &mut Vec<u8>, status: StatusCode, headers: &HeaderMap, then: Then) {
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
    for (name, value) in headers {
        push_line(head, name.as_str(), value.as_bytes());
    }
    if then == Then::Close && !headers.contains_key(CONNECTION) {
        push_line(head, CONNECTION.as_str(), b"close");
    }
    date(|date| push_line(head, "date", date.as_bytes()));
}

thread_local! {
    /// The second of the last answer, and its text.
    static NOW: RefCell<(u64, String)> = RefCell::default();
}

/// The time in the words of HTTP, which are the same for a second.
fn date(take: impl FnOnce(&str)) {
    let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    NOW.with_borrow_mut(|(of, text)| {
        if *of != second {
            (*of, *text) = (second, http_date(second).unwrap_or_default());
        }
        take(text);
    });
}

fn push_line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (&'static str, usize) {
        let mut unread = BytesMut::from(text);
        let what = match parse(&mut unread) {
            Asked::Part => "part",
            Asked::Plain(_, true) => "plain",
            Asked::Plain(_, false) => "last",
            Asked::Other => "other",
        };
        (what, unread.len())
    }

    #[test]
    fn only_the_plainest_requests_are_plain() {
        for (text, expected) in [
            ("", "part"),
            ("GE", "part"),
            ("GET /a HTTP/1.1\r\nHost: x\r\n", "part"),
            ("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "plain"),
            ("HEAD /a HTTP/1.1\r\nhost: x\r\nConnection: Keep-Alive\r\n\r\n", "plain"),
            ("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "last"),
            ("GET /a HTTP/1.0\r\n\r\n", "other"),
            ("GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n", "other"),
            ("PUT", "other"),
            ("\r\nGET /a HTTP/1.1\r\n\r\n", "other"),
            ("GET /a HTTP/1.1\nHost: x\n\n", "other"),
            ("GET /a HTTP/1.1\r\nContent-Length: 1\r\n\r\n", "other"),
            ("GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "other"),
            ("GET /a HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", "other"),
            ("GET /a HTTP/1.1\r\nConnection: upgrade\r\n\r\n", "other"),
            ("GET /a HTTP/1.1\r\nno header\r\n\r\n", "other"),
            ("GET /a b HTTP/1.1\r\n\r\n", "other"),
        ] {
            let left = if matches!(expected, "plain" | "last") { 0 } else { text.len() };
            assert_eq!(told(text), (expected, left), "{text:?}");
        }
        let twice = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b";
        assert_eq!(told(twice), ("plain", 6), "the next request stays");
    }
}
