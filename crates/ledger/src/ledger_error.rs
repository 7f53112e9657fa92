//! Why a ledger could not be read or written.

use crate::StoreError;
use crate::commit::SCHEMA;
use crate::remote::{Refused, RemoteError};

/// Says why a ledger could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store failed.
    #[error("ledger `{ledger}` can't be reached")]
    Store {
        /// The ledger's name.
        ledger: String,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The server that keeps the ledger did not do what was asked.
    #[error("ledger `{ledger}` is not to be had")]
    Remote {
        /// The ledger's name.
        ledger: String,
        /// What the server said.
        #[source]
        source: RemoteError,
    },
    /// A commit is no JSON of the shape that its schema has.
    #[error("commit {number} of ledger `{ledger}` can't be read")]
    Shape {
        /// The ledger's name.
        ledger: String,
        /// The commit's number.
        number: u64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A commit was written by a newer program.
    #[error("commit {number} of ledger `{ledger}` has schema {schema}; this program reads up to {SCHEMA}: upgrade it")]
    Schema {
        /// The ledger's name.
        ledger: String,
        /// The commit's number.
        number: u64,
        /// The schema found.
        schema: u32,
    },
    /// A commit does not follow from the one before: it, or an earlier one, was changed after it was written.
    #[error("commit {number} of ledger `{ledger}` does not follow from commit {}: one of them was changed", number - 1)]
    Chain {
        /// The ledger's name.
        ledger: String,
        /// The commit's number.
        number: u64,
    },
}

/// Says why a commit was not made.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer made this commit first: read what came, rebase, and try again.
    #[error("another writer made commit {number} of ledger `{ledger}` first")]
    Lost {
        /// The ledger's name.
        ledger: String,
        /// The number of the commit that was wanted.
        number: u64,
    },
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl LedgerError {
    /// Tells whether the same may succeed a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Store { .. } | Self::Remote { source: RemoteError::Unreachable(_), .. })
    }

    /// The no of the server that keeps the ledger, if it is that.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refused> {
        match self {
            Self::Remote { source: RemoteError::Refused(refused), .. } => Some(refused),
            _ => None,
        }
    }
}
