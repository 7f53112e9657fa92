//! Writing the documents of packages from pages: those just made, and those that lie in the documents of the last run.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ledger::{Digest, DigestBuilder};

use crate::repodata::{Compression, DocumentBuilder, DocumentRecord, Member, MetadataKind, PackedPage};

use super::cache::{CachedPage, IndexCache};

const CHUNK: usize = 256 << 10;

/// A page of the new documents.
pub(super) enum PageSource<'a> {
    /// The page of this number of the last run.
    Before(usize),
    /// One that was just made.
    Made(&'a PackedPage),
}

/// The documents of the last run, in which pages that stay are found.
pub(super) struct Before<'a> {
    pub(super) repodata: &'a Path,
    pub(super) cache: &'a IndexCache,
}

impl Before<'_> {
    /// Tells whether the documents of the last run are there with the bytes that they had.
    pub(super) fn is_whole(&self) -> bool {
        let hold = |record: &DocumentRecord| digest_of(&self.path(record)).is_ok_and(|digest| digest == record.digest);
        let of_packages = MetadataKind::OF_PACKAGES.iter().all(|kind| self.record(*kind).is_some());
        of_packages
            && std::thread::scope(|scope| {
                let checks: Vec<_> =
                    self.cache.documents.iter().map(|record| scope.spawn(move || hold(record))).collect();
                checks.into_iter().all(|check| check.join().unwrap_or(false))
            })
    }

    fn record(&self, kind: MetadataKind) -> Option<&DocumentRecord> {
        self.cache.documents.iter().find(|record| record.kind == kind)
    }

    fn path(&self, record: &DocumentRecord) -> PathBuf {
        self.repodata.join(record.file().to_string())
    }

    /// Opens a document of the last run, and says where each of its pages begins.
    fn open(&self, kind: MetadataKind) -> io::Result<Option<(fs_err::File, Vec<u64>)>> {
        let Some(record) = self.record(kind) else { return Ok(None) };
        let members: Vec<Member> = self.cache.pages.iter().filter_map(|page| page.members.of(kind)).copied().collect();
        let pages: u64 = members.iter().map(|member| member.size).sum();
        let closing = DocumentBuilder::begin(kind, self.cache.compression, 0, &[])?.closing().len() as u64;
        let opening = record.size.checked_sub(pages + closing).ok_or(io::ErrorKind::InvalidData)?;
        let mut begin = opening;
        let starts = members.iter().map(|member| {
            begin += member.size;
            begin - member.size
        });
        Ok(Some((fs_err::File::open(self.path(record))?, starts.collect())))
    }
}

/// Writes one document into a folder under the name that its digest gives it.
pub(super) fn write_document(
    folder: &Path,
    (kind, compression, time): (MetadataKind, Compression, u64),
    pages: &[(PageSource<'_>, &CachedPage)],
    before: &Before<'_>,
) -> io::Result<DocumentRecord> {
    let packages = pages.iter().map(|(_, cached)| cached.packages.len()).sum();
    let members: Vec<Member> = pages.iter().filter_map(|(_, cached)| cached.members.of(kind)).copied().collect();
    let mut builder = DocumentBuilder::begin(kind, compression, packages, &members)?;
    let staged = folder.join(format!(".{kind}"));
    let mut file = fs_err::File::create(&staged)?;
    file.write_all(builder.opening())?;
    let mut old = before.open(kind)?;
    for ((source, _), member) in pages.iter().zip(&members) {
        match (source, &mut old) {
            (PageSource::Made(page), _) => {
                let bytes = page.of(kind).ok_or(io::ErrorKind::InvalidInput)?;
                builder.push(bytes);
                file.write_all(bytes)?;
            }
            (PageSource::Before(number), Some((old, starts))) => {
                old.seek(SeekFrom::Start(starts[*number]))?;
                let mut rest = old.take(member.size);
                copy(&mut rest, |bytes| {
                    builder.push(bytes);
                    file.write_all(bytes)
                })?;
            }
            (PageSource::Before(_), None) => return Err(io::ErrorKind::NotFound.into()),
        }
    }
    let closing = builder.closing().clone();
    let document = builder.finish(time)?;
    file.write_all(&closing)?;
    file.sync_all()?;
    fs_err::rename(&staged, folder.join(document.record.file().to_string()))?;
    Ok(document.record)
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut digest = DigestBuilder::new();
    copy(&mut fs_err::File::open(path)?, |bytes| {
        digest.update(bytes);
        Ok(())
    })?;
    Ok(digest.finish())
}

fn copy(from: &mut impl Read, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            read => to(&buffer[..read])?,
        }
    }
}
