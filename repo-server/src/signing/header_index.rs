//! The tags of one header of an RPM, as they lie in the file (rpm's `docs/manual/format_header.md`), and a signature header
//! written anew. For headers that [`rpm_header::PackageHeader`] has read and found in order.

const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// Magic and the two counts.
const INTRODUCTION: usize = 16;
const ENTRY: usize = 16;
const BINARY: u32 = 7;

/// A tag with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) number: u32,
    /// rpm's number of the type (`include/rpm/rpmtag.h`, `rpmTagType`).
    pub(super) kind: u32,
    pub(super) count: u32,
    pub(super) bytes: Vec<u8>,
}

impl Tag {
    pub(super) fn binary(number: u32, bytes: Vec<u8>) -> Self {
        Self { number, kind: BINARY, count: u32::try_from(bytes.len()).unwrap_or(u32::MAX), bytes }
    }

    pub(super) fn texts(number: u32, texts: &[String]) -> Self {
        let bytes = texts.iter().flat_map(|text| text.bytes().chain([0])).collect();
        Self { number, kind: 8, count: u32::try_from(texts.len()).unwrap_or(u32::MAX), bytes }
    }

    /// The first of its texts.
    pub(super) fn text(&self) -> Option<&str> {
        let is_text = matches!(self.kind, 6 | 8 | 9);
        is_text.then(|| self.bytes.split(|byte| *byte == 0).next()).flatten().and_then(|text| str::from_utf8(text).ok())
    }

    /// The first of its numbers.
    pub(super) fn number(&self) -> Option<u64> {
        let width = width(self.kind)?;
        let bytes = self.bytes.get(..width)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn alignment(&self) -> usize {
        width(self.kind).unwrap_or(1)
    }
}

fn width(kind: u32) -> Option<usize> {
    match kind {
        1 | 2 => Some(1),
        3 => Some(2),
        4 => Some(4),
        5 => Some(8),
        _ => None,
    }
}

/// Reads the tags of a header that begins with its magic, in the order of the file and without its region; what lies
/// outside of the data is left out.
pub(super) fn read_tags(header: &[u8]) -> Vec<Tag> {
    let count = word(header, 8).unwrap_or(0) as usize;
    let data = header.get(INTRODUCTION + count.saturating_mul(ENTRY)..).unwrap_or_default();
    let tags = (0..count).map_while(|position| {
        let entry = header.get(INTRODUCTION + position * ENTRY..)?.get(..ENTRY)?;
        Some([word(entry, 0)?, word(entry, 4)?, word(entry, 8)?, word(entry, 12)?])
    });
    tags.filter(|[number, ..]| !(61..=63).contains(number))
        .filter_map(|[number, kind, offset, count]| {
            let bytes = data.get(offset as usize..)?;
            let size = match width(kind) {
                Some(width) => width.checked_mul(count as usize)?,
                None if kind == BINARY => count as usize,
                None => texts_size(bytes, count as usize)?,
            };
            Some(Tag { number, kind, count, bytes: bytes.get(..size)?.to_vec() })
        })
        .collect()
}

/// The size of so many texts that end with NUL.
fn texts_size(bytes: &[u8], count: usize) -> Option<usize> {
    let Some(last) = count.checked_sub(1) else { return Some(0) };
    bytes.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(position, _)| position + 1).nth(last)
}

/// Writes a header as one immutable region of a number: the region comes first in the index, and its data, an index entry
/// that points back over the whole index, last.
pub(super) fn write_header(region: u32, mut tags: Vec<Tag>) -> Vec<u8> {
    tags.sort_by_key(|tag| tag.number);
    let index_size = ENTRY * (tags.len() + 1);
    let (mut entries, mut data) = (Vec::with_capacity(index_size), Vec::new());
    for tag in &tags {
        data.resize(usize::next_multiple_of(data.len(), tag.alignment()), 0);
        push(&mut entries, [tag.number, tag.kind, narrow(data.len()), tag.count]);
        data.extend_from_slice(&tag.bytes);
    }
    let trailer = narrow(data.len());
    push(&mut data, [region, BINARY, narrow(index_size).wrapping_neg(), narrow(ENTRY)]);
    let mut header = MAGIC.to_vec();
    header.extend([narrow(tags.len() + 1), narrow(data.len())].iter().flat_map(|number| number.to_be_bytes()));
    push(&mut header, [region, BINARY, trailer, narrow(ENTRY)]);
    header.append(&mut entries);
    header.append(&mut data);
    header
}

fn push(out: &mut Vec<u8>, numbers: [u32; 4]) {
    out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
}

/// A header of hundreds of MiB was refused before.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let tags = vec![
            Tag { number: 1000, kind: 4, count: 1, bytes: vec![0, 0, 1, 2] },
            Tag::texts(278, &["YQ==".to_owned(), "Yg==".to_owned()]),
            Tag::binary(268, vec![1, 2, 3]),
            Tag { number: 271, kind: 5, count: 1, bytes: vec![0, 0, 0, 0, 0, 0, 1, 2] },
        ];
        let header = write_header(62, tags.clone());
        let read = read_tags(&header);
        assert_eq!(read.iter().map(|tag| tag.number).collect::<Vec<_>>(), [268, 271, 278, 1000]);
        assert!(tags.iter().all(|tag| read.contains(tag)));
        assert_eq!((read[1].number(), read[2].text()), (Some(258), Some("YQ==")));
        for size in 0..header.len() {
            read_tags(&header[..size]);
        }
    }
}
