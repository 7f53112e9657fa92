//! The sections of an RPM as bytes: the lead, and two headers of tagged values, read within limits: rpm's, but for the
//! main header's size.
//!
//! Sources: rpm's `docs/manual/format_v3.md`, `format_v4.md`, `format_v6.md`, `format_header.md`; the limits are those of
//! `lib/header.c`, `hdrblobInit` (rpm 4.18).

use std::borrow::Cow;
use std::io::Read;

use crate::error::{Part, ReadHeaderError};

const LEAD_SIZE: usize = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
const HEADER_MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];
/// Magic, four reserved bytes, the number of tags, the bytes of data.
const INTRO_SIZE: usize = 16;
/// The most data of a main header, bytes. rpm reads four times as much; no package is known to have a half of this, and as
/// XML it may become five times as much.
const LARGEST_MAIN: u32 = 64 * 1024 * 1024;
/// Of what a header claims, so much memory is taken before anything has arrived, bytes.
const TAKEN_AT_ONCE: usize = 64 << 10;
/// In how many bytes the ends of strings are counted at once, which is fast and fits into a byte.
const NULS_AT_ONCE: usize = 128;
/// Tag, type, offset, count.
const INDEX_ENTRY_SIZE: usize = 16;
const SIGNATURE_TYPE_HEADER: u16 = 5;
const TAG_HEADER_IMMUTABLE: u32 = 63;

/// Gives the bytes of a file one after another, knowing where it is.
pub(crate) trait Source<'a> {
    /// Gives exactly so many bytes.
    fn take(&mut self, size: usize, part: Part) -> Result<Cow<'a, [u8]>, ReadHeaderError>;

    /// How many bytes it has given.
    fn position(&self) -> u64;
}

/// A file that is read; memory grows only as bytes arrive.
#[derive(Debug)]
pub(crate) struct Stream<'a, R> {
    reader: &'a mut R,
    position: u64,
}

/// A file, or the beginning of one, that is in memory.
#[derive(Debug)]
pub(crate) struct Slice<'a> {
    rest: &'a [u8],
    position: usize,
}

/// A header: tagged values.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    /// By tag; of a tag that is there twice, the last counts, as in rpm.
    entries: Vec<Entry>,
    data: Cow<'a, [u8]>,
    /// First byte within the file.
    pub(crate) start: u64,
    /// First byte after it within the file.
    pub(crate) end: u64,
}

/// A tag's values: `bytes` of the data, checked to hold `count` values of that type.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u32,
    kind: Kind,
    count: usize,
    start: usize,
    end: usize,
}

/// The types of values (rpm's `include/rpm/rpmtag.h`, `rpmTagType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Integers of so many bytes.
    Integer(usize),
    /// Strings: one, several, or one for each language.
    Text,
    /// Bytes.
    Binary,
}

/// A tag's values, borrowed from their section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) kind: Kind,
    pub(crate) count: usize,
    pub(crate) bytes: &'a [u8],
}

/// What the index says of a tag, before it is checked.
struct RawEntry {
    tag: u32,
    kind: u32,
    offset: u32,
    count: u32,
    /// Where it is in the file.
    position: u64,
}

struct Intro {
    tags: u32,
    bytes: u32,
}

impl<'a, R> Stream<'a, R> {
    pub(crate) fn new(reader: &'a mut R) -> Self {
        Self { reader, position: 0 }
    }
}

impl<R: Read> Source<'static> for Stream<'_, R> {
    fn take(&mut self, size: usize, part: Part) -> Result<Cow<'static, [u8]>, ReadHeaderError> {
        let mut bytes = Vec::with_capacity(size.min(TAKEN_AT_ONCE));
        let result = self.reader.by_ref().take(size as u64).read_to_end(&mut bytes);
        self.position += bytes.len() as u64;
        match result {
            Err(source) => Err(ReadHeaderError::Io { part, offset: self.position, source }),
            Ok(_) if bytes.len() < size => Err(ReadHeaderError::Truncated { part, offset: self.position }),
            Ok(_) => Ok(bytes.into()),
        }
    }

    fn position(&self) -> u64 {
        self.position
    }
}

impl<'a> Slice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, position: 0 }
    }
}

