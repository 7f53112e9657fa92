//! Packages made byte by byte, for tests of what no builder would make.

use crate::PackageHeader;
use crate::error::ReadHeaderError;

/// A header in the making.
#[derive(Debug, Default, Clone)]
pub(crate) struct SampleHeader {
    index: Vec<u8>,
    data: Vec<u8>,
}

impl SampleHeader {
    /// One with the tags that every package has.
    pub(crate) fn package() -> Self {
        Self::default()
            .text(1000, "sample")
            .text(1001, "1.0")
            .text(1002, "2")
            .text(1022, "noarch")
            .text(1044, "x.src.rpm")
    }

    /// Adds a string.
    pub(crate) fn text(self, tag: u32, text: &str) -> Self {
        self.entry(tag, 6, 1, &[text.as_bytes(), b"\0"].concat())
    }

    /// Adds an array of strings.
    pub(crate) fn texts(self, tag: u32, texts: &[&str]) -> Self {
        let bytes: Vec<u8> = texts.iter().flat_map(|text| [text.as_bytes(), b"\0"].concat()).collect();
        self.entry(tag, 8, texts.len() as u32, &bytes)
    }

    /// Adds integers of 32 bits.
    pub(crate) fn numbers(self, tag: u32, numbers: &[u32]) -> Self {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        self.entry(tag, 4, numbers.len() as u32, &bytes)
    }

    /// Adds values of any type and of any claimed count.
    pub(crate) fn entry(self, tag: u32, kind: u32, count: u32, bytes: &[u8]) -> Self {
        let offset = self.data.len() as u32;
        let mut header = self.index_entry([tag, kind, offset, count]);
        header.data.extend(bytes);
        header
    }

    /// Adds an entry to the index alone.
    pub(crate) fn index_entry(mut self, entry: [u32; 4]) -> Self {
        self.index.extend(entry.iter().flat_map(|number| number.to_be_bytes()));
        self
    }

    /// Puts an immutable region of so many entries before it.
    pub(crate) fn immutable(self, entries: i32) -> Self {
        let mut region = Self::default().index_entry([63, 7, self.data.len() as u32, 16]);
        region.index.extend(self.index);
        region.data.extend(self.data);
        region.data.extend([63, 7, -16 * entries, 16].map(i32::to_be_bytes).concat());
        region
    }

    fn bytes(&self) -> Vec<u8> {
        let counts = [self.index.len() as u32 / 16, self.data.len() as u32];
        let mut bytes = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
        bytes.extend(counts.iter().flat_map(|number| number.to_be_bytes()));
        [bytes, self.index.clone(), self.data.clone()].concat()
    }

    /// The package with this as its main header and a signature header of one tag.
    pub(crate) fn to_package(&self) -> Vec<u8> {
        self.to_signed_package(&Self::default().numbers(1000, &[0, 0]))
    }

    /// The package with this as its main header; the signature header's data has to be a multiple of 8 bytes.
    pub(crate) fn to_signed_package(&self, signature: &Self) -> Vec<u8> {
        let mut lead = vec![0; 96];
        lead[..5].copy_from_slice(&[0xed, 0xab, 0xee, 0xdb, 3]);
        lead[79] = 5;
        [lead, signature.bytes(), self.bytes()].concat()
    }

    /// What is read of the package.
    pub(crate) fn read(&self) -> Result<PackageHeader, ReadHeaderError> {
        PackageHeader::read(&mut self.to_package().as_slice())
    }
}
