//! The engine: the one place that reads and writes the store. Changes go through [`Repository`], which renders what
//! channels will show and makes commits.

mod blob_cache;
mod group;
mod packages;
mod render;
mod repository;

pub(crate) use group::Decision;
pub use repository::{Outcome, Repository};
