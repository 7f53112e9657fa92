//! Metadata documents put together from members, without compressing anything twice.

use std::io::{self, Read};

use bytes::Bytes;
use ledger::{Digest, DigestBuilder};
use serde::{Deserialize, Serialize};

use super::compression::Compression;
use super::kind::{MetadataFile, MetadataKind};
use super::member::{Member, PackedMember};

/// Up to this size of its XML, repomd.xml also has the sha256 of a document's XML. Beyond it, a publish would have to
/// unpack all that others published before, and none of the clients asks: yum 3 and libsolv compare the checksum of the
/// compressed file alone.
const OPEN_DIGEST_LIMIT: u64 = 2 << 20;

/// What repomd.xml says of a metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRecord {
    /// Its kind.
    pub kind: MetadataKind,
    /// How it is compressed, if at all.
    pub compression: Option<Compression>,
    /// The sha256 of the file, by which it is named.
    pub digest: Digest,
    /// The size of the file, bytes.
    pub size: u64,
    /// The sha256 of what is compressed, where that was worth computing.
    pub open_digest: Option<Digest>,
    /// The size of what is compressed, bytes.
    pub open_size: u64,
    /// When it came to be, seconds since 1970.
    pub time: u64,
}

/// A document put together: the concatenation of blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssembledDocument {
    /// What repomd.xml says of it.
    pub record: DocumentRecord,
    /// The blobs of which it is the concatenation.
    pub parts: Vec<Digest>,
    /// Those of them that belong to no page: its beginning and its end.
    pub frame: Vec<PackedMember>,
}

/// Puts a document together from its members, in order, whose bytes may come from memory or from a stream: no more than
/// one chunk of them is needed at a time.
#[derive(Debug)]
pub struct DocumentBuilder {
    kind: MetadataKind,
    compression: Compression,
    digest: DigestBuilder,
    size: u64,
    open_size: u64,
    /// All bytes so far, of a document that is small.
    small: Option<Vec<u8>>,
    parts: Vec<Digest>,
    opening: PackedMember,
    closing: PackedMember,
}

impl DocumentRecord {
    /// Its file in `repodata/`.
    #[must_use]
    pub fn file(&self) -> MetadataFile {
        MetadataFile { digest: self.digest, kind: self.kind, compression: self.compression }
    }
}

impl DocumentBuilder {
    /// Begins a document of so many packages, made of these members.
    ///
    /// # Errors
    /// The compressor's, which has none in memory.
    pub fn begin(
        kind: MetadataKind,
        compression: Compression,
        packages: usize,
        members: &[Member],
    ) -> io::Result<Self> {
        let opening = PackedMember::pack(compression, [kind.opening(packages).as_bytes()])?;
        let closing = PackedMember::pack(compression, [kind.closing().as_bytes()])?;
        let all = [&[opening.member], members, &[closing.member]].concat();
        let open_size = all.iter().map(|member| member.open_size).sum();
        let mut builder = Self {
            kind,
            compression,
            digest: DigestBuilder::new(),
            size: 0,
            open_size,
            small: (open_size <= OPEN_DIGEST_LIMIT).then(Vec::new),
            parts: all.iter().map(|member| member.digest).collect(),
            opening: opening.clone(),
            closing,
        };
        builder.push(&opening.bytes);
        Ok(builder)
    }

    /// The bytes with which the document begins.
    pub(crate) fn opening(&self) -> &Bytes {
        &self.opening.bytes
    }

    /// The bytes with which the document ends.
    pub(crate) fn closing(&self) -> &Bytes {
        &self.closing.bytes
    }

    /// Adds the next bytes of the members.
    pub fn push(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        if let Some(small) = &mut self.small {
            small.extend_from_slice(bytes);
        }
    }

    /// Ends the document.
    ///
    /// # Errors
    /// Where members are not what they were said to be.
    pub fn finish(mut self, time: u64) -> io::Result<AssembledDocument> {
        let closing = self.closing.bytes.clone();
        self.push(&closing);
        let open_digest = self.small.as_deref().map(|packed| open_digest(self.compression, packed)).transpose()?;
        let record = DocumentRecord {
            kind: self.kind,
            compression: Some(self.compression),
            digest: self.digest.finish(),
            size: self.size,
            open_digest,
            open_size: self.open_size,
            time,
        };
        Ok(AssembledDocument { record, parts: self.parts, frame: vec![self.opening, self.closing] })
    }
}

