//! Replies that were asked for since the newest commit, ready to be sent.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use repo_api::ChannelName;

use super::metrics::Label;
use super::reply::Reply;

/// How many are kept.
const MOST: usize = 2048;

/// For how long one client's asking again is no news, seconds.
const OLD_NEWS: u64 = 16;

/// A reply to the same path as long as no commit comes.
#[derive(Debug)]
pub(super) struct HotReply {
    pub(super) channel: ChannelName,
    pub(super) label: Label,
    /// Whether it is repomd.xml at a URL that always gives the newest.
    pub(super) is_newest_repomd: bool,
    pub(super) reply: Arc<Reply>,
    pub(super) last: LastGiven,
}

/// Who was given a reply last, and about when, in a form that costs no lock.
#[derive(Debug)]
pub(super) struct LastGiven {
    since: Instant,
    mark: AtomicU64,
}

impl Default for LastGiven {
    fn default() -> Self {
        Self { since: Instant::now(), mark: AtomicU64::new(u64::MAX) }
    }
}

impl LastGiven {
    /// Tells whether an address was not the last one to be given the reply within the last seconds. One client that asks
    /// again and again is news once in a while; several in turn are news each time.
    pub(super) fn is_news(&self, address: IpAddr, now: Instant) -> bool {
        let mut hasher = DefaultHasher::new();
        (address, now.saturating_duration_since(self.since).as_secs() / OLD_NEWS).hash(&mut hasher);
        let mark = hasher.finish();
        if self.mark.load(Ordering::Relaxed) == mark {
            return false;
        }
        self.mark.store(mark, Ordering::Relaxed);
        true
    }
}

/// The replies by path, of one commit.
#[derive(Debug, Default)]
pub(super) struct Hot(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    commit: u64,
    replies: HashMap<String, Arc<HotReply>>,
}

impl Hot {
    pub(super) fn get(&self, commit: u64, path: &str) -> Option<Arc<HotReply>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if kept.commit == commit { kept.replies.get(path).cloned() } else { None }
    }

    /// Keeps a reply that was made of the state as of a commit.
    pub(super) fn keep(&self, commit: u64, path: &str, reply: HotReply) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.commit > commit {
            return;
        }
        if kept.commit < commit || kept.replies.len() >= MOST {
            *kept = Kept { commit, replies: HashMap::new() };
        }
        kept.replies.insert(path.to_owned(), Arc::new(reply));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_client_is_news_once_in_a_while() {
        let last = LastGiven::default();
        let (ana, ben): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let now = last.since;
        assert_eq!([last.is_news(ana, now), last.is_news(ana, now)], [true, false]);
        assert_eq!([last.is_news(ben, now), last.is_news(ana, now)], [true, true]);
        assert!(last.is_news(ana, now + Duration::from_secs(OLD_NEWS)));
    }
}
