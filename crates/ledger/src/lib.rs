//! Ledgers and blobs: whatever is big is a blob named by its sha256, whatever changes is a ledger.
//!
//! A [`Ledger`] is a hash-chained row of small numbered commits in a [`Store`]. Commit N+1 is made by *creating* its
//! object only if it does not exist, so any number of writers need no other coordination: one of them wins, the others
//! read what came, rebase and try again. A [`Store`] is an object store; a directory is the default. A ledger may also be
//! kept by a server in front of one ([`RemoteLedger`]).

mod abridgement;
mod bucket;
mod checkpoint;
mod commit;
mod composite;
mod digest;
mod file_reader;
mod inventory;
mod key;
mod ledger;
mod ledger_error;
mod location;
mod read;
mod remote;
mod store;
mod sweep;
mod write;

pub use abridgement::{Abridgement, Extent};
pub use bucket::{Bucket, BucketError};
pub use checkpoint::Checkpoint;
pub use commit::{Author, Commit, Position};
pub use composite::{Composite, Part};
pub use digest::{Digest, DigestBuilder, ParseDigestError};
pub use inventory::{BlobStanding, StoredBlob};
pub use ledger::Ledger;
pub use ledger_error::{AppendError, LedgerError};
pub use read::BlobReader;
pub use remote::{Ground, Refused, RemoteError, RemoteLedger, Standing};
pub use store::{Store, StoreError};
pub use write::{ReceiveError, ReceivedBlob};