impl<'a> Source<'a> for Slice<'a> {
    fn take(&mut self, size: usize, part: Part) -> Result<Cow<'a, [u8]>, ReadHeaderError> {
        let end = self.position + self.rest.len();
        let truncated = ReadHeaderError::Truncated { part, offset: end as u64 };
        let (taken, rest) = self.rest.split_at_checked(size).ok_or(truncated)?;
        self.rest = rest;
        self.position += size;
        Ok(taken.into())
    }

    fn position(&self) -> u64 {
        self.position as u64
    }
}

/// Reads the 96 bytes at the beginning. All but the magic is obsolete: the main header says it better, and is signed.
pub(crate) fn read_lead<'a>(source: &mut impl Source<'a>) -> Result<(), ReadHeaderError> {
    let magic = source.take(LEAD_MAGIC.len(), Part::Lead)?;
    if *magic != LEAD_MAGIC {
        return Err(ReadHeaderError::NotRpm { found: hex(&magic) });
    }
    let rest = source.take(LEAD_SIZE - LEAD_MAGIC.len(), Part::Lead)?;
    match u16::from_be_bytes([rest[74], rest[75]]) {
        SIGNATURE_TYPE_HEADER => Ok(()),
        found => Err(ReadHeaderError::SignatureType { found }),
    }
}

impl<'a> Section<'a> {
    /// Reads the signature header and the padding after it, up to a multiple of 8 bytes.
    pub(crate) fn read_signature(source: &mut impl Source<'a>) -> Result<Self, ReadHeaderError> {
        let section = Self::read(source, Part::SignatureHeader)?;
        let padding = (8 - section.data.len() % 8) % 8;
        source.take(padding, Part::SignatureHeader)?;
        Ok(section)
    }

    /// Reads the main header.
    pub(crate) fn read_main(source: &mut impl Source<'a>) -> Result<Self, ReadHeaderError> {
        Self::read(source, Part::MainHeader)
    }

    /// The values of a tag; `None` where the header does not have it, or in a type that nobody knows.
    pub(crate) fn values(&self, tag: u32) -> Option<Values<'_>> {
        let after = self.entries.partition_point(|entry| entry.tag <= tag);
        let entry = self.entries[..after].last().filter(|entry| entry.tag == tag)?;
        Some(Values { kind: entry.kind, count: entry.count, bytes: &self.data[entry.start..entry.end] })
    }

    fn read(source: &mut impl Source<'a>, part: Part) -> Result<Self, ReadHeaderError> {
        let start = source.position();
        let intro = Intro::parse(&source.take(INTRO_SIZE, part)?, part, start)?;
        let index = source.take(intro.tags as usize * INDEX_ENTRY_SIZE, part)?;
        let data = source.take(intro.bytes as usize, part)?;
        let raw_entries = parse_index(&index, start + INTRO_SIZE as u64);
        if part == Part::MainHeader {
            check_region(&raw_entries, &data).ok_or(ReadHeaderError::Region { part, offset: start })?;
        }
        let entries = check_entries(&raw_entries, &data, part)?;
        Ok(Self { entries, data, start, end: source.position() })
    }
}

impl Intro {
    fn parse(bytes: &[u8], part: Part, offset: u64) -> Result<Self, ReadHeaderError> {
        if bytes[..4] != HEADER_MAGIC {
            return Err(ReadHeaderError::HeaderMagic { part, offset, found: hex(&bytes[..4]) });
        }
        let (tags, bytes) = (be_u32(bytes, 8), be_u32(bytes, 12));
        let (max_tags, max_bytes) = match part {
            Part::SignatureHeader | Part::Lead => (32, 64 * 1024 * 1024),
            Part::MainHeader => (0xffff, LARGEST_MAIN),
        };
        if tags == 0 || tags > max_tags || bytes > max_bytes {
            return Err(ReadHeaderError::HeaderSize { part, offset, tags, bytes, max_tags, max_bytes });
        }
        Ok(Self { tags, bytes })
    }
}

