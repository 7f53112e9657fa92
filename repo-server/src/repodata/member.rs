//! Compressed pieces of metadata documents.

use std::io;

use bytes::Bytes;
use ledger::Digest;
use serde::{Deserialize, Serialize};

use super::compression::Compression;

/// A compressed piece of a metadata document, which is a blob: one gzip member or zstd frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The sha256 of its compressed bytes.
    pub digest: Digest,
    /// The size of its compressed bytes.
    pub size: u64,
    /// The size of what it holds, bytes.
    pub open_size: u64,
}

/// A member with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedMember {
    /// What is known of it.
    pub member: Member,
    /// Its compressed bytes.
    pub bytes: Bytes,
}

impl PackedMember {
    /// Compresses parts, one after another. The same parts always give the same member.
    ///
    /// # Errors
    /// The compressor's, which has none in memory.
    pub fn pack<'a>(compression: Compression, parts: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Self> {
        let mut open_size = 0;
        let counted = parts.into_iter().inspect(|part| open_size += part.len() as u64);
        let bytes = Bytes::from(compression.pack(counted)?);
        let member = Member { digest: Digest::of(&bytes), size: bytes.len() as u64, open_size };
        Ok(Self { member, bytes })
    }
}
