//! What comes out of an archive: files numbered in a temporary directory, and their names.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::contents_error::ContentsProblem;
use super::listing::{Item, ItemKind};
use super::path_filter::PathFilter;

/// What is taken of an archive.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    /// How many leading directories are left out.
    pub(super) strip_components: usize,
    /// Which paths, as they are in the archive.
    pub(super) filter: &'a PathFilter,
}

/// What is unpacked so far.
pub(super) struct Unpacked<'a> {
    archive: &'a Path,
    choice: &'a Choice<'a>,
    directory: TempDir,
    count: usize,
    items: BTreeMap<String, ItemKind>,
}

impl<'a> Unpacked<'a> {
    pub(super) fn new(archive: &'a Path, choice: &'a Choice<'a>) -> Result<Self, ContentsProblem> {
        let failed = |source| ContentsProblem::Unpack { path: archive.to_owned(), source };
        let directory = tempfile::Builder::new().prefix("pkg-").tempdir().map_err(failed)?;
        Ok(Self { archive, choice, directory, count: 0, items: BTreeMap::new() })
    }

    pub(super) fn file(&mut self, name: &str, mode: u32, content: &mut impl Read) -> Result<(), ContentsProblem> {
        let Some(name) = self.chosen(name)? else { return Ok(()) };
        let path: PathBuf = self.directory.path().join(self.count.to_string());
        self.count += 1;
        let written = std::fs::File::create_new(&path).and_then(|mut file| io::copy(content, &mut file));
        let size = written.map_err(|error| self.failed(error))?;
        self.put(name, ItemKind::File { path, size, is_executable: mode & 0o100 != 0 })
    }

    pub(super) fn directory(&mut self, name: &str) -> Result<(), ContentsProblem> {
        match self.chosen(name)? {
            Some(name) => self.put(name, ItemKind::Directory),
            None => Ok(()),
        }
    }

    /// Takes a link that stays within what is unpacked.
    pub(super) fn symlink(&mut self, name: &str, target: String) -> Result<(), ContentsProblem> {
        let Some(chosen) = self.chosen(name)? else { return Ok(()) };
        let mut depth = chosen.matches('/').count();
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." if depth > 0 => depth -= 1,
                ".." => return Err(self.refused(name, "is a link out of the archive")),
                _ => depth += 1,
            }
        }
        if target.is_empty() || target.starts_with('/') || target.chars().any(char::is_control) {
            return Err(self.refused(name, "is a link to an absolute path, or to nothing"));
        }
        self.put(chosen, ItemKind::Symlink { target })
    }

    /// Takes a second name of a file that came before.
    pub(super) fn hard_link(&mut self, name: &str, target: &str) -> Result<(), ContentsProblem> {
        let Some(chosen) = self.chosen(name)? else { return Ok(()) };
        let kind = self.chosen(target)?.and_then(|target| self.items.get(&target).cloned());
        match kind {
            Some(kind @ ItemKind::File { .. }) => self.put(chosen, kind),
            _ => Err(self.refused(name, "is a hard link to something that is left out")),
        }
    }

    /// Gives the temporary directory and what is in it, by name.
    pub(super) fn finish(self) -> Result<(TempDir, Vec<Item>), ContentsProblem> {
        for name in self.items.keys() {
            let parents = name.match_indices('/').map(|(index, _)| &name[..index]);
            let mut others = parents.filter_map(|parent| self.items.get(parent));
            if others.any(|parent| !matches!(parent, ItemKind::Directory)) {
                return Err(self.refused(name, "lies below something that is no directory"));
            }
        }
        let items = self.items.into_iter().map(|(name, kind)| Item { name, kind }).collect();
        Ok((self.directory, items))
    }

    pub(super) fn failed(&self, source: io::Error) -> ContentsProblem {
        ContentsProblem::Unpack { path: self.archive.to_owned(), source }
    }

    pub(super) fn refused(&self, name: &str, why: &'static str) -> ContentsProblem {
        ContentsProblem::Member { path: self.archive.to_owned(), name: name.to_owned(), why }
    }

    /// A later member of the same name takes the place of an earlier one, as tar does it.
    fn put(&mut self, name: String, kind: ItemKind) -> Result<(), ContentsProblem> {
        self.items.insert(name, kind);
        Ok(())
    }

    /// The name that a member is installed under, if it is.
    fn chosen(&self, name: &str) -> Result<Option<String>, ContentsProblem> {
        let parts: Vec<_> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if name.starts_with('/') || parts.contains(&"..") {
            return Err(self.refused(name, "would be installed outside of its destination"));
        }
        let installed = parts.get(self.choice.strip_components..).unwrap_or_default().join("/");
        Ok((!installed.is_empty() && self.choice.filter.takes(&parts.join("/"))).then_some(installed))
    }
}
