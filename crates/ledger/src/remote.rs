//! A ledger whose commits somebody else keeps: a server in front of a store.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Extent;

/// The commits of one ledger as bytes, kept by a server that judges each before it takes it in.
///
/// What holds of a store holds of it: a commit is made once, one of many writers makes it, it never changes, and whoever
/// was told that it is there reads it.
#[async_trait]
pub trait RemoteLedger: fmt::Debug + Send + Sync {
    /// Who writes, as the server knows it; `None` where it takes everybody's word.
    fn writer(&self) -> Option<&str>;

    /// Makes a commit unless there is one of that number. The same bytes again are a success.
    ///
    /// # Errors
    /// [`RemoteError`]; after [`RemoteError::Unreachable`] it is open whether the commit was made.
    async fn create(&self, number: u64, bytes: Bytes) -> Result<Standing, RemoteError>;

    /// Reads a commit; `None` where there is none.
    ///
    /// # Errors
    /// [`RemoteError`]
    async fn read(&self, number: u64) -> Result<Option<Bytes>, RemoteError>;

    /// Reads commits that follow a number, in order: some of those that are asked for, and none only where there are none.
    ///
    /// # Errors
    /// [`RemoteError`]
    async fn after(&self, number: u64, extent: Extent) -> Result<Vec<Bytes>, RemoteError>;
}

/// What stands at a number after a commit was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// What was sent.
    Ours,
    /// Another commit.
    Theirs,
}

/// Says why a server did not keep or give a commit.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No answer came, or none that settles it: to ask again may help.
    #[error("the server that keeps it can't be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The server says no, and nothing was written.
    #[error("{}", .0.detail)]
    Refused(Box<Refused>),
}

/// A server's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What it is about.
    pub ground: Ground,
    /// What is wrong.
    pub detail: String,
    /// What can be done about it.
    pub hint: Option<String>,
}

/// What a server's no is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// An approval that the environment asks for is missing, or may not be given so.
    Approval,
    /// Nothing may be changed at this time.
    Frozen,
    /// Another writer holds the lease.
    Lease,
    /// The writer has no right to it.
    Right,
    /// Anything else.
    Other,
}