impl AssembledDocument {
    /// Makes a document of text that does not come in pages: advisories, groups, module streams.
    ///
    /// # Errors
    /// The compressor's, which has none in memory.
    pub fn of_text(kind: MetadataKind, compression: Option<Compression>, text: &Bytes, time: u64) -> io::Result<Self> {
        let open = Digest::of(text);
        let open_size = text.len() as u64;
        let packed = match compression {
            Some(compression) => PackedMember::pack(compression, [text.as_ref()])?,
            None => PackedMember { member: Member { digest: open, size: open_size, open_size }, bytes: text.clone() },
        };
        let Member { digest, size, .. } = packed.member;
        let record = DocumentRecord { kind, compression, digest, size, open_digest: Some(open), open_size, time };
        Ok(Self { record, parts: vec![digest], frame: vec![packed] })
    }
}

fn open_digest(compression: Compression, packed: &[u8]) -> io::Result<Digest> {
    let mut reader = compression.unpack(packed)?;
    let mut digest = DigestBuilder::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(digest.finish()),
            read => digest.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assembled(kind: MetadataKind, compression: Compression, pages: &[&[u8]]) -> (AssembledDocument, Vec<u8>) {
        let pages: Vec<_> = pages.iter().map(|page| PackedMember::pack(compression, [*page]).unwrap()).collect();
        let members: Vec<_> = pages.iter().map(|page| page.member).collect();
        let mut builder = DocumentBuilder::begin(kind, compression, 7, &members).unwrap();
        pages.iter().for_each(|page| builder.push(&page.bytes));
        let document = builder.finish(1).unwrap();
        let all: Vec<&PackedMember> =
            [&document.frame[0]].into_iter().chain(&pages).chain([&document.frame[1]]).collect();
        assert_eq!(document.parts, all.iter().map(|member| member.member.digest).collect::<Vec<_>>());
        let bytes = all.iter().flat_map(|member| member.bytes.to_vec()).collect();
        (document, bytes)
    }

    #[test]
    fn documents_are_their_members() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            for kind in MetadataKind::OF_PACKAGES {
                let (document, bytes) = assembled(kind, compression, &[b"<a/>\n", b"<b/>\n"]);
                let mut text = String::new();
                compression.unpack(bytes.as_slice()).unwrap().read_to_string(&mut text).unwrap();
                assert!(text.ends_with(&format!("packages=\"7\">\n<a/>\n<b/>\n{}", kind.closing())), "{text}");
                let record = &document.record;
                assert_eq!((record.digest, record.size), (Digest::of(&bytes), bytes.len() as u64));
                assert_eq!(record.open_digest, Some(Digest::of(text.as_bytes())));
                assert_eq!(record.open_size, text.len() as u64);
            }
        }
    }

    #[test]
    fn large_documents_are_not_unpacked() {
        let page = vec![b' '; OPEN_DIGEST_LIMIT as usize];
        let (document, bytes) = assembled(MetadataKind::Other, Compression::Zstd, &[&page]);
        assert_eq!(document.record.open_digest, None);
        assert_eq!(document.record.digest, Digest::of(&bytes));
    }

    #[test]
    fn texts_come_with_and_without_compression() {
        let text = Bytes::from_static(b"<comps/>");
        let plain = AssembledDocument::of_text(MetadataKind::Group, None, &text, 1).unwrap();
        assert_eq!((plain.record.digest, plain.record.size), (Digest::of(&text), 8));
        assert!(plain.record.file().to_string().ends_with("-comps.xml"));
        let packed = AssembledDocument::of_text(MetadataKind::Group, Some(Compression::Gzip), &text, 1).unwrap();
        assert_eq!(packed.record.open_digest, Some(plain.record.digest));
        assert_eq!(packed.parts, [packed.frame[0].member.digest]);
    }
}
