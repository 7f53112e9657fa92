//! The engine: the one place that reads and writes the store. Changes go through [`Repository`], which renders what
//! channels will show and makes commits.

mod administration;
mod attachments;
mod blob_cache;
mod checkpoints;
mod collect;
mod group;
mod marks;
mod packages;
mod reading;
mod remembered;
mod render;
mod repository;

pub use attachments::AttachmentRequest;
pub(crate) use checkpoints::{read as read_checkpoint, write as write_checkpoint};
pub use collect::{CollectionReport, CollectionRun};
pub(crate) use reading::Story;
pub(crate) use repository::LEDGER;
pub use repository::{Outcome, Repository};
