//! One run over a folder.

use std::collections::{HashMap, HashSet};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use globset::GlobSet;
use ledger::Digest;
use openpgp::PrivateKey;

use crate::repodata::{
    AssembledDocument, Compression, DocumentRecord, MetadataKind, PlannedPage, RepomdEntry, parse_repomd, plan_pages,
    repomd_xml,
};

use super::attachments::Attachments;
use super::cache::{CACHE, CachedPage, IndexCache};
use super::documents::{Before, PageSource, write_document};
use super::error::{IndexError, UnusableFile};
use super::folder::{Folder, write};
use super::pages::{MadePage, PageWork};
use super::survey::{FoundFile, Survey, survey};

/// What to index, and how.
#[derive(Debug)]
pub struct IndexOptions {
    /// The folder of RPMs, which becomes a repository.
    pub folder: PathBuf,
    /// Files to leave out, by their name or their path below the folder.
    pub excludes: GlobSet,
    /// How many threads read and compress.
    pub threads: NonZero<usize>,
    /// How metadata is compressed.
    pub compression: Compression,
    /// Advisories, groups and module streams; what is there and not named stays.
    pub attachments: Vec<(MetadataKind, PathBuf)>,
    /// The key that signs repomd.xml.
    pub key: Option<PrivateKey>,
    /// How long metadata stays that clients may still ask for.
    pub keep_for: Duration,
    /// Whether to read every file, whatever the last run remembered.
    pub anew: bool,
}

/// What came of a run.
#[derive(Debug)]
pub struct IndexReport {
    /// The packages that the repository has now.
    pub packages: usize,
    /// How many of them were read.
    pub read: usize,
    /// How many that the last run listed are gone, or are other files now.
    pub gone: usize,
    /// Whether anything had to be written.
    pub changed: bool,
    /// The files that are left out, and why.
    pub unusable: Vec<(PathBuf, UnusableFile)>,
}

/// What a run takes over from the last one.
struct Last {
    cache: IndexCache,
    there: Vec<RepomdEntry>,
}

/// Makes a folder of RPMs a yum repository, or brings it up to date. Blocks.
///
/// # Errors
/// [`IndexError`]; what was there before is there still. A file that can't be read is left out and told of in the
/// report.
pub fn index(options: &IndexOptions) -> Result<IndexReport, IndexError> {
    let failed = |source| IndexError::Folder { folder: options.folder.clone(), source };
    let folder = Folder::lock(&options.folder)?;
    let Survey { files, mut unusable } = survey(folder.path(), &options.excludes).map_err(failed)?;
    let last = Last::read(&folder.repodata(), options);
    let attachments = Attachments::gather(&options.attachments, &folder.repodata(), &last.there)?;
    let (planned, gone) = plan(&last.cache, &files);
    let known = last.cache.packages();
    let work = PageWork { folder: folder.path(), compression: options.compression, known: &known };
    let fresh: Vec<Vec<&FoundFile>> = planned.iter().filter_map(fresh_files).collect();
    let read = fresh.iter().flatten().filter(|file| !work.knows(file)).count();
    let mut made = work.make_all(&fresh, options.threads)?;
    unusable.extend(made.iter_mut().flat_map(|page| std::mem::take(&mut page.unusable)));
    let pages = sources(&planned, &made, &last.cache);
    let packages = pages.iter().map(|(_, page)| page.packages.len()).sum();
    let changed = write_all(options, &folder, &last, &pages, &attachments)?;
    Ok(IndexReport { packages, read, gone, changed, unusable })
}

impl Last {
    /// Reads what the last run left, where that was a run of ours and all of it is there.
    fn read(repodata: &Path, options: &IndexOptions) -> Self {
        let repomd = fs_err::read(repodata.join("repomd.xml")).unwrap_or_default();
        let there = parse_repomd(&repomd).unwrap_or_default();
        let cache = (!options.anew).then(|| IndexCache::read(repodata)).flatten().filter(|cache| {
            cache.compression == options.compression
                && cache.repomd == Some(Digest::of(&repomd))
                && Before { repodata, cache }.is_whole()
        });
        Self { cache: cache.unwrap_or_else(|| IndexCache::new(options.compression)), there }
    }
}

/// Plans the pages of what was found, and counts what the last run listed and is gone.
fn plan<'a>(cache: &'a IndexCache, files: &'a [FoundFile]) -> (Vec<PlannedPage<&'a FoundFile>>, usize) {
    let found: HashMap<&str, &FoundFile> = files.iter().map(|file| (&*file.href, file)).collect();
    let stays = |href: &str, stamp| found.get(href).is_some_and(|file| file.stamp == stamp);
    let listed = cache.pages.iter().flat_map(|page| &page.packages);
    let (kept, gone): (Vec<_>, Vec<_>) = listed.partition(|package| stays(&package.href, package.stamp));
    let kept: HashSet<&str> = kept.into_iter().map(|package| &*package.href).collect();
    let gone: HashSet<&str> = gone.into_iter().map(|package| &*package.href).collect();
    let added = files.iter().map(|file| &*file.href).filter(|href| !kept.contains(href)).collect();
    let pages: Vec<Vec<&str>> =
        cache.pages.iter().map(|page| page.packages.iter().map(|package| &*package.href).collect()).collect();
    let pages: Vec<&[&str]> = pages.iter().map(Vec::as_slice).collect();
    let planned = plan_pages(&pages, &gone, added).into_iter().map(|page| match page {
        PlannedPage::Kept(number) => PlannedPage::Kept(number),
        PlannedPage::Fresh(hrefs) => {
            PlannedPage::Fresh(hrefs.iter().filter_map(|href| found.get(href).copied()).collect())
        }
    });
    (planned.collect(), gone.len())
}

