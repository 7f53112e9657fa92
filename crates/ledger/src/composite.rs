//! Composite blobs: known by the sha256 of other blobs' bytes one after the other, which are not stored again.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Digest;

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

impl Composite {
    /// Names the blobs whose bytes, one after the other, have a digest; that they do is for the caller to know.
    #[must_use]
    pub fn new(digest: Digest, parts: Vec<Part>) -> Self {
        let size = parts.iter().map(|part| part.size).sum();
        Self { schema: SCHEMA, digest, size, parts }
    }

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
        let parts =
            ["abc", "", "defg"].map(|text| Part { digest: Digest::of(text.as_bytes()), size: text.len() as u64 });
        let composite = Composite::new(Digest::of(b"abcdefg"), parts.to_vec());
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
