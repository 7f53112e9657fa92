//! A feed of what was done, as Atom (RFC 4287).

use serde::Serialize;

use super::event::Event;
use super::template::{PageError, Shell, render};
use super::written::Time;

/// `/ui/channels/CHANNEL/feed`
#[derive(Debug, Serialize)]
pub(crate) struct Feed {
    /// The server's own address.
    pub(crate) base: String,
    pub(crate) channel: String,
    pub(crate) updated: Option<Time>,
    pub(crate) events: Vec<Event>,
}

impl Feed {
    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("feed.xml", shell, self)
    }
}
