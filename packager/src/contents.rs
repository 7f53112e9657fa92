//! Gathers what goes into a package: the WAR and the configuration files, by name and size.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::war::{EntryTime, War, WarError};
use crate::{PackageSpec, SourceDate};

/// The contents of a package, found but not read.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) war: War,
    pub(crate) configuration: Vec<ConfigurationItem>,
}

/// A file or a folder of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigurationItem {
    /// The path within the configuration's folder.
    pub(crate) name: String,
    pub(crate) kind: ItemKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Directory,
    File { path: PathBuf, size: u64 },
}

/// Says why the contents could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// The WAR.
    #[error(transparent)]
    War(#[from] WarError),
    /// There is no folder of configuration files.
    #[error("there is no folder at `{}`; `configuration.directory` is relative to the spec", .0.display())]
    NoConfiguration(PathBuf),
    /// The configuration could not be read.
    #[error("could not read the configuration")]
    Read(#[source] io::Error),
    /// A name cannot stand in a package.
    #[error("the configuration file {0:?} has a name that is not UTF-8 or holds control characters")]
    Name(PathBuf),
    /// Something other than files and folders.
    #[error("the configuration holds `{}`, which is neither a file nor a folder", .0.display())]
    Kind(PathBuf),
}

impl Contents {
    /// Finds the WAR and lists the configuration, sorted by name.
    pub(crate) fn gather(spec: &PackageSpec, source_date: SourceDate) -> Result<Self, ContentsError> {
        let configuration = match &spec.configuration {
            Some(directory) => list(directory)?,
            None => Vec::new(),
        };
        let time = EntryTime::of_build(source_date, spec.build_number());
        Ok(Self { war: War::open(&spec.tomcat.war, time)?, configuration })
    }
}

fn list(directory: &Path) -> Result<Vec<ConfigurationItem>, ContentsError> {
    if !directory.is_dir() {
        return Err(ContentsError::NoConfiguration(directory.to_owned()));
    }
    let entries = WalkDir::new(directory).min_depth(1).sort_by_file_name();
    entries.into_iter().map(|entry| item(directory, &entry.map_err(|e| ContentsError::Read(e.into()))?)).collect()
}

fn item(directory: &Path, entry: &walkdir::DirEntry) -> Result<ConfigurationItem, ContentsError> {
    let path = entry.path();
    let name = path.strip_prefix(directory).ok().and_then(Path::to_str);
    let name = name.filter(|name| !name.chars().any(char::is_control));
    let name = name.ok_or_else(|| ContentsError::Name(path.to_owned()))?.to_owned();
    let kind = if entry.file_type().is_dir() {
        ItemKind::Directory
    } else if entry.file_type().is_file() {
        let file = fs_err::File::open(path).map_err(ContentsError::Read)?;
        ItemKind::File { path: path.to_owned(), size: file.metadata().map_err(ContentsError::Read)?.len() }
    } else {
        return Err(ContentsError::Kind(path.to_owned()));
    };
    Ok(ConfigurationItem { name, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_files_and_folders_sorted() {
        let directory = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(directory.path().join("b/c")).unwrap();
        fs_err::write(directory.path().join("b/c/x.xml"), "12345").unwrap();
        fs_err::write(directory.path().join("a.properties"), "").unwrap();
        let items = list(directory.path()).unwrap();
        let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["a.properties", "b", "b/c", "b/c/x.xml"]);
        assert!(matches!(items[3].kind, ItemKind::File { size: 5, .. }));
    }

    #[test]
    fn refuses_links_and_odd_names() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(list(&directory.path().join("none")), Err(ContentsError::NoConfiguration(_))));
        std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link")).unwrap();
        assert!(matches!(list(directory.path()), Err(ContentsError::Kind(_))));
        fs_err::remove_file(directory.path().join("link")).unwrap();
        fs_err::write(directory.path().join("a\nb"), "").unwrap();
        assert!(matches!(list(directory.path()), Err(ContentsError::Name(_))));
    }
}
