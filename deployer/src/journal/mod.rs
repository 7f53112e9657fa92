//! An environment's ledger: the lease, the journal of every step, and the history.

mod entry;
mod lease;
mod past;
mod record;
mod writing;

pub use entry::{Action, Direction, Ending, Entry, HookRecord, HostReport, StepResult};
pub(crate) use lease::Journal;
pub use lease::{Identity, JournalError, LEASE};
pub(crate) use past::Left;
pub use past::{NoEarlierVersion, earlier_versions};
pub use record::{DeploymentRecord, JournalState, StepRecord};
