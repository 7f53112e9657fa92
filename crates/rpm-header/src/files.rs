//! The list of files, from its parallel arrays.

use crate::FileEntry;
use crate::error::ReadHeaderError;
use crate::section::Section;
use crate::tags::{Tag, decode};

/// The most bytes of all paths together. A header of 256 MiB stores each directory once; many files in one long
/// directory would otherwise take any memory.
const MAX_PATH_BYTES: usize = 512 * 1024 * 1024;

/// Reads the files in the order of the header.
pub(crate) fn read(main: &Section) -> Result<Vec<FileEntry>, ReadHeaderError> {
    let (paths, of) = paths(main)?;
    let count = paths.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let size_tag = if main.has(Tag::LONGFILESIZES) { Tag::LONGFILESIZES } else { Tag::FILESIZES };
    let sizes = main.numbers_beside(size_tag, of, count)?;
    let modes = main.numbers_beside(Tag::FILEMODES, of, count)?;
    let mtimes = main.numbers_beside(Tag::FILEMTIMES, of, count)?;
    let flags = main.numbers_beside(Tag::FILEFLAGS, of, count)?;
    let mut digests = main.texts_beside(Tag::FILEDIGESTS, of, count)?.into_iter();
    let mut link_targets = main.texts_beside(Tag::FILELINKTOS, of, count)?.into_iter();
    let mut users = main.texts_beside(Tag::FILEUSERNAME, of, count)?.into_iter();
    let mut groups = main.texts_beside(Tag::FILEGROUPNAME, of, count)?.into_iter();
    let entry = |(index, path): (usize, String)| FileEntry {
        path,
        mode: modes[index] as u16,
        user: users.next().unwrap_or_default(),
        group: groups.next().unwrap_or_default(),
        size: sizes[index],
        mtime: mtimes[index] as u32,
        digest: digests.next().unwrap_or_default(),
        link_target: link_targets.next().unwrap_or_default(),
        flags: flags[index] as u32,
    };
    Ok(paths.into_iter().enumerate().map(entry).collect())
}

/// Reads the paths, and tells which tag has one value for each.
fn paths(main: &Section) -> Result<(Vec<String>, Tag), ReadHeaderError> {
    let Some(names) = main.raw_texts(Tag::BASENAMES)? else {
        return Ok((main.texts(Tag::OLDFILENAMES)?.unwrap_or_default(), Tag::OLDFILENAMES));
    };
    let directories = main.raw_texts(Tag::DIRNAMES)?.unwrap_or_default();
    let indexes = main.numbers_beside(Tag::DIRINDEXES, Tag::BASENAMES, names.len())?;
    let mut paths = Vec::with_capacity(names.len());
    let mut total = 0;
    for (file, (name, index)) in names.into_iter().zip(indexes).enumerate() {
        let directory = usize::try_from(index).ok().and_then(|index| directories.get(index));
        let directory =
            directory.ok_or(ReadHeaderError::DirectoryIndex { file, index, directories: directories.len() })?;
        total += directory.len() + name.len();
        if total > MAX_PATH_BYTES {
            return Err(ReadHeaderError::PathsTooLong { max: MAX_PATH_BYTES });
        }
        paths.push(decode(&[directory, name].concat()));
    }
    Ok((paths, Tag::BASENAMES))
}
