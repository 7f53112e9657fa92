//! Reading packages and compressing what is said of them, page after page, on several threads.

use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::{Digest, DigestBuilder};
use rpm_header::{PackageHeader, ReadHeaderError};

use crate::repodata::{Compression, FileIdentity, PackedPage, PageText};

use super::cache::{CachedPackage, CachedPage};
use super::error::{IndexError, UnusableFile};
use super::survey::{FoundFile, Stamp};

/// How much of a file is read at a time, bytes.
const CHUNK: usize = 256 << 10;
/// How often a file is read that changes while it is read.
const ATTEMPTS: u32 = 3;

/// What a thread uses again and again.
struct Workspace {
    /// The first bytes of a file, or the next.
    chunk: Vec<u8>,
    text: PageText,
}

/// A page that is to be made, and the packages that are known from before.
pub(super) struct PageWork<'a> {
    pub(super) folder: &'a Path,
    pub(super) compression: Compression,
    pub(super) known: &'a HashMap<&'a str, &'a CachedPackage>,
}

/// A page that was made.
pub(super) struct MadePage {
    pub(super) packed: PackedPage,
    pub(super) cached: CachedPage,
    pub(super) unusable: Vec<(PathBuf, UnusableFile)>,
}

impl PageWork<'_> {
    /// Makes pages of files on so many threads; they come in the order given.
    pub(super) fn make_all(
        &self,
        pages: &[Vec<&FoundFile>],
        threads: NonZero<usize>,
    ) -> Result<Vec<MadePage>, IndexError> {
        let next = AtomicUsize::new(0);
        let made: Mutex<Vec<(usize, io::Result<MadePage>)>> = Mutex::default();
        let work = || {
            let mut workspace = Workspace { chunk: vec![0; CHUNK], text: PageText::default() };
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(files) = pages.get(number) else { return };
                let page = self.make(files, &mut workspace);
                if let Ok(mut made) = made.lock() {
                    made.push((number, page));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.get().min(pages.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut made = made.into_inner().map_err(|_| IndexError::Worker)?;
        if made.len() != pages.len() {
            return Err(IndexError::Worker);
        }
        made.sort_unstable_by_key(|(number, _)| *number);
        let failed = |source| IndexError::Folder { folder: self.folder.to_owned(), source };
        made.into_iter().map(|(_, page)| page.map_err(failed)).collect()
    }

    /// Tells whether a file was read before, so that only its header has to be read again.
    pub(super) fn knows(&self, file: &FoundFile) -> bool {
        self.known.get(file.href.as_str()).is_some_and(|known| known.stamp == file.stamp)
    }

    fn make(&self, files: &[&FoundFile], workspace: &mut Workspace) -> io::Result<MadePage> {
        let (mut packages, mut unusable) = (Vec::with_capacity(files.len()), Vec::new());
        workspace.text.clear();
        for file in files {
            match self.describe(file, workspace) {
                Ok(package) => packages.push(package),
                Err(error) => unusable.push((self.folder.join(&file.href), error)),
            }
        }
        let packed = PackedPage::pack_text(self.compression, &workspace.text)?;
        Ok(MadePage { cached: CachedPage { members: packed.members(), packages }, packed, unusable })
    }

    fn describe(&self, file: &FoundFile, workspace: &mut Workspace) -> Result<CachedPackage, UnusableFile> {
        let path = self.folder.join(&file.href);
        let mut expected = file.stamp;
        for _ in 0..ATTEMPTS {
            let mut opened = fs_err::File::open(&path)?;
            let known = self.known.get(file.href.as_str()).filter(|known| known.stamp == expected);
            let read = match known {
                Some(known) => PackageHeader::read_for_repodata(&mut BufReader::new(&mut opened))
                    .map(|header| (header, known.sha256))
                    .map_err(UnusableFile::from),
                None => read_whole(&mut opened, expected.size, &mut workspace.chunk),
            };
            let stamp = Stamp::of(&opened.metadata()?);
            if stamp != expected {
                // It is no longer what was found, or was written to while it was read.
                expected = stamp;
                continue;
            }
            let (header, sha256) = read?;
            let hexadecimal = sha256.to_string();
            let identity =
                FileIdentity { sha256: &hexadecimal, size: stamp.size, time: stamp.time(), href: &file.href };
            workspace.text.push(&header, &identity);
            return Ok(CachedPackage { href: file.href.clone(), stamp, sha256 });
        }
        Err(UnusableFile::Changing)
    }
}

/// Reads a file of this size once, for its header and for its sha256. Of most files the first chunk has the whole header.
fn read_whole(mut file: impl Read, size: u64, chunk: &mut [u8]) -> Result<(PackageHeader, Digest), UnusableFile> {
    let mut file = file.by_ref().take(size);
    let read = fill(&mut file, chunk)?;
    let first = &chunk[..read];
    let mut digest = DigestBuilder::new();
    digest.update(first);
    let mut rest = Digesting { reader: file, digest };
    let header = match PackageHeader::parse_for_repodata(first) {
        Err(ReadHeaderError::Truncated { .. }) => PackageHeader::read_for_repodata(&mut first.chain(&mut rest))?,
        header => header?,
    };
    while rest.read(chunk)? > 0 {}
    Ok((header, rest.digest.finish()))
}

/// Reads until a chunk is full or the file ends.
fn fill(file: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < chunk.len() {
        match file.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

struct Digesting<R> {
    reader: R,
    digest: DigestBuilder,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a chunk ends within the headers or the payload, header and sha256 are the same.
    #[test]
    fn chunks_end_anywhere() {
        let mut package = rpm::PackageBuilder::new("sample", "1.0", "MIT", "noarch", "sample");
        let mut bytes = Vec::new();
        package.build().unwrap().write(&mut bytes).unwrap();
        let header = PackageHeader::read_for_repodata(&mut bytes.as_slice()).unwrap();
        let whole = bytes.len() as u64;
        for size in [1, 95, 100, 1000, bytes.len() - 1, bytes.len(), bytes.len() + 1] {
            let read = read_whole(bytes.as_slice(), whole, &mut vec![0; size]).unwrap();
            assert_eq!(read, (header.clone(), Digest::of(&bytes)), "{size}");
        }
        let error = read_whole(&bytes[..200], 200, &mut vec![0; CHUNK]).unwrap_err();
        assert!(error.to_string().starts_with("the file ends at byte 200"), "{error}");
    }
}
