//! The bodies of requests and answers.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body as RoutedBody;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use ledger::BlobReader;

use super::pulse::Pulse;

/// How many bytes at least have to come while a body of a request is waited for as long as it may stand still: a sender
/// who lets them drip holds nobody up for long.
const LEAST: u64 = 32 << 10;

/// The body of an answer.
pub(super) struct ReplyBody {
    content: Content,
    /// Is told when the body is done with.
    pulse: Option<Arc<Pulse>>,
}

enum Content {
    Whole(Bytes),
    Blob {
        reader: BlobReader,
        size: u64,
    },
    Pieces {
        pieces: BoxStream<'static, io::Result<Bytes>>,
        left: u64,
    },
    /// What came out of the table of routes.
    Routed(RoutedBody),
}

impl ReplyBody {
    pub(super) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { content: Content::Whole(bytes), pulse: None }
    }

    /// A body of as many bytes as given, which are read when they are asked for.
    pub(super) fn blob(reader: BlobReader, size: u64) -> Self {
        Self { content: Content::Blob { reader, size }, pulse: None }
    }

    /// A body that came out of the table of routes.
    pub(super) fn routed(body: RoutedBody) -> Self {
        Self { content: Content::Routed(body), pulse: None }
    }

    /// Takes the whole of it, where it is in memory and no larger than that.
    pub(super) fn take_small(&mut self, largest: usize) -> Option<Bytes> {
        match &mut self.content {
            Content::Whole(bytes) if bytes.len() <= largest => Some(std::mem::take(bytes)),
            _ => None,
        }
    }

    /// The file that has it, and where in the file, if there is one.
    pub(super) fn as_file(&self) -> Option<(&File, Range<u64>)> {
        match &self.content {
            Content::Blob { reader, .. } => reader.as_file(),
            _ => None,
        }
    }

    /// Begins to read a blob.
    fn begin(&mut self) {
        let content = std::mem::replace(&mut self.content, Content::Whole(Bytes::new()));
        self.content = match content {
            Content::Blob { reader, size } => {
                Content::Pieces { pieces: reader.into_stream().map_err(io::Error::other).boxed(), left: size }
            }
            content => content,
        };
    }

    /// Tells the connection when the answer has been handed to it.
    pub(super) fn with_pulse(mut self, pulse: Arc<Pulse>) -> Self {
        self.pulse = Some(pulse);
        self
    }
}

impl Drop for ReplyBody {
    fn drop(&mut self) {
        if let Some(pulse) = &self.pulse {
            pulse.answered();
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if matches!(self.content, Content::Blob { .. }) {
            self.begin();
        }
        match &mut self.content {
            // There is none any more.
            Content::Blob { .. } => Poll::Ready(None),
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Pieces { pieces, left } => match pieces.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(piece))) => {
                    *left = left.saturating_sub(piece.len() as u64);
                    Poll::Ready(Some(Ok(Frame::data(piece))))
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::error!(%error, "a file broke off while it was sent");
                    Poll::Ready(Some(Err(error)))
                }
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            },
            Content::Routed(body) => Pin::new(body).poll_frame(context).map_err(io::Error::other),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Blob { size: left, .. } | Content::Pieces { left, .. } => *left == 0,
            Content::Routed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Blob { size: left, .. } | Content::Pieces { left, .. } => SizeHint::with_exact(*left),
            Content::Routed(body) => body.size_hint(),
        }
    }
}

/// The bytes of a request's body, until it ends, stands still or drips.
pub(super) fn moving(body: RoutedBody, stall: Duration) -> impl Stream<Item = io::Result<Bytes>> {
    let window = Window { started: Instant::now(), bytes: 0 };
    stream::unfold(Some((body, window)), move |state| async move {
        let (mut body, mut window) = state?;
        loop {
            let Some(left) = stall.checked_sub(window.started.elapsed()) else {
                if window.bytes < LEAST {
                    return Some((Err(io::ErrorKind::TimedOut.into()), None));
                }
                window = Window { started: Instant::now(), bytes: 0 };
                continue;
            };
            match tokio::time::timeout(left, body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        window.bytes += bytes.len() as u64;
                        return Some((Ok(bytes), Some((body, window))));
                    }
                }
                Ok(Some(Err(error))) => return Some((Err(io::Error::other(error)), None)),
                Ok(None) => return None,
                Err(_) => {}
            }
        }
    })
}

struct Window {
    started: Instant,
    bytes: u64,
}
