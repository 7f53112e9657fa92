//! The signature header: digests and signature of the main header, and sizes.

use rpm::{Header, HeaderEntry, IndexData, IndexSignatureTag as Tag};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::signing_key::HeaderSignature;

/// Bytes that the signature header takes in the file, padding included, whatever is in it: it is written after the
/// payload, whose place must be known before. Leaves some 4 KiB for a signature to be added later, as rpmbuild does.
pub(super) const LENGTH: usize = 4608;

/// Bytes of a header besides its tags' data: magic and counts, 16 for each tag, 32 for the region tag.
const FRAME: usize = 16 + 32;
const TAG: usize = 16;

/// What the signature header says.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    /// The main header's bytes.
    pub(super) header: &'a [u8],
    /// Bytes of main header and payload together.
    pub(super) size: u32,
    /// Bytes of the payload before compression.
    pub(super) archive_size: u32,
    /// The signature of the main header.
    pub(super) signature: Option<HeaderSignature>,
}

impl Contents<'_> {
    /// Makes the header; none when the signature does not fit.
    pub(super) fn build(self) -> Option<Header<Tag>> {
        let mut tags = vec![
            (Tag::RPMSIGTAG_SHA1, IndexData::StringTag(hex::encode(Sha1::digest(self.header)))),
            (Tag::RPMSIGTAG_SHA256, IndexData::StringTag(hex::encode(Sha256::digest(self.header)))),
            (Tag::RPMSIGTAG_SIZE, IndexData::Int32(vec![self.size])),
            (Tag::RPMSIGTAG_PAYLOADSIZE, IndexData::Int32(vec![self.archive_size])),
        ];
        match self.signature {
            Some(HeaderSignature::Rsa(packet)) => tags.push((Tag::RPMSIGTAG_RSA, IndexData::Bin(packet))),
            // All but RSA stands under the tag that was DSA's.
            Some(HeaderSignature::Other(packet)) => tags.push((Tag::RPMSIGTAG_DSA, IndexData::Bin(packet))),
            None => {}
        }
        let reserved = reserve(&tags)?;
        tags.push((Tag::RPMSIGTAG_RESERVEDSPACE, IndexData::Bin(vec![0; reserved])));
        let entries = tags.into_iter().map(|(tag, data)| HeaderEntry::new(tag as u32, data));
        Some(Header::from_entries(entries, Tag::HEADER_SIGNATURES))
    }
}

/// Counts the bytes that are left for the reserved space, which comes last and so ends the data.
fn reserve(tags: &[(Tag, IndexData)]) -> Option<usize> {
    let mut sorted: Vec<_> = tags.iter().collect();
    sorted.sort_by_key(|(tag, _)| *tag as u32);
    let data = sorted.iter().fold(0_usize, |length, (_, data)| match data {
        IndexData::Int32(values) => length.next_multiple_of(4) + 4 * values.len(),
        IndexData::StringTag(value) => length + value.len() + 1,
        IndexData::Bin(bytes) => length + bytes.len(),
        _ => length,
    });
    LENGTH.checked_sub(FRAME + TAG * (tags.len() + 1) + data).filter(|left| *left > 0)
}