impl Kind {
    /// `None` for NULL and for types that are not known.
    fn from_number(number: u32) -> Option<Self> {
        match number {
            1 | 2 => Some(Self::Integer(1)),
            3 => Some(Self::Integer(2)),
            4 => Some(Self::Integer(4)),
            5 => Some(Self::Integer(8)),
            6 | 8 | 9 => Some(Self::Text),
            7 => Some(Self::Binary),
            _ => None,
        }
    }

    /// In words, for error messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Integer(_) => "integers",
            Self::Text => "strings",
            Self::Binary => "bytes",
        }
    }
}

fn parse_index(index: &[u8], position: u64) -> Vec<RawEntry> {
    let entries = index.chunks_exact(INDEX_ENTRY_SIZE).zip((position..).step_by(INDEX_ENTRY_SIZE));
    entries
        .map(|(bytes, position)| RawEntry {
            tag: be_u32(bytes, 0),
            kind: be_u32(bytes, 4),
            offset: be_u32(bytes, 8),
            count: be_u32(bytes, 12),
            position,
        })
        .collect()
}

/// Checks that the immutable region, where there is one, is the whole header: signatures cover nothing else, and rpm
/// refuses the package otherwise. The region's trailer is an index entry whose offset is minus the size of the index.
fn check_region(entries: &[RawEntry], data: &[u8]) -> Option<()> {
    let Some(region) = entries.first().filter(|entry| entry.tag == TAG_HEADER_IMMUTABLE) else {
        return Some(());
    };
    let trailer = data.get(region.offset as usize..).filter(|trailer| trailer.len() == INDEX_ENTRY_SIZE)?;
    let index_size = u32::try_from(entries.len() * INDEX_ENTRY_SIZE).ok()?;
    (be_u32(trailer, 8) == index_size.wrapping_neg()).then_some(())
}

/// Checks each tag's values, and gives them by tag, those of one tag in the order of the index.
fn check_entries(raw_entries: &[RawEntry], data: &[u8], part: Part) -> Result<Vec<Entry>, ReadHeaderError> {
    let mut entries = Vec::with_capacity(raw_entries.len());
    let mut used = 0;
    for raw in raw_entries {
        let Some(kind) = Kind::from_number(raw.kind) else { continue };
        let (tag, offset) = (raw.tag, raw.position);
        let entry = locate(raw, kind, data).ok_or(ReadHeaderError::EntryRange { part, tag, offset })?;
        used += entry.end - entry.start;
        if used > data.len() {
            return Err(ReadHeaderError::EntryOverlap { part, tag, offset });
        }
        entries.push(entry);
    }
    entries.sort_by_key(|entry| entry.tag);
    Ok(entries)
}

fn locate(raw: &RawEntry, kind: Kind, data: &[u8]) -> Option<Entry> {
    let start = raw.offset as usize;
    let count = raw.count as usize;
    let rest = data.get(start..)?;
    let size = match kind {
        Kind::Integer(width) => count.checked_mul(width)?,
        Kind::Binary => count,
        Kind::Text => strings_size(rest, count)?,
    };
    (size <= rest.len()).then_some(Entry { tag: raw.tag, kind, count, start, end: start + size })
}

/// The size of so many NUL-terminated strings.
fn strings_size(bytes: &[u8], count: usize) -> Option<usize> {
    let mut missing = count;
    for (number, chunk) in bytes.chunks(NULS_AT_ONCE).enumerate() {
        let ends = chunk.iter().map(|byte| u8::from(*byte == 0)).sum::<u8>();
        if missing > usize::from(ends) {
            missing -= usize::from(ends);
            continue;
        }
        let Some(last) = missing.checked_sub(1) else { return Some(0) };
        let end = chunk.iter().enumerate().filter(|(_, byte)| **byte == 0).nth(last);
        return end.map(|(position, _)| number * NULS_AT_ONCE + position + 1);
    }
    (missing == 0).then_some(0)
}

