//! What stands in front of hosts and sends them requests: one driver for each kind, and what all are used for.

mod control;
mod driver;
mod error;
mod front;
mod haproxy;
mod state;

pub(crate) use control::Control;
pub use driver::Driver;
pub(crate) use driver::{Drive, Member, Views};
pub use error::BalancerError;
pub(crate) use front::Front;
pub use haproxy::HaProxy;
pub(crate) use haproxy::SHOW_STAT;
pub use state::{Counters, Rotation, ServerState};
