//! A commit of a ledger, and a place in its row.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Digest;

/// The version of the commit's own format that this program writes, and the newest that it reads.
pub(crate) const SCHEMA: u32 = 1;

/// One commit of a ledger: who changed what, when, from where and why. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit<T> {
    /// The version of this format, 1.
    pub schema: u32,
    /// Its number; the first is 1 and there are no gaps.
    pub number: u64,
    /// The sha256 of the commit before as it is stored; 64 zeros in the first.
    pub previous: Digest,
    /// The writing process, so that it can tell its own commit from another's after an ambiguous answer.
    pub writer: Uuid,
    /// When it was written, by the writer's clock.
    pub at: DateTime<Utc>,
    /// Who wrote it.
    pub author: Author,
    /// What changed.
    pub payload: T,
    /// The sha256 of this commit as it is stored; known once it is read or written.
    #[serde(skip, default = "Digest::nothing")]
    pub(crate) digest: Digest,
}

/// Who made a change, from where, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The person or the job.
    pub who: String,
    /// The machine or the address.
    pub from: String,
    /// The reason, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A place in a ledger: everything up to a commit, or nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The number of the last commit known; 0 for none.
    pub number: u64,
    /// The digest of that commit.
    pub digest: Digest,
}

impl<T> Commit<T> {
    /// The place in the ledger after this commit.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { number: self.number, digest: self.digest }
    }
}

impl Position {
    /// The place before the first commit.
    #[must_use]
    pub fn start() -> Self {
        Self { number: 0, digest: Digest::nothing() }
    }
}
