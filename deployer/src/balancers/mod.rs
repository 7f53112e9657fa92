//! What stands in front of hosts and sends them requests: one driver for each kind, and what all are used for.

mod apache;
mod aws;
mod command;
mod control;
mod driver;
mod error;
mod front;
mod haproxy;
mod health_page;
pub(crate) mod local;
mod lvs;
mod nginx;
mod state;

pub use apache::Apache;
pub use aws::AwsTargetGroup;
pub use command::Command;
pub(crate) use control::Control;
pub use driver::Driver;
pub(crate) use driver::{Drive, Member, Views};
pub use error::BalancerError;
pub(crate) use front::{Front, FrontViews};
pub use haproxy::HaProxy;
pub(crate) use haproxy::SHOW_STAT;
pub use health_page::HealthPage;
pub use lvs::{Lvs, VirtualService};
pub use nginx::Nginx;
pub use state::{Counters, Rotation, ServerState};
