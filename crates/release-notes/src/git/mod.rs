//! What git tells: the commits between two revisions, what their messages say, and which of them count.

mod history;
mod mainline;
mod merge;
mod message;
mod range;
mod trailers;

pub use history::{Commit, GitError, Repository};
pub(crate) use mainline::{Told, told};
pub use range::{ParseRangeError, Range};
