//! Reads members of a zip archive whole: into memory that is used again, and inflated all at once, which is faster than a
//! stream.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use libdeflater::Decompressor;
use zip::CompressionMethod;
use zip::read::ZipFileEntry;

use super::window::Window;

/// A member of up to this many bytes, packed and unpacked together, is read whole: this bounds the memory.
const MEMORY_LIMIT: u64 = 10 << 20;

/// What a member's local header begins with, its length up to the name, and where it says the lengths of the name and of
/// the extra field (APPNOTE.TXT, section 4.3.7).
const SIGNATURE: &[u8] = b"PK\x03\x04";
const LOCAL_HEADER: usize = 30;
const NAME_LENGTH: usize = 26;
const EXTRA_LENGTH: usize = 28;

/// Most extra fields of local headers are no longer.
const EXTRA_ALLOWANCE: usize = 64;

/// An archive, and the memory that its members are read into.
pub(super) struct MemberReader {
    file: Window,
    decompressor: Decompressor,
    packed: Memory,
    content: Memory,
}

/// Memory that is used again, and never cleared: it only grows.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Memory {
    fn of(&mut self, size: usize) -> &mut [u8] {
        if self.0.len() < size {
            self.0.resize(size, 0);
        }
        &mut self.0[..size]
    }
}

impl MemberReader {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = Window::open(path)?;
        Ok(Self { file, decompressor: Decompressor::new(), packed: Memory::default(), content: Memory::default() })
    }

    /// The archive, to read from it what [`Self::whole`] does not.
    pub(super) fn file(&mut self) -> &mut Window {
        &mut self.file
    }

    /// Gives a member's content, as long and with the checksum that the archive's directory says; none where it is too
    /// large for that, or packed in another way than by deflate.
    pub(super) fn whole(&mut self, entry: &ZipFileEntry<'_>) -> io::Result<Option<&[u8]>> {
        let (packed_size, size) = (entry.compressed_size(), entry.size());
        if packed_size.saturating_add(size) > MEMORY_LIMIT || entry.encrypted() {
            return Ok(None);
        }
        let (packed_size, size) = (packed_size as usize, size as usize);
        let content = match entry.compression() {
            CompressionMethod::STORE if packed_size == size => packed(&mut self.file, entry, &mut self.packed)?,
            CompressionMethod::DEFLATE => {
                let packed = packed(&mut self.file, entry, &mut self.packed)?;
                let content = self.content.of(size);
                let inflated = self.decompressor.deflate_decompress(packed, content);
                match inflated.map_err(|error| damage(error.to_string()))? {
                    length if length < size => return Err(damage(format!("{length} bytes of {size} come out of it"))),
                    _ => content,
                }
            }
            _ => return Ok(None),
        };
        if crc32fast::hash(content) != entry.crc32() {
            return Err(damage("its checksum is wrong"));
        }
        Ok(Some(content))
    }
}

/// Reads a member as it is packed: with its local header at once, where that is as long as the archive's directory makes
/// think.
fn packed<'a>(file: &mut Window, entry: &ZipFileEntry<'_>, memory: &'a mut Memory) -> io::Result<&'a [u8]> {
    let packed_size = entry.compressed_size() as usize;
    let expected = LOCAL_HEADER + entry.name_raw().len() + EXTRA_ALLOWANCE + packed_size;
    file.seek(SeekFrom::Start(entry.header_start()))?;
    let read = read_up_to(file, memory.of(expected))?;
    let header = memory.0[..read].get(..LOCAL_HEADER).filter(|header| header.starts_with(SIGNATURE));
    let header = header.ok_or_else(|| damage("it has no header"))?;
    let length = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let start = LOCAL_HEADER + length(NAME_LENGTH) + length(EXTRA_LENGTH);
    let end = start + packed_size;
    if end > read {
        file.seek(SeekFrom::Start(entry.header_start() + read as u64))?;
        file.read_exact(&mut memory.of(end)[read..])?;
    }
    Ok(&memory.0[start..end])
}

/// Fills a buffer as far as the file goes.
fn read_up_to(file: &mut Window, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn damage(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use zip::read::Config;
    use zip::unstable::read::ZipIterable;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A member's name, how it is packed, its content.
    type Member<'a> = (&'a str, CompressionMethod, Vec<u8>);

    fn archive(members: &[Member<'_>]) -> Vec<u8> {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, method, content) in members {
            writer.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// Reads every member: its content, none where it is left to a stream, or why not.
    fn read_all(bytes: &[u8]) -> Vec<Result<Option<Vec<u8>>, String>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), bytes).unwrap();
        let mut archive = ZipIterable::try_new(Cursor::new(bytes), Config::default()).unwrap();
        let entries: Vec<_> = archive.files().unwrap().by_ref().map(Result::unwrap).collect();
        let mut reader = MemberReader::open(file.path()).unwrap();
        let mut whole = |entry: &ZipFileEntry<'_>| match reader.whole(entry) {
            Ok(content) => Ok(content.map(<[u8]>::to_vec)),
            Err(error) => Err(error.to_string()),
        };
        entries.iter().map(&mut whole).collect()
    }

    #[test]
    fn reads_what_was_packed() {
        let text: Vec<u8> = (0..400_000_u32).flat_map(|number| (number % 1009).to_le_bytes()).collect();
        let members = [
            ("a", CompressionMethod::DEFLATE, text.clone()),
            ("b", CompressionMethod::STORE, text.clone()),
            ("empty", CompressionMethod::DEFLATE, Vec::new()),
            ("c", CompressionMethod::DEFLATE, text[..700].to_vec()),
            ("large", CompressionMethod::DEFLATE, vec![0; MEMORY_LIMIT as usize]),
        ];
        let mut expected: Vec<_> = members.iter().map(|(.., content)| Ok(Some(content.clone()))).collect();
        expected[4] = Ok(None);
        assert!(read_all(&archive(&members)) == expected);
    }

    #[test]
    fn damage_is_told() {
        let noise: Vec<u8> = (0..2000_u32).flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
        for method in [CompressionMethod::STORE, CompressionMethod::DEFLATE] {
            let good = archive(&[("a", method, noise.clone()), ("b", method, noise.clone())]);
            for place in [0, 40, 4000] {
                let mut bytes = good.clone();
                bytes[place] ^= 0x10;
                let read = read_all(&bytes);
                assert!(read[0].is_err() && read[1] == Ok(Some(noise.clone())), "{method} {place}");
            }
        }
    }
}
