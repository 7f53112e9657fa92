//! The signature header: digests and signature of the main header, and sizes.

use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::signing::HeaderSignature;

use super::section::{Section, Value};
use super::tag;

/// Bytes that the signature header takes in the file, padding included, whatever is in it: it is written after the
/// payload, whose place must be known before. Leaves some 4 KiB for a signature to be added later, as rpmbuild does.
pub(super) const LENGTH: usize = 4608;

/// What the signature header says.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    /// The main header's bytes.
    pub(super) header: &'a [u8],
    /// Bytes of main header and payload together.
    pub(super) size: u64,
    /// Bytes of the payload before compression.
    pub(super) archive_size: u64,
    /// MD5 of main header and payload together, where the target's rpm knows nothing better.
    pub(super) md5: Option<[u8; 16]>,
    /// The signature of the main header.
    pub(super) signature: Option<HeaderSignature>,
}

impl Contents<'_> {
    /// Makes the header, [`LENGTH`] bytes; none when the signature does not fit.
    pub(super) fn encode(self) -> Option<Vec<u8>> {
        let mut section = Section::default();
        section.put(tag::SHA1HEADER, Value::text(hex::encode(Sha1::digest(self.header))));
        section.put(tag::SHA256HEADER, Value::text(hex::encode(Sha256::digest(self.header))));
        match (u32::try_from(self.size), u32::try_from(self.archive_size)) {
            (Ok(size), Ok(archive_size)) if size.max(archive_size) < u32::MAX => {
                section.put(tag::SIGSIZE, Value::number(size));
                section.put(tag::SIGPAYLOADSIZE, Value::number(archive_size));
            }
            _ => {
                section.put(tag::LONGSIGSIZE, Value::Int64(vec![self.size]));
                section.put(tag::LONGARCHIVESIZE, Value::Int64(vec![self.archive_size]));
            }
        }
        if let Some(md5) = self.md5 {
            section.put(tag::SIGMD5, Value::Binary(md5.to_vec()));
        }
        match self.signature {
            Some(HeaderSignature::Rsa(packet)) => section.put(tag::RSAHEADER, Value::Binary(packet)),
            // All but RSA stands under the tag that was DSA's.
            Some(HeaderSignature::Other(packet)) => section.put(tag::DSAHEADER, Value::Binary(packet)),
            None => {}
        }
        // The reserved space comes last, so that every byte of it is one byte of the whole.
        section.put(tag::RESERVEDSPACE, Value::Binary(vec![0]));
        let reserved = (LENGTH + 1).checked_sub(section.length())?;
        section.put(tag::RESERVEDSPACE, Value::Binary(vec![0; reserved]));
        Some(section.encode(tag::HEADERSIGNATURES)).filter(|bytes| bytes.len() == LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use rpm_header::PackageHeader;

    use super::*;

    fn contents(size: u64, signature: Option<HeaderSignature>) -> Option<Vec<u8>> {
        Contents { header: b"header", size, archive_size: 7, md5: Some([1; 16]), signature }.encode()
    }

    #[test]
    fn is_as_long_whatever_is_in_it() {
        for size in [0, 1, u64::from(u32::MAX) - 1, u64::from(u32::MAX), u64::MAX] {
            for length in [0, 1, 71, 543, 3000] {
                let bytes = contents(size, Some(HeaderSignature::Rsa(vec![0; length])));
                assert_eq!(bytes.map(|bytes| bytes.len()), Some(LENGTH), "{size} {length}");
            }
        }
        assert!(contents(1, Some(HeaderSignature::Other(vec![0; LENGTH]))).is_none());
    }

    #[test]
    fn large_sizes_have_64_bits() {
        let lead = super::super::lead::encode(&"a-1-1.noarch".parse().unwrap());
        let mut main = Section::default();
        for (tag, text) in [(tag::NAME, "a"), (tag::VERSION, "1"), (tag::RELEASE, "1"), (tag::ARCH, "noarch")] {
            main.put(tag, Value::text(text));
        }
        let package = |size| [&lead[..], &contents(size, None).unwrap(), &main.encode(tag::HEADERIMMUTABLE)].concat();
        for size in [5, u64::from(u32::MAX)] {
            let header = PackageHeader::read(&mut package(size).as_slice()).unwrap();
            assert_eq!(header.archive_size, 7);
        }
    }
}
