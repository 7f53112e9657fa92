//! Commands of the user's, on the controller or on a host: what hooks and tasks run.

mod local;
mod outcome;
mod remote;

use std::time::Duration;

pub(crate) use self::local::run_here;
pub use self::outcome::CommandOutcome;
pub(crate) use self::remote::script;

/// A command for `sh -c` with what it is told.
#[derive(Debug, Clone)]
pub(crate) struct Command<'a> {
    pub(crate) text: &'a str,
    pub(crate) timeout: Duration,
    /// Variables of its environment: names of this crate's, values of anybody's.
    pub(crate) variables: &'a [(&'static str, String)],
}
