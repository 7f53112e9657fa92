//! Reads one file out of a package's payload, whoever built it.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use fs_err::File;
use liblzma::bufread::XzDecoder;
use rpm_header::PackageHeader;

/// Says why a file could not be read out of a package.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The package cannot be read, or its payload not be decompressed.
    #[error("could not read the payload")]
    Read(#[from] io::Error),
    /// The payload is compressed by something else.
    #[error("the payload is compressed by `{0}`; allowed are gzip, xz, zstd and none")]
    Compressor(String),
    /// The payload is no archive that rpm writes.
    #[error("the payload is no cpio archive that rpm would unpack")]
    Archive,
}

const BUFFER_SIZE: usize = 256 * 1024;
/// The fields of a header of cpio's "newc" after its magic, 8 digits each, and those read here (`man 5 cpio`).
const FIELDS: usize = 13;
const FILE_SIZE: usize = 6;
const NAME_SIZE: usize = 11;
/// Linux's PATH_MAX, and a bit.
const NAME_MAX: u64 = 8192;

/// Which file is read, and how much is done for it: a package may be made to unpack to more than anybody wants to wait for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Its path on the host.
    pub(crate) path: &'a str,
    /// A longer one is not read, bytes.
    pub(crate) size_limit: u64,
    /// As much of the archive is unpacked, bytes.
    pub(crate) archive_limit: u64,
}

/// Gives the content of a file, where it is in the package and not too long.
///
/// # Errors
/// [`PayloadError`] where the payload can't be read as far as the file.
pub(crate) fn read_file(
    package: &Path,
    header: &PackageHeader,
    wanted: Wanted<'_>,
) -> Result<Option<Vec<u8>>, PayloadError> {
    let Some(number) = header.files.iter().position(|file| file.path == wanted.path) else { return Ok(None) };
    if header.files[number].size > wanted.size_limit {
        return Ok(None);
    }
    let mut file = File::open(package)?;
    file.seek(SeekFrom::Start(header.header_end))?;
    let file = BufReader::with_capacity(BUFFER_SIZE, file);
    let limit = wanted.archive_limit;
    match header.payload_compressor.as_deref() {
        Some("zstd") => find(zstd::stream::read::Decoder::with_buffer(file)?.take(limit), header, number),
        Some("xz") => find(XzDecoder::new_multi_decoder(file).take(limit), header, number),
        Some("gzip") => find(MultiGzDecoder::new(file).take(limit), header, number),
        None => find(file.take(limit), header, number),
        Some(other) => Err(PayloadError::Compressor(other.to_owned())),
    }
}

/// Walks through the archive until the file of this number in the header comes.
fn find(archive: impl Read, header: &PackageHeader, number: usize) -> Result<Option<Vec<u8>>, PayloadError> {
    let mut archive = BufReader::with_capacity(BUFFER_SIZE, archive);
    let wanted = &header.files[number];
    // Each file is there once, and the end.
    for _ in 0..=header.files.len() {
        let (is_wanted, size) = match entry(&mut archive)? {
            Entry::Named(name, _) if name == b"TRAILER!!!" => return Ok(None),
            Entry::Named(name, size) => {
                let path = name.strip_prefix(b".").unwrap_or(&name);
                (path == wanted.path.as_bytes(), size)
            }
            Entry::Numbered(index) => {
                let file = header.files.get(index).ok_or(PayloadError::Archive)?;
                (index == number, file.size)
            }
        };
        if is_wanted {
            // The header has said how long it is, and that this is not too long.
            let mut content = Vec::new();
            archive.take(wanted.size).read_to_end(&mut content)?;
            let is_whole = content.len() as u64 == wanted.size && size == wanted.size;
            return if is_whole { Ok(Some(content)) } else { Err(PayloadError::Archive) };
        }
        skip(&mut archive, size.checked_next_multiple_of(4).ok_or(PayloadError::Archive)?)?;
    }
    Ok(None)
}

/// The header of an entry.
enum Entry {
    /// Its name and its size.
    Named(Vec<u8>, u64),
    /// Its number in the package's header.
    Numbered(usize),
}

fn entry(archive: &mut impl Read) -> Result<Entry, PayloadError> {
    let mut magic = [0; 6];
    archive.read_exact(&mut magic)?;
    match &magic {
        b"070701" | b"070702" => {
            let mut fields = [0; FIELDS * 8];
            archive.read_exact(&mut fields)?;
            let name_size = hexadecimal(&fields[NAME_SIZE * 8..][..8])?;
            if name_size == 0 || name_size > NAME_MAX {
                return Err(PayloadError::Archive);
            }
            let mut name = vec![0; name_size as usize];
            archive.read_exact(&mut name)?;
            name.pop();
            let length = (magic.len() + fields.len()) as u64 + name_size;
            skip(archive, length.next_multiple_of(4) - length)?;
            Ok(Entry::Named(name, hexadecimal(&fields[FILE_SIZE * 8..][..8])?))
        }
        b"07070X" => {
            let mut number = [0; 8];
            archive.read_exact(&mut number)?;
            skip(archive, 2)?;
            Ok(Entry::Numbered(hexadecimal(&number)? as usize))
        }
        _ => Err(PayloadError::Archive),
    }
}

fn hexadecimal(digits: &[u8]) -> Result<u64, PayloadError> {
    let text = std::str::from_utf8(digits).map_err(|_| PayloadError::Archive)?;
    u64::from_str_radix(text, 16).map_err(|_| PayloadError::Archive)
}

fn skip(archive: &mut impl Read, count: u64) -> Result<(), PayloadError> {
    if io::copy(&mut archive.take(count), &mut io::sink())? == count { Ok(()) } else { Err(PayloadError::Archive) }
}
