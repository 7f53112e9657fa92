//! Release notes: from git, JIRA and files to what people read.
//!
//! The walk: [`Sources`] are collected ([`Repository::commits`], [`Jira`], [`Fragment`]s) → [`Sources::changes`], a pure
//! function → [`ReleaseNotes`] → for customers [`ReleaseNotes::for_customers`] → [`Templates::render`].

mod advisory;
mod announcement;
mod audience;
mod change;
mod configuration;
mod embedded;
mod fragment;
mod front_matter;
mod git;
mod jira;
mod markup;
mod mentions;
mod notes;
mod reference;
mod rules;
mod sources;
mod templates;
mod text;
mod written;

pub use advisory::{Advisory, AdvisoryKind, AdvisoryReference};
pub use announcement::{AnnouncementError, Destination, Occasion, Place};
pub use audience::{Audience, LeftOut, LeftOutBecause};
pub use change::{Change, CommitReference, Kind, ParseKindError};
pub use configuration::{Configuration, ConfigurationError, JiraTable, TemplateTable};
pub use embedded::{EmbeddedError, EmbeddedNotes};
pub use fragment::{Fragment, FragmentError};
pub use front_matter::FrontMatterError;
pub use git::{Commit, GitError, ParseRangeError, Range, Repository};
pub use jira::{Credentials, ExportError, Found, Jira, JiraError, Ticket, TicketTypes, read_export};
pub use mentions::{Mentions, Numbers};
pub use notes::{ParseNotesError, ReleaseNotes, Schema};
pub use reference::{ParseWebAddressError, Reference, ReferenceKind, WebAddress};
pub use rules::{Links, Rules};
pub use sources::Sources;
pub use templates::{Format, TemplateError, Templates};
pub use text::{Line, Prose};
