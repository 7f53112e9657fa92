//! Environments: their ledgers, which controllers write through the server, what it asks of deployments, and what it
//! knows of what runs where.
//!
//! Entries are written by controllers of any version. The server reads those fields of them that it needs, passes over
//! what it does not know, and keeps each commit as the bytes that came.

mod approvals;
mod book;
mod entry;
mod environment;
mod error;
mod gate;
mod needs;
mod per_host;
mod projection;
mod rules;
mod sightings;
mod story;

pub(crate) use book::Environments;
pub(crate) use environment::{Appended, Environment};
pub use error::EnvironmentError;
pub(crate) use gate::Controller;
