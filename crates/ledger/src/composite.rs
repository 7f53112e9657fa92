//! Composite blobs: known by the sha256 of other blobs' bytes one after the other, which are not stored again.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Digest, DigestBuilder};

/// The version of the stored form that this program writes, and the newest that it reads.
const SCHEMA: u32 = 1;

/// A blob that is the concatenation of other blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Composite {
    schema: u32,
    /// The sha256 of all bytes.
    digest: Digest,
    /// The number of all bytes.
    size: u64,
    parts: Vec<Part>,
}

/// One of the blobs that a composite consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Part {
    /// Its sha256.
    pub digest: Digest,
    /// Its size, bytes.
    pub size: u64,
}

/// Puts a [`Composite`] together, hashing the parts' bytes as they are given.
#[derive(Debug, Default)]
pub struct CompositeBuilder {
    digest: DigestBuilder,
    size: u64,
    parts: Vec<Part>,
}

impl CompositeBuilder {
    /// Starts with no parts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part, whose bytes are those of its digest.
    pub fn push(&mut self, digest: Digest, bytes: &Bytes) {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        self.parts.push(Part { digest, size: bytes.len() as u64 });
    }

    /// Gives the composite of all parts.
    #[must_use]
    pub fn finish(self) -> Composite {
        Composite { schema: SCHEMA, digest: self.digest.finish(), size: self.size, parts: self.parts }
    }
}

impl Composite {
    /// The sha256 of all bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The number of all bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What it consists of, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Tells whether it is of a form that this program knows, and its sizes add up.
    pub(crate) fn holds(&self) -> bool {
        self.schema <= SCHEMA
            && self.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.size)) == Some(self.size)
    }

    /// The pieces of its parts that make up a range of its bytes.
    pub(crate) fn pieces(&self, range: &Range<u64>) -> Vec<(Part, Range<u64>)> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for part in &self.parts {
            let end = start + part.size;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                pieces.push((*part, from - start..to - start));
            }
            start = end;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_fall_into_pieces() {
        let mut builder = CompositeBuilder::new();
        let texts = [&b"abc"[..], b"", b"defg"].map(Bytes::from_static);
        for text in &texts {
            builder.push(Digest::of(text), text);
        }
        let composite = builder.finish();
        assert_eq!((composite.digest(), composite.size()), (Digest::of(b"abcdefg"), 7));
        let pieces = |range: Range<u64>| -> Vec<_> {
            composite.pieces(&range).into_iter().map(|(part, range)| (part.size, range)).collect()
        };
        assert_eq!(pieces(0..7), [(3, 0..3), (4, 0..4)]);
        assert_eq!(pieces(2..4), [(3, 2..3), (4, 0..1)]);
        assert_eq!(pieces(3..3), []);
        assert!(composite.holds());
    }
}
