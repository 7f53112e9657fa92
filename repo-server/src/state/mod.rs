//! The repository as of a commit: what commits say, and the fold over them. Nothing here reads or writes.

mod attachments;
mod change;
mod channel;
mod checkpoint;
mod collection;
mod fold;
mod holds;
mod package_file;
mod pages;
mod presence;
mod repository_state;
mod sorted_map;

pub use attachments::{AttachmentChange, Attachments};
pub(crate) use change::file_name;
pub use change::{Action, Change, ChannelView, Entry, PackageRecord, PageStep, Shown};
pub use channel::{Channel, Listing, View};
pub use collection::Collection;
pub use fold::FoldError;
pub(crate) use fold::Place;
pub use holds::{Hold, Tag};
pub use package_file::PackageFile;
pub use pages::Page;
pub(crate) use pages::Turnover;
pub use presence::{Presence, Span};
pub use repository_state::{MetadataRecord, RepositoryState};
pub use sorted_map::{Keyed, SortedMap};
