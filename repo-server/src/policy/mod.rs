//! What channels may list and for how long, and what differs between two: pure functions of the repository's state.

mod difference;
mod intake;
mod log;
mod policy_error;
mod retention;

pub(crate) use difference::differences;
pub(crate) use intake::Intake;
pub(crate) use log::{Sight, log_entries};
pub use policy_error::PolicyError;
pub use retention::Verdict;
pub(crate) use retention::{Candidate, judge};