fn be_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use crate::PackageHeader;
    use crate::sample::SampleHeader;

    fn message(bytes: &[u8]) -> String {
        PackageHeader::read(&mut &*bytes).unwrap_err().to_string()
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let good = SampleHeader::package().to_package();
        let main = 96 + 16 + 16 + 8;
        let changed = |at: usize, bytes: &[u8]| {
            let mut changed = good.clone();
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            message(&changed)
        };
        assert_eq!(message(b"PK"), "the file ends at byte 2, within the lead");
        assert_eq!(message(b"PK\x03\x04 and so on"), "not an RPM: it begins with `504b0304`, an RPM with `edabeedb`");
        assert_eq!(message(&good[..100]), "the file ends at byte 100, within the signature header");
        assert_eq!(message(&good[..main + 20]), "the file ends at byte 156, within the main header");
        assert_eq!(
            changed(78, &[0, 1]),
            "signature type `1` in the lead at byte 78 can't be read; only type `5` (a header) can"
        );
        assert_eq!(changed(main, &[0]), "the main header at byte 136 begins with `00ade801`, a header with `8eade801`");
        assert_eq!(
            changed(main + 8, &[0, 1, 0, 0]),
            "the main header at byte 136 claims 65536 tags and 30 bytes of data; \
             allowed are 1 to 65535 tags and 67108864 bytes"
        );
        assert_eq!(
            changed(96 + 12, &[0xff, 0xff, 0xff, 0xff]),
            "the signature header at byte 96 claims 1 tags and 4294967295 bytes of data; \
             allowed are 1 to 32 tags and 67108864 bytes"
        );
    }

    #[test]
    fn values_lie_within_the_data_and_apart() {
        for (entry, expected) in [
            ([1009, 4, 27, 1], "has values that are not within the header's data"),
            ([1009, 4, 0, u32::MAX], "has values that are not within the header's data"),
            ([1009, 4, u32::MAX, 1], "has values that are not within the header's data"),
            ([1009, 5, 0, 0x2000_0001], "has values that are not within the header's data"),
            ([1009, 8, 0, 6], "has values that are not within the header's data"),
            ([1009, 6, 30, 1], "has values that are not within the header's data"),
            ([1009, 7, 0, 30], "shares its values with another tag"),
            ([1009, 8, 0, 5], "shares its values with another tag"),
        ] {
            let header = SampleHeader::package().index_entry(entry);
            let message = message(&header.to_package());
            assert_eq!(message, format!("tag `1009` (byte 232, in the main header) {expected}"), "{entry:?}");
        }
    }

    #[test]
    fn strings_end_where_the_last_does() {
        let ends: Vec<usize> = vec![0, 1, 50, 127, 128, 129, 255, 256, 300, 301, 900];
        let mut bytes = vec![b'x'; 1000];
        ends.iter().for_each(|end| bytes[*end] = 0);
        assert_eq!(super::strings_size(&bytes, 0), Some(0));
        for (number, end) in ends.iter().enumerate() {
            assert_eq!(super::strings_size(&bytes, number + 1), Some(end + 1));
            assert_eq!(super::strings_size(&bytes[..=*end], number + 1), Some(end + 1));
            assert_eq!(super::strings_size(&bytes[..*end], number + 1), None);
        }
        assert_eq!((super::strings_size(b"", 0), super::strings_size(b"", 1)), (Some(0), None));
        assert_eq!(super::strings_size(&[0; 1000], 999), Some(999));
    }

    #[test]
    fn unknown_tags_and_types_are_passed_over() {
        let header = SampleHeader::package()
            .text(9_999_999, "unknown tag")
            .index_entry([1004, 0, u32::MAX, u32::MAX])
            .index_entry([1005, 77, u32::MAX, u32::MAX]);
        assert_eq!(header.read().unwrap().summary, "");
    }

    #[test]
    fn immutable_region_is_the_whole_header() {
        let header = |entries| SampleHeader::package().immutable(entries);
        assert!(header(6).read().is_ok());
        let message = message(&header(5).to_package());
        assert_eq!(message, "the main header at byte 136 has an immutable region that is not the whole header");
        let appended = header(6).text(1004, "not signed");
        assert!(appended.read().is_err());
    }

    #[test]
    fn reading_stops_where_the_payload_begins() {
        let bytes = [SampleHeader::package().to_package(), b"payload".to_vec()].concat();
        let mut reader = bytes.as_slice();
        let header = PackageHeader::read(&mut reader).unwrap();
        assert_eq!(reader, b"payload");
        assert_eq!((header.header_start, header.header_end), (136, bytes.len() as u64 - 7));
    }
}
