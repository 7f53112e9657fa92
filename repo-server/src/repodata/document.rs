//! Primary, filelists and other of a whole channel, compressed.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use ledger::{Digest, DigestBuilder};

use super::kind::MetadataKind;

/// Fast: the default level takes twice the time for a tenth less.
const LEVEL: u32 = 4;

/// A compressed metadata document, with what repomd.xml says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its kind.
    pub kind: MetadataKind,
    /// It, compressed with gzip.
    pub bytes: Bytes,
    /// The sha256 of the compressed bytes, by which the file is named.
    pub digest: Digest,
    /// The sha256 of the XML.
    pub open_digest: Digest,
    /// The size of the XML, bytes.
    pub open_size: u64,
}

impl Document {
    /// Puts the fragments of a channel's packages together. The same fragments always give the same bytes.
    ///
    /// # Errors
    /// The compressor's, which has none in memory.
    pub fn render(kind: MetadataKind, fragments: &[Bytes]) -> io::Result<Self> {
        let mut xml = Counted::new();
        xml.push(kind.opening(fragments.len()).as_bytes())?;
        for fragment in fragments {
            xml.push(fragment)?;
        }
        xml.push(kind.closing().as_bytes())?;
        let bytes = Bytes::from(xml.gzip.finish()?);
        let digest = Digest::of(&bytes);
        Ok(Self { kind, bytes, digest, open_digest: xml.digest.finish(), open_size: xml.size })
    }

    /// The name of its file in `repodata/`.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(&self.digest, self.kind)
    }
}

/// The name of a metadata document's file in `repodata/`.
pub(crate) fn file_name(digest: &Digest, kind: MetadataKind) -> String {
    format!("{digest}-{kind}.xml.gz")
}

/// XML on its way into the compressor.
struct Counted {
    gzip: GzEncoder<Vec<u8>>,
    digest: DigestBuilder,
    size: u64,
}

impl Counted {
    fn new() -> Self {
        let gzip = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
        Self { gzip, digest: DigestBuilder::new(), size: 0 }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        self.gzip.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn unpacked(document: &Document) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&document.bytes[..]).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn an_empty_channel_is_valid() {
        for kind in MetadataKind::OF_PACKAGES {
            let document = Document::render(kind, &[]).unwrap();
            let text = unpacked(&document);
            assert!(text.contains("packages=\"0\""), "{text}");
            assert_eq!((document.open_size, document.open_digest), (text.len() as u64, Digest::of(text.as_bytes())));
            assert_eq!(document.digest, Digest::of(&document.bytes));
            assert_eq!(document.file_name(), format!("{}-{kind}.xml.gz", document.digest));
        }
    }

    #[test]
    fn fragments_stand_in_order() {
        let fragments = [Bytes::from_static(b"<a/>\n"), Bytes::from_static(b"<b/>\n")];
        let document = Document::render(MetadataKind::Other, &fragments).unwrap();
        assert!(unpacked(&document).ends_with("packages=\"2\">\n<a/>\n<b/>\n</otherdata>"));
        assert_eq!(document, Document::render(MetadataKind::Other, &fragments).unwrap());
    }
}
