//! The notes that travel in a package: found by its header, taken out of its payload.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use nevra::{Name, Nevra};
use rpm_header::{FileEntry, PackageHeader, ReadHeaderError};

use crate::{ParseNotesError, ReleaseNotes};

/// Says why a package's notes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The file could not be read.
    #[error("could not read the package")]
    Read(#[source] io::Error),
    /// It is no RPM.
    #[error("could not read the package `{}`", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadHeaderError,
    },
    /// Its payload is none that is known here.
    #[error("could not find the notes in the payload of `{}`: {why}", path.display())]
    Payload {
        /// The file.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// What is there is no notes.
    #[error("the notes in `{}`", path.display())]
    Notes {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ParseNotesError,
    },
}

/// Notes, and the package that they came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedNotes {
    /// The package.
    pub nevra: Nevra,
    /// Its notes.
    pub notes: ReleaseNotes,
}

/// No notes are longer, bytes.
const LIMIT: u64 = 4 << 20;
/// The most that is unpacked to find them, bytes.
const PAYLOAD_LIMIT: u64 = 64 << 30;

impl EmbeddedNotes {
    /// The name of the file within a package's documentation.
    pub const FILE_NAME: &'static str = "RELEASE-NOTES.json";

    /// The path of the file in a package of that name.
    #[must_use]
    pub fn path(package: &Name) -> String {
        format!("/usr/share/doc/{package}/{}", Self::FILE_NAME)
    }

    /// Reads the notes that a package carries as `/usr/share/doc/<name>/RELEASE-NOTES.json`; none where it carries none.
    ///
    /// # Errors
    /// [`EmbeddedError`]
    pub fn read(path: &Path) -> Result<Option<Self>, EmbeddedError> {
        let mut file = BufReader::new(fs_err::File::open(path).map_err(EmbeddedError::Read)?);
        let header =
            PackageHeader::read(&mut file).map_err(|source| EmbeddedError::Header { path: path.to_owned(), source })?;
        let wanted = Self::path(&header.nevra.name);
        let Some(index) = header.files.iter().position(|file| file.path == wanted && file.size <= LIMIT) else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(header.header_end)).map_err(EmbeddedError::Read)?;
        let payload = |why| EmbeddedError::Payload { path: path.to_owned(), why };
        let unpacked: Box<dyn Read> = match header.payload_compressor.as_deref() {
            Some("zstd") => Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(EmbeddedError::Read)?),
            Some("xz") => Box::new(liblzma::bufread::XzDecoder::new(file)),
            Some("gzip") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            None => Box::new(file),
            Some(_) => return Err(payload("its compression is not known here")),
        };
        let mut archive = Archive { unpacked: unpacked.take(PAYLOAD_LIMIT), files: &header.files };
        let bytes = archive.content(index).map_err(EmbeddedError::Read)?;
        let bytes = bytes.ok_or_else(|| payload("it is not in the archive, which is damaged or of an unknown form"))?;
        let text = String::from_utf8_lossy(&bytes);
        let notes =
            ReleaseNotes::from_json(&text).map_err(|source| EmbeddedError::Notes { path: path.to_owned(), source })?;
        Ok(Some(Self { nevra: header.nevra, notes }))
    }
}

/// A cpio archive of the forms "newc" and rpm's own stripped one (rpm's `lib/cpio.c`).
struct Archive<'a, R> {
    unpacked: R,
    files: &'a [FileEntry],
}

impl<R: Read> Archive<'_, R> {
    /// The content of one of the package's files; none where the archive ends before, or is none.
    fn content(&mut self, wanted: usize) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some((index, size)) = self.next()? else { return Ok(None) };
            if index != Some(wanted) {
                self.skip(padded(size))?;
                continue;
            }
            if size > LIMIT {
                return Ok(None);
            }
            let mut content = Vec::new();
            (&mut self.unpacked).take(size).read_to_end(&mut content)?;
            return Ok((content.len() as u64 == size).then_some(content));
        }
    }

    /// The next entry: which file it is, and its size.
    fn next(&mut self) -> io::Result<Option<(Option<usize>, u64)>> {
        let mut magic = [0; 6];
        self.unpacked.read_exact(&mut magic)?;
        if &magic == b"07070X" {
            let Some(index) = self.number()? else { return Ok(None) };
            self.skip(2)?;
            let index = index as usize;
            return Ok(self.files.get(index).map(|file| (Some(index), file.size)));
        }
        if &magic != b"070701" && &magic != b"070702" {
            return Ok(None);
        }
        let mut numbers = [0; 13];
        for number in &mut numbers {
            let Some(read) = self.number()? else { return Ok(None) };
            *number = read;
        }
        let (size, name_size) = (numbers[6], numbers[11]);
        if name_size > 8192 {
            return Ok(None);
        }
        let mut name = vec![0; padded(110 + name_size) as usize - 110];
        self.unpacked.read_exact(&mut name)?;
        name.truncate((name_size as usize).saturating_sub(1));
        let name = String::from_utf8_lossy(&name).into_owned();
        if name == "TRAILER!!!" {
            return Ok(None);
        }
        let path = name.strip_prefix('.').unwrap_or(&name);
        Ok(Some((self.files.iter().position(|file| file.path == path), size)))
    }

    /// Eight hexadecimal digits.
    fn number(&mut self) -> io::Result<Option<u64>> {
        let mut digits = [0; 8];
        self.unpacked.read_exact(&mut digits)?;
        Ok(std::str::from_utf8(&digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok()))
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.unpacked).take(count), &mut io::sink())?;
        if skipped == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

fn padded(size: u64) -> u64 {
    size.next_multiple_of(4)
}
