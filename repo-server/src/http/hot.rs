//! Replies that were asked for since the newest commit, ready to be sent.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use repo_api::ChannelName;

use super::metrics::Label;
use super::reply::Reply;

/// How many are kept.
const MOST: usize = 2048;

/// A reply to the same path as long as no commit comes.
#[derive(Debug)]
pub(super) struct HotReply {
    pub(super) channel: ChannelName,
    pub(super) label: Label,
    /// Whether it is repomd.xml at a URL that always gives the newest.
    pub(super) is_newest_repomd: bool,
    pub(super) reply: Arc<Reply>,
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