fn fresh_files<'a>(page: &PlannedPage<&'a FoundFile>) -> Option<Vec<&'a FoundFile>> {
    match page {
        PlannedPage::Kept(_) => None,
        PlannedPage::Fresh(files) => Some(files.clone()),
    }
}

/// The pages in order, without those of which no file could be read.
fn sources<'a>(
    planned: &[PlannedPage<&FoundFile>],
    made: &'a [MadePage],
    cache: &'a IndexCache,
) -> Vec<(PageSource<'a>, &'a CachedPage)> {
    let mut made = made.iter();
    let source = |page: &PlannedPage<&FoundFile>| match page {
        PlannedPage::Kept(number) => Some((PageSource::Before(*number), cache.pages.get(*number)?)),
        PlannedPage::Fresh(_) => made.next().map(|made| (PageSource::Made(&made.packed), &made.cached)),
    };
    planned.iter().filter_map(source).filter(|(_, page)| !page.packages.is_empty()).collect()
}

/// Writes the new `repodata` and puts it in place, where anything differs from the one that is there.
fn write_all(
    options: &IndexOptions,
    folder: &Folder,
    last: &Last,
    pages: &[(PageSource<'_>, &CachedPage)],
    attachments: &Attachments,
) -> Result<bool, IndexError> {
    let failed = |source| IndexError::Folder { folder: options.folder.clone(), source };
    let before = &last.cache;
    let newest = before.documents.iter().map(|record| record.time).max().unwrap_or_default();
    let time = now().max(newest + 1);
    let attached = attachments.documents(options.compression, &before.documents, time).map_err(failed)?;
    let signed_by = options.key.as_ref().map(|key| key.fingerprint().to_owned());
    let same_pages =
        pages.len() == before.pages.len() && pages.iter().all(|(source, _)| matches!(source, PageSource::Before(_)));
    let same_attached = before.documents.iter().filter(|record| !MetadataKind::OF_PACKAGES.contains(&record.kind));
    let same_attached = same_attached.eq(attached.iter().map(|document| &document.record));
    if before.repomd.is_some() && same_pages && same_attached && signed_by == before.signed_by {
        return Ok(false);
    }
    let staging = folder.stage().map_err(failed)?;
    let written = Staged { options, folder, staging: &staging, last, time }.write(pages, attached, signed_by);
    if written.is_err() {
        // The next run clears away what is left even now.
        let _ = fs_err::remove_dir_all(&staging);
    }
    written?;
    folder.switch().map_err(failed)?;
    Ok(true)
}

/// A `repodata` on its way.
struct Staged<'a> {
    options: &'a IndexOptions,
    folder: &'a Folder,
    staging: &'a Path,
    last: &'a Last,
    time: u64,
}

impl Staged<'_> {
    fn write(
        &self,
        pages: &[(PageSource<'_>, &CachedPage)],
        attached: Vec<AssembledDocument>,
        signed_by: Option<String>,
    ) -> Result<(), IndexError> {
        let failed = |source| IndexError::Folder { folder: self.options.folder.clone(), source };
        let mut documents = self.documents(pages).map_err(failed)?;
        for document in attached {
            let bytes: Vec<u8> = document.frame.iter().flat_map(|member| member.bytes.to_vec()).collect();
            write(&self.staging.join(document.record.file().to_string()), &bytes).map_err(failed)?;
            documents.push(document.record);
        }
        let retired = self.last.cache.retired.clone();
        let retired = self.folder.keep(self.staging, retired, self.options.keep_for, now()).map_err(failed)?;
        let repomd = repomd_xml(self.time, &documents);
        let mut cache = IndexCache::new(self.options.compression);
        cache.repomd = Some(Digest::of(repomd.as_bytes()));
        cache.documents = documents;
        cache.signed_by = signed_by;
        cache.pages = pages.iter().map(|(_, page)| CachedPage::clone(page)).collect();
        cache.retired = retired;
        let file = |name: &str, bytes: &[u8]| write(&self.staging.join(name), bytes).map_err(failed);
        file(CACHE, &serde_json::to_vec(&cache).map_err(io::Error::from).map_err(failed)?)?;
        file("repomd.xml", repomd.as_bytes())?;
        if let Some(key) = &self.options.key {
            file("repomd.xml.asc", key.sign_armored(repomd.as_bytes())?.as_bytes())?;
            file("repomd.xml.key", key.public().as_bytes())?;
        }
        Ok(())
    }

    /// Writes the documents of packages side by side.
    fn documents(&self, pages: &[(PageSource<'_>, &CachedPage)]) -> io::Result<Vec<DocumentRecord>> {
        let repodata = self.folder.repodata();
        let before = Before { repodata: &repodata, cache: &self.last.cache };
        let write = |kind| write_document(self.staging, (kind, self.options.compression, self.time), pages, &before);
        std::thread::scope(|scope| {
            let write = &write;
            let tasks = MetadataKind::OF_PACKAGES.map(|kind| scope.spawn(move || write(kind)));
            tasks.into_iter().map(|task| task.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))).collect()
        })
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
