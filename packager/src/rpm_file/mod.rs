//! The .rpm file: lead, signature header, header and payload (rpm's `docs/manual/format.md`), format 4.
//!
//! The header stands before the payload, but holds its digests. Its length does not depend on them, so the payload is
//! streamed behind a gap of that length, and the header is written into the gap afterwards: each file is read once, and
//! memory stays constant.

mod archive;
mod blocks;
mod compressor;
mod cpio;
mod dependency_tags;
mod file_tags;
mod header;
mod lead;
mod payload;
mod payload_reader;
mod read_back;
mod script_tags;
mod section;
mod signature_header;
mod tag;
mod unfit;
mod unnamed;
mod writer;

pub(crate) use archive::{KnownContent, KnownContents};
pub(crate) use payload_reader::{Wanted, read_file};
pub(crate) use read_back::read_back;
pub(crate) use writer::{Draft, write};

pub use payload_reader::PayloadError;
pub use read_back::ReadBackError;
pub use unfit::UnfitLayout;
pub use writer::WriteError;
