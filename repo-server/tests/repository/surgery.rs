//! Packages taken apart to tags and put together again: what no builder would make, but a header can say.

use std::collections::BTreeMap;

const LEAD_SIZE: usize = 96;
const INTRO_SIZE: usize = 16;
const ENTRY_SIZE: usize = 16;
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
const TAG_REGION: u32 = 63;

/// The types of values (rpm's `include/rpm/rpmtag.h`, `rpmTagType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Int16 = 3,
    Int32 = 4,
    Int64 = 5,
    Text = 6,
    Texts = 8,
    Translated = 9,
}

/// One tag's values as they stand in a header.
#[derive(Debug, Clone)]
struct Entry {
    kind: u32,
    count: u32,
    bytes: Vec<u8>,
}

/// A package whose main header can be changed; lead, signature header and payload stay.
#[derive(Debug, Clone)]
pub(crate) struct Patient {
    before: Vec<u8>,
    entries: BTreeMap<u32, Entry>,
    payload: Vec<u8>,
    has_region: bool,
}

impl Patient {
    /// Takes a package apart, which has to be a good one.
    pub(crate) fn open(package: &[u8]) -> Self {
        let signature = Header::at(package, LEAD_SIZE);
        let main = Header::at(package, signature.end.next_multiple_of(8));
        let data = &package[main.data..main.end];
        let mut entries = BTreeMap::new();
        for index in package[main.start + INTRO_SIZE..main.data].chunks_exact(ENTRY_SIZE) {
            let (kind, start, count) = (be(index, 4), be(index, 8) as usize, be(index, 12));
            let size = size_of(kind, count as usize, &data[start..]);
            entries.insert(be(index, 0), Entry { kind, count, bytes: data[start..start + size].to_vec() });
        }
        let has_region = entries.remove(&TAG_REGION).is_some();
        let (before, payload) = (package[..main.start].to_vec(), package[main.end..].to_vec());
        Self { before, entries, payload, has_region }
    }

    pub(crate) fn without(mut self, tags: &[u32]) -> Self {
        for tag in tags {
            self.entries.remove(tag);
        }
        self
    }

    /// Leaves the immutable region out, as packages before rpm 4.0 do.
    pub(crate) fn without_region(mut self) -> Self {
        self.has_region = false;
        self
    }

    pub(crate) fn text(self, tag: u32, text: &[u8]) -> Self {
        self.strings(tag, Kind::Text, &[text])
    }

    pub(crate) fn texts(self, tag: u32, texts: &[&[u8]]) -> Self {
        self.strings(tag, Kind::Texts, texts)
    }

    pub(crate) fn translated(self, tag: u32, texts: &[&[u8]]) -> Self {
        self.strings(tag, Kind::Translated, texts)
    }

    fn strings(mut self, tag: u32, kind: Kind, texts: &[&[u8]]) -> Self {
        let bytes = texts.iter().flat_map(|text| [text, &b"\0"[..]].concat()).collect();
        self.entries.insert(tag, Entry { kind: kind as u32, count: texts.len() as u32, bytes });
        self
    }

    pub(crate) fn numbers(mut self, tag: u32, kind: Kind, numbers: &[u64]) -> Self {
        let width = width(kind as u32);
        let bytes = numbers.iter().flat_map(|number| number.to_be_bytes()[8 - width..].to_vec()).collect();
        self.entries.insert(tag, Entry { kind: kind as u32, count: numbers.len() as u32, bytes });
        self
    }

    /// Renames the package.
    pub(crate) fn named(self, name: &str) -> Self {
        self.text(1000, name.as_bytes())
    }

    /// Puts it together.
    pub(crate) fn close(&self) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        for (tag, entry) in &self.entries {
            data.resize(data.len().next_multiple_of(width(entry.kind)), 0);
            push_index(&mut index, [*tag, entry.kind, data.len() as u32, entry.count]);
            data.extend(&entry.bytes);
        }
        if self.has_region {
            let mut region = Vec::new();
            push_index(&mut region, [TAG_REGION, 7, data.len() as u32, ENTRY_SIZE as u32]);
            let size = (region.len() + index.len()) as u32;
            push_index(&mut data, [TAG_REGION, 7, size.wrapping_neg(), ENTRY_SIZE as u32]);
            index = [region, index].concat();
        }
        let counts = [(index.len() / ENTRY_SIZE) as u32, data.len() as u32].map(u32::to_be_bytes).concat();
        [&self.before, &MAGIC[..], &counts, &index, &data, &self.payload].concat()
    }
}

struct Header {
    start: usize,
    data: usize,
    end: usize,
}

impl Header {
    fn at(package: &[u8], start: usize) -> Self {
        let data = start + INTRO_SIZE + be(package, start + 8) as usize * ENTRY_SIZE;
        Self { start, data, end: data + be(package, start + 12) as usize }
    }
}

fn be(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn push_index(index: &mut Vec<u8>, entry: [u32; 4]) {
    index.extend(entry.map(u32::to_be_bytes).concat());
}

fn width(kind: u32) -> usize {
    match kind {
        3 => 2,
        4 => 4,
        5 => 8,
        _ => 1,
    }
}

fn size_of(kind: u32, count: usize, rest: &[u8]) -> usize {
    match kind {
        6 | 8 | 9 => rest.iter().enumerate().filter(|(_, byte)| **byte == 0).nth(count - 1).unwrap().0 + 1,
        _ => count * width(kind),
    }
}
