//! The list of files, from its parallel arrays.

use crate::FileEntry;
use crate::assemble::Extent;
use crate::error::ReadHeaderError;
use crate::section::Section;
use crate::tags::{Tag, decode_owned};

/// The most bytes of all paths together. A header stores each directory once; many files in one long directory would
/// otherwise take any memory.
const MAX_PATH_BYTES: usize = 128 * 1024 * 1024;

/// Reads the files in the order of the header.
pub(crate) fn read(main: &Section, extent: Extent) -> Result<Vec<FileEntry>, ReadHeaderError> {
    let (paths, of) = paths(main)?;
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    if extent == Extent::Whole { whole(main, paths, of) } else { listed(main, paths, of) }
}

/// The files with what repodata says of them.
fn listed(main: &Section, paths: Vec<String>, of: Tag) -> Result<Vec<FileEntry>, ReadHeaderError> {
    let modes = main.numbers_beside(Tag::FILEMODES, of, paths.len())?;
    let flags = main.numbers_beside(Tag::FILEFLAGS, of, paths.len())?;
    let entry = |(path, (mode, flags)): (String, (u64, u64))| FileEntry {
        path,
        mode: mode as u16,
        flags: flags as u32,
        ..FileEntry::default()
    };
    Ok(paths.into_iter().zip(modes.into_iter().zip(flags)).map(entry).collect())
}

fn whole(main: &Section, paths: Vec<String>, of: Tag) -> Result<Vec<FileEntry>, ReadHeaderError> {
    let count = paths.len();
    let size_tag = if main.has(Tag::LONGFILESIZES) { Tag::LONGFILESIZES } else { Tag::FILESIZES };
    let sizes = main.numbers_beside(size_tag, of, count)?;
    let modes = main.numbers_beside(Tag::FILEMODES, of, count)?;
    let mtimes = main.numbers_beside(Tag::FILEMTIMES, of, count)?;
    let flags = main.numbers_beside(Tag::FILEFLAGS, of, count)?;
    let mut digests = main.texts_beside(Tag::FILEDIGESTS, of, count)?.into_iter();
    let mut link_targets = main.texts_beside(Tag::FILELINKTOS, of, count)?.into_iter();
    let mut users = main.texts_beside(Tag::FILEUSERNAME, of, count)?.into_iter();
    let mut capabilities = main.texts_beside(Tag::FILECAPS, of, count)?.into_iter();
    let mut languages = main.texts_beside(Tag::FILELANGS, of, count)?.into_iter();
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
        capabilities: capabilities.next().unwrap_or_default(),
        language: languages.next().unwrap_or_default(),
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
    let mut parts = Vec::with_capacity(names.len());
    for (file, (name, index)) in names.into_iter().zip(indexes).enumerate() {
        let directory = usize::try_from(index).ok().and_then(|index| directories.get(index).copied());
        let directory =
            directory.ok_or(ReadHeaderError::DirectoryIndex { file, index, directories: directories.len() })?;
        parts.push([directory, name]);
    }
    if parts.iter().flatten().map(|part| part.len()).sum::<usize>() > MAX_PATH_BYTES {
        return Err(ReadHeaderError::PathsTooLong { max: MAX_PATH_BYTES });
    }
    let paths = parts.into_iter().map(|parts| decode_owned(parts.concat())).collect();
    Ok((paths, Tag::BASENAMES))
}

#[cfg(test)]
mod tests {
    use crate::error::ReadHeaderError;
    use crate::sample::SampleHeader;

    fn paths(header: &SampleHeader) -> Vec<String> {
        header.read().unwrap().files.into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn old_packages_hold_whole_paths() {
        let header = SampleHeader::package().texts(1027, &["/usr/bin/a", "/etc/b"]).numbers(1028, &[5, 6]);
        assert_eq!(paths(&header), ["/usr/bin/a", "/etc/b"]);
        assert_eq!(header.read().unwrap().files[1].size, 6);
        assert_eq!(header.read().unwrap().files[1].user, "");
    }

    #[test]
    fn paths_are_put_together() {
        let header = SampleHeader::package()
            .texts(1117, &["a", "b", "c"])
            .texts(1118, &["/usr/", "/etc/"])
            .numbers(1116, &[1, 0, 1]);
        assert_eq!(paths(&header), ["/etc/a", "/usr/b", "/etc/c"]);
    }

    #[test]
    fn directories_have_to_be_there() {
        let header = SampleHeader::package().texts(1117, &["a"]).texts(1118, &["/usr/"]).numbers(1116, &[1]);
        let error = header.read().unwrap_err();
        assert!(matches!(error, ReadHeaderError::DirectoryIndex { file: 0, index: 1, directories: 1 }));
        assert_eq!(error.to_string(), "file 0 is in directory 1 of `DIRNAMES`, which has 1");
    }

    #[test]
    fn columns_have_a_value_for_each_file() {
        let header = SampleHeader::package().texts(1027, &["/a", "/b"]).numbers(1028, &[5]);
        let error = header.read().unwrap_err();
        assert_eq!(error.to_string(), "tag `FILESIZES` has 1 values, it has to have 2, one for each of `OLDFILENAMES`");
    }

    /// 1000 files in a directory whose name is a megabyte long would take a gigabyte.
    #[test]
    fn one_long_directory_does_not_multiply() {
        let directory = "x".repeat(1 << 20);
        let names = vec!["a"; 1000];
        let header =
            SampleHeader::package().texts(1117, &names).texts(1118, &[&directory]).numbers(1116, &vec![0; 1000]);
        assert!(matches!(header.read(), Err(ReadHeaderError::PathsTooLong { .. })));
    }

    #[test]
    fn large_sizes() {
        let size = (5_u64 << 32).to_be_bytes();
        let header = SampleHeader::package().texts(1027, &["/a"]).entry(5008, 5, 1, &size).entry(5009, 5, 1, &size);
        let read = header.read().unwrap();
        assert_eq!((read.files[0].size, read.installed_size), (5 << 32, 5 << 32));
    }
}
