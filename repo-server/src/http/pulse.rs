//! What a connection is doing, and the one who ends those that do nothing.
//!
//! A timer for each request would cost more than small answers do. So each connection notes in a few atomics what it
//! waits for since when, and [`Ward`] looks at all of them several times a second.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::settings::Limits;

/// How often connections are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// No bytes have come yet, or the head of a request is on its way.
const HEAD: u8 = 0;
/// A request is being answered.
const ANSWERING: u8 = 1;
/// Between two requests.
const IDLE: u8 = 2;

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Pulse {
    epoch: Instant,
    phase: AtomicU8,
    /// Milliseconds after `epoch`.
    since: AtomicU64,
    /// Since when bytes wait to be taken by the client; 0 where none do.
    unread_since: AtomicU64,
}

impl Pulse {
    fn new(epoch: Instant) -> Self {
        let pulse =
            Self { epoch, phase: AtomicU8::new(HEAD), since: AtomicU64::default(), unread_since: AtomicU64::default() };
        pulse.since.store(pulse.now(), Ordering::Relaxed);
        pulse
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        if self.phase.load(Ordering::Relaxed) == IDLE {
            self.enter(HEAD);
        }
    }

    /// The head of a request is complete.
    pub(super) fn asked(&self) {
        self.phase.store(ANSWERING, Ordering::Relaxed);
    }

    /// The answer has been handed over.
    pub(super) fn answered(&self) {
        self.enter(IDLE);
    }

    /// The client took bytes.
    pub(super) fn taken(&self) {
        if self.unread_since.load(Ordering::Relaxed) != 0 {
            self.unread_since.store(0, Ordering::Relaxed);
        }
    }

    /// The client takes no more bytes at the moment.
    pub(super) fn full(&self) {
        if self.unread_since.load(Ordering::Relaxed) == 0 {
            self.unread_since.store(self.now().max(1), Ordering::Relaxed);
        }
    }

    fn enter(&self, phase: u8) {
        self.since.store(self.now(), Ordering::Relaxed);
        self.phase.store(phase, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Says what it has waited for too long.
    fn overdue(&self, limits: &Limits) -> Option<&'static str> {
        let now = self.now();
        let longer = |since: u64, limit: Duration| u128::from(now.saturating_sub(since)) > limit.as_millis();
        let unread = self.unread_since.load(Ordering::Relaxed);
        if unread != 0 && longer(unread, limits.stall) {
            return Some("the client takes no bytes");
        }
        let since = self.since.load(Ordering::Relaxed);
        match self.phase.load(Ordering::Relaxed) {
            HEAD if longer(since, limits.head) => Some("the head of the request does not come"),
            IDLE if longer(since, limits.idle) => Some("idle"),
            _ => None,
        }
    }
}

/// Knows all connections.
#[derive(Debug)]
pub(super) struct Ward {
    limits: Limits,
    epoch: Instant,
    open: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    watched: Mutex<Vec<(Arc<Pulse>, AbortHandle)>>,
}

/// A connection's place in the count; it ends with it.
#[derive(Debug)]
pub(super) struct Place {
    ward: Arc<Ward>,
    /// Where it counts among its address's.
    address: Option<IpAddr>,
}

impl Ward {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            epoch: Instant::now(),
            open: AtomicUsize::default(),
            by_address: Mutex::default(),
            watched: Mutex::default(),
        }
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Takes a connection in, unless there are too many; `None` then. One of a proxy counts for no address.
    pub(super) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        if self.open() >= self.limits.connections {
            return None;
        }
        if let Some(address) = address {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_address.entry(address).or_default();
            if *count >= self.limits.connections_per_address {
                return None;
            }
            *count += 1;
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Place { ward: Arc::clone(self), address })
    }

    pub(super) fn pulse(&self) -> Arc<Pulse> {
        Arc::new(Pulse::new(self.epoch))
    }

    /// Ends the task of a connection once it does nothing for too long.
    pub(super) fn watch(&self, pulse: Arc<Pulse>, task: AbortHandle) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).push((pulse, task));
    }

    /// Looks at all connections, again and again. Never ends.
    pub(super) async fn look(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            watched.retain(|(pulse, task)| {
                if task.is_finished() {
                    return false;
                }
                match pulse.overdue(&self.limits) {
                    Some(reason) => {
                        tracing::debug!(reason, "connection ended");
                        task.abort();
                        false
                    }
                    None => true,
                }
            });
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.ward.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(address) = self.address {
            let mut by_address = self.ward.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = by_address.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    by_address.remove(&address);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_from_one_address_and_in_all() {
        let limits = Limits { connections: 3, connections_per_address: 2, ..Limits::default() };
        let ward = Arc::new(Ward::new(limits));
        let near = Some("192.0.2.1".parse().unwrap());
        let places = [ward.admit(near), ward.admit(near)];
        assert!(places.iter().all(Option::is_some) && ward.admit(near).is_none());
        let proxied = ward.admit(None);
        assert!(proxied.is_some() && ward.admit(None).is_none());
        drop(places);
        assert_eq!(ward.open(), 1);
        assert!(ward.by_address.lock().unwrap().is_empty() && ward.admit(near).is_some());
    }

    #[test]
    fn what_waits_too_long() {
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1000)).unwrap();
        let pulse = Pulse::new(long_ago);
        let limits = Limits::default();
        assert_eq!(pulse.overdue(&limits), None);
        pulse.since.store(0, Ordering::Relaxed);
        assert!(pulse.overdue(&limits).is_some(), "no head");
        pulse.asked();
        assert_eq!(pulse.overdue(&limits), None, "answers take their time");
        pulse.unread_since.store(1, Ordering::Relaxed);
        assert!(pulse.overdue(&limits).is_some(), "the client does not read");
        pulse.taken();
        pulse.answered();
        assert_eq!(pulse.overdue(&limits), None);
        pulse.since.store(0, Ordering::Relaxed);
        assert_eq!(pulse.overdue(&limits), Some("idle"));
        pulse.received();
        assert_eq!(pulse.overdue(&limits), None, "the next request has begun");
    }
}
