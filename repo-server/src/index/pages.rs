//! Reading packages and compressing what is said of them, page after page, on several threads.

use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::{Digest, DigestBuilder};
use rpm_header::PackageHeader;

use crate::repodata::{Compression, FileIdentity, Fragments, PackedPage};

use super::cache::{CachedPackage, CachedPage};
use super::error::{IndexError, UnusableFile};
use super::survey::{FoundFile, Stamp};

/// How much of a file is read at a time, bytes.
const CHUNK: usize = 256 << 10;
/// How often a file is read that changes while it is read.
const ATTEMPTS: u32 = 3;

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
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(files) = pages.get(number) else { return };
                let page = self.make(files);
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

    fn make(&self, files: &[&FoundFile]) -> io::Result<MadePage> {
        let (mut fragments, mut packages, mut unusable) = (Vec::new(), Vec::new(), Vec::new());
        for file in files {
            match self.describe(file) {
                Ok((rendered, package)) => {
                    fragments.push(rendered);
                    packages.push(package);
                }
                Err(error) => unusable.push((self.folder.join(&file.href), error)),
            }
        }
        let packed = PackedPage::pack(self.compression, &fragments)?;
        Ok(MadePage { cached: CachedPage { members: packed.members(), packages }, packed, unusable })
    }

    fn describe(&self, file: &FoundFile) -> Result<(Fragments, CachedPackage), UnusableFile> {
        let path = self.folder.join(&file.href);
        for _ in 0..ATTEMPTS {
            let mut opened = fs_err::File::open(&path)?;
            let stamp = Stamp::of(&opened.metadata()?);
            let known = self.known.get(file.href.as_str()).filter(|known| known.stamp == stamp);
            let (header, sha256) = match known {
                Some(known) => (PackageHeader::read(&mut BufReader::new(&mut opened))?, known.sha256),
                None => read_whole(&mut opened)?,
            };
            if Stamp::of(&opened.metadata()?) != stamp {
                continue;
            }
            let hexadecimal = sha256.to_string();
            let identity =
                FileIdentity { sha256: &hexadecimal, size: stamp.size, time: stamp.time(), href: &file.href };
            let package = CachedPackage { href: file.href.clone(), stamp, sha256 };
            return Ok((Fragments::render(&header, &identity), package));
        }
        Err(UnusableFile::Changing)
    }
}

/// Reads a file once, for its header and for its sha256.
fn read_whole(file: impl Read) -> Result<(PackageHeader, Digest), UnusableFile> {
    let mut reader = Digesting { reader: BufReader::with_capacity(CHUNK, file), digest: DigestBuilder::new() };
    let header = PackageHeader::read(&mut reader)?;
    let mut buffer = vec![0; CHUNK];
    while reader.read(&mut buffer)? > 0 {}
    Ok((header, reader.digest.finish()))
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
