//! Tickets of JIRA: asked for over its REST API, or read from what it exports.

mod answer;
mod client;
mod error;
mod export;
mod html_text;
mod ticket;

pub use client::{Credentials, Found, Jira};
pub use error::JiraError;
pub use export::{ExportError, read_export};
pub use ticket::{Ticket, TicketTypes};
