//! What channels may list and for how long, and what differs between two: pure functions of the repository's state.

mod difference;
mod intake;
mod log;
mod retention;

pub(crate) use difference::differences;
pub(crate) use intake::{Intake, IntakeError};
pub(crate) use log::log_entries;
pub(crate) use retention::{Candidate, Verdict, judge};
