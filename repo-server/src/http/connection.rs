//! Accepting connections, and the life of each.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::dispatch::Dispatcher;
use super::origin::Peer;
use super::plain::answer_plain;
use super::pulse::Pulse;

/// How long to wait when the system has no more connections to give (too many open files).
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until `stop` is told, then lets them finish.
pub(super) async fn accept(listener: TcpListener, dispatcher: Arc<Dispatcher>, mut stop: watch::Receiver<bool>) {
    // Every connection holds a sender: when all are gone, none is left.
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, address)) => take(stream, address, &dispatcher, &stop, &alive),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections can't be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop((listener, alive));
    let _ = tokio::time::timeout(dispatcher.app.limits.grace, all_gone.recv()).await;
}

pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Lets a connection live in a task of its own; one too many is closed at once.
fn take(
    stream: TcpStream,
    address: SocketAddr,
    dispatcher: &Arc<Dispatcher>,
    stop: &watch::Receiver<bool>,
    alive: &mpsc::Sender<()>,
) {
    let ip = address.ip().to_canonical();
    let counted = (!dispatcher.app.is_proxy(ip)).then_some(ip);
    let Some(place) = dispatcher.app.ward.admit(counted) else {
        dispatcher.app.metrics.connection_refused();
        tracing::warn!(address = %ip, "too many connections: one was closed");
        return;
    };
    // Small answers shall not wait for more to send.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can't be set");
    }
    let pulse = dispatcher.app.ward.pulse();
    let (dispatcher_, pulse_, stop, alive) = (Arc::clone(dispatcher), Arc::clone(&pulse), stop.clone(), alive.clone());
    let task = tokio::spawn(async move {
        let _held = (place, alive);
        live(stream, address, dispatcher_, pulse_, stop).await;
    });
    dispatcher.app.ward.watch(pulse, task.abort_handle());
}

async fn live(
    stream: TcpStream,
    address: SocketAddr,
    dispatcher: Arc<Dispatcher>,
    pulse: Arc<Pulse>,
    stop: watch::Receiver<bool>,
) {
    let mut stop = stop;
    let watched = Watched { stream, pulse: Arc::clone(&pulse), unread: BytesMut::new() };
    let peer = Peer { address: address.ip().to_canonical(), secure: dispatcher.app.tls.is_some() };
    let Some(tls) = dispatcher.app.tls.clone() else {
        match answer_plain(watched, peer, &dispatcher, &mut stop).await {
            Ok(None) => {}
            Ok(Some(watched)) => answer(watched, peer, dispatcher, pulse, stop).await,
            Err(error) => tracing::debug!(address = %peer.address, %error, "connection broke"),
        }
        return;
    };
    match tokio::time::timeout(dispatcher.app.limits.head, tls.acceptor().accept(watched)).await {
        Ok(Ok(stream)) => answer(stream, peer, dispatcher, pulse, stop).await,
        Ok(Err(error)) => tracing::debug!(address = %peer.address, %error, "no TLS connection came about"),
        Err(_) => tracing::debug!(address = %peer.address, "no TLS connection came about in time"),
    }
}

async fn answer<S>(
    stream: S,
    peer: Peer,
    dispatcher: Arc<Dispatcher>,
    pulse: Arc<Pulse>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let head_size = dispatcher.app.limits.head_size;
    let service = service_fn(move |request| {
        pulse.asked();
        let (dispatcher, pulse) = (Arc::clone(&dispatcher), Arc::clone(&pulse));
        async move {
            let response = dispatcher.handle(peer, request).await;
            Ok::<_, std::convert::Infallible>(response.map(|body| body.with_pulse(pulse)))
        }
    });
    // At most 100 headers, hyper's own limit: naming another one costs each request an allocation.
    let connection = http1::Builder::new()
        .max_buf_size(head_size.max(8192))
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(address = %peer.address, %error, "connection broke");
    }
}

/// A stream that tells its pulse.
pub(super) struct Watched {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    /// What was read and is to be read again.
    unread: BytesMut,
}

impl Watched {
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Gives back what was read.
    pub(super) fn with_unread(mut self, unread: BytesMut) -> Self {
        self.unread = unread;
        self
    }

    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        match written {
            Poll::Ready(_) => self.pulse.taken(),
            Poll::Pending => self.pulse.full(),
        }
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let size = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread.split_to(size));
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if polled.is_ready() {
            self.pulse.received();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
