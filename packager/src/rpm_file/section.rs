//! One header of an .rpm file, encoded (rpm's `docs/manual/format_header.md`).

use std::collections::BTreeMap;

use super::tag::Tag;

/// A header: its tags, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Section {
    tags: BTreeMap<Tag, Value>,
}

/// A tag's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Int16(Vec<u16>),
    Int32(Vec<u32>),
    Int64(Vec<u64>),
    Text(String),
    Binary(Vec<u8>),
    Texts(Vec<String>),
    /// Text of the C locale, the first of HEADERI18NTABLE.
    Translated(String),
}

const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// Magic and the two counts.
const INTRODUCTION: usize = 16;
const INDEX_ENTRY: usize = 16;
const BINARY: u32 = 7;

impl Section {
    /// Sets a tag's values. No values, no tag: rpm takes an empty list for damage.
    pub(super) fn put(&mut self, tag: Tag, value: Value) {
        if value.count() > 0 {
            self.tags.insert(tag, value);
        }
    }

    /// Bytes of the encoded header.
    pub(super) fn length(&self) -> usize {
        let data = self.tags.values().fold(0, |length: usize, value| value.end(length));
        INTRODUCTION + INDEX_ENTRY * (self.tags.len() + 1) + data + INDEX_ENTRY
    }

    /// Encodes the header as one immutable region: the region's tag comes first in the index, and its data, an index
    /// entry that points back over the whole index, last.
    pub(super) fn encode(&self, region: Tag) -> Vec<u8> {
        let length = self.length();
        let index_length = INDEX_ENTRY * (self.tags.len() + 1);
        let (mut index, mut data) = (Vec::with_capacity(length), Vec::with_capacity(length - index_length));
        let numbers = [self.tags.len() + 1, length - INTRODUCTION - index_length];
        index.extend(MAGIC);
        index.extend(numbers.iter().flat_map(|number| narrow(*number).to_be_bytes()));
        write_entry(&mut index, [region, BINARY, narrow(numbers[1] - INDEX_ENTRY), narrow(INDEX_ENTRY)]);
        for (tag, value) in &self.tags {
            data.resize(data.len().next_multiple_of(value.alignment()), 0);
            write_entry(&mut index, [*tag, value.type_number(), narrow(data.len()), narrow(value.count())]);
            value.write(&mut data);
        }
        write_entry(&mut data, [region, BINARY, narrow(index_length).wrapping_neg(), narrow(INDEX_ENTRY)]);
        index.append(&mut data);
        index
    }
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Texts(texts.into_iter().map(str::to_owned).collect())
    }

    pub(super) fn number(number: u32) -> Self {
        Self::Int32(vec![number])
    }

    /// rpm's number of the type (`include/rpm/rpmtag.h`, `rpmTagType`).
    fn type_number(&self) -> u32 {
        match self {
            Self::Int16(_) => 3,
            Self::Int32(_) => 4,
            Self::Int64(_) => 5,
            Self::Text(_) => 6,
            Self::Binary(_) => BINARY,
            Self::Texts(_) => 8,
            Self::Translated(_) => 9,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Int16(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Texts(texts) => texts.len(),
            Self::Text(_) | Self::Translated(_) => 1,
        }
    }

    fn alignment(&self) -> usize {
        match self {
            Self::Int16(_) => 2,
            Self::Int32(_) => 4,
            Self::Int64(_) => 8,
            Self::Text(_) | Self::Binary(_) | Self::Texts(_) | Self::Translated(_) => 1,
        }
    }

    /// Where the values end that begin at `start` or, for the sake of alignment, shortly after.
    fn end(&self, start: usize) -> usize {
        let length = match self {
            Self::Text(text) | Self::Translated(text) => text.len() + 1,
            Self::Texts(texts) => texts.iter().map(|text| text.len() + 1).sum(),
            numbers => numbers.count() * numbers.alignment(),
        };
        start.next_multiple_of(self.alignment()) + length
    }

    fn write(&self, data: &mut Vec<u8>) {
        match self {
            Self::Int16(values) => data.extend(values.iter().flat_map(|value| value.to_be_bytes())),
            Self::Int32(values) => data.extend(values.iter().flat_map(|value| value.to_be_bytes())),
            Self::Int64(values) => data.extend(values.iter().flat_map(|value| value.to_be_bytes())),
            Self::Binary(bytes) => data.extend(bytes),
            Self::Text(text) | Self::Translated(text) => write_text(data, text),
            Self::Texts(texts) => texts.iter().for_each(|text| write_text(data, text)),
        }
    }
}

fn write_text(data: &mut Vec<u8>, text: &str) {
    data.extend(text.as_bytes());
    data.push(0);
}

fn write_entry(out: &mut Vec<u8>, numbers: [u32; 4]) {
    out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
}

/// Headers are small: what could make one larger than 64 MiB is refused before.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_long_as_it_says() {
        let mut section = Section::default();
        section.put(1000, Value::text("a"));
        section.put(1001, Value::number(7));
        section.put(1002, Value::Int16(vec![1, 2, 3]));
        section.put(1003, Value::Int64(vec![5]));
        section.put(1004, Value::Translated("text".to_owned()));
        section.put(1005, Value::texts(["x", "", "yz"]));
        section.put(1006, Value::Binary(vec![9; 3]));
        section.put(1007, Value::texts([]));
        let bytes = section.encode(63);
        assert_eq!(bytes.len(), section.length());
        let data = [
            b"a\0\0\0\0\0\0\x07\0\x01\0\x02\0\x03\0\0".as_slice(),
            b"\0\0\0\0\0\0\0\x05text\0x\0\0yz\0\x09\x09\x09",
            b"\0\0\0\x3f\0\0\0\x07\xff\xff\xff\x80\0\0\0\x10",
        ]
        .concat();
        assert_eq!(&bytes[INTRODUCTION + 8 * INDEX_ENTRY..], data);
        assert_eq!(bytes[8..16], [0, 0, 0, 8, 0, 0, 0, data.len() as u8]);
    }
}
