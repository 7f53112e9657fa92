//! A copy of a project that says the same and is otherwise as different as it can be.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Beyond that a copy would take longer than anybody wants to wait.
const MAX_ENTRIES: usize = 200_000;
const MAX_BYTES: u64 = 2 << 30;
/// Files up to this size become hard links of each other where they are the same.
const SMALL: u64 = 4096;

/// Where a project is.
pub(super) struct Mirror {
    root: PathBuf,
    /// Left out: where packages go.
    out: Option<PathBuf>,
}

/// Whether there is one folder that can be copied.
pub(super) enum Mirrored {
    At(Mirror),
    /// The specs and the current directory have no folder in common.
    Nowhere,
}

/// How much there is to copy.
#[derive(Default)]
struct Amount {
    entries: usize,
    bytes: u64,
}

/// Small files that were copied, by what is in them and whether they are executable.
type Small = BTreeMap<(Vec<u8>, bool), PathBuf>;

impl Mirror {
    /// Finds the folder that holds the specs and the current directory: the git checkout, as a rule.
    pub(super) fn of_project(specs: &[PathBuf], out: &Path) -> anyhow::Result<Mirrored> {
        let here = fs_err::canonicalize(".").context("could not tell the current directory")?;
        let checkout = here.ancestors().find(|directory| directory.join(".git").exists());
        let mut root = checkout.unwrap_or(&here).to_owned();
        for spec in specs {
            let spec = fs_err::canonicalize(spec)?;
            while !spec.starts_with(&root) {
                if !root.pop() {
                    break;
                }
            }
        }
        // `/` and the folders right below are nobody's project.
        if root.components().count() < 3 {
            return Ok(Mirrored::Nowhere);
        }
        Ok(Mirrored::At(Self { root, out: fs_err::canonicalize(out).ok() }))
    }

    /// Copies everything; tells whether there was not too much of it, in which case nothing is copied.
    pub(super) fn copy_to(&self, copy: &Path) -> anyhow::Result<bool> {
        let is_fine = self.measure(&self.root, &mut Amount::default()).context("could not look at the sources")?;
        if is_fine {
            self.copy_directory(&self.root, copy, &mut Small::new()).context("could not copy the sources")?;
        }
        Ok(is_fine)
    }

    /// The path's place in the copy, where it is within the project.
    pub(super) fn moved(&self, path: &Path, copy: &Path) -> PathBuf {
        let real = fs_err::canonicalize(path);
        let inside = real.as_deref().unwrap_or(path).strip_prefix(&self.root);
        inside.map_or_else(|_| path.to_owned(), |inside| copy.join(inside))
    }

    fn is_left_out(&self, path: &Path) -> bool {
        self.out.as_deref() == Some(path)
    }

    fn measure(&self, directory: &Path, amount: &mut Amount) -> std::io::Result<bool> {
        for entry in fs_err::read_dir(directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            amount.entries += 1;
            if metadata.is_file() {
                amount.bytes += metadata.len();
            }
            let goes_in = metadata.is_dir() && entry.file_name() != ".git" && !self.is_left_out(&entry.path());
            let is_fine = amount.entries <= MAX_ENTRIES && amount.bytes <= MAX_BYTES;
            if !is_fine || (goes_in && !self.measure(&entry.path(), amount)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn copy_directory(&self, from: &Path, to: &Path, small: &mut Small) -> std::io::Result<()> {
        fs_err::create_dir(to)?;
        let mut entries = fs_err::read_dir(from)?.collect::<Result<Vec<_>, _>>()?;
        // The other way round than builders sort them.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
        for entry in entries.iter().filter(|entry| !self.is_left_out(&entry.path())) {
            let (path, target) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type()?;
            if entry.file_name() == ".git" {
                symlink(&path, &target)?;
            } else if kind.is_dir() {
                self.copy_directory(&path, &target, small)?;
            } else if kind.is_symlink() {
                self.copy_link(&path, &target)?;
            } else if kind.is_file() {
                copy_file(&path, &target, small)?;
            }
        }
        fs_err::set_permissions(to, Permissions::from_mode(0o700))
    }

    /// A link within the project stays as it is; one that leads out leads to the same place.
    fn copy_link(&self, path: &Path, target: &Path) -> std::io::Result<()> {
        let leads_to = fs_err::read_link(path)?;
        match fs_err::canonicalize(path) {
            Ok(real) if leads_to.is_relative() && !real.starts_with(&self.root) => symlink(real, target),
            _ => symlink(leads_to, target),
        }
    }
}

/// Copies a file, as another checkout under another umask would have made it.
fn copy_file(path: &Path, target: &Path, small: &mut Small) -> std::io::Result<()> {
    let metadata = fs_err::metadata(path)?;
    let is_executable = metadata.permissions().mode() & 0o100 != 0;
    if (1..=SMALL).contains(&metadata.len()) {
        let key = (fs_err::read(path)?, is_executable);
        if let Some(same) = small.get(&key) {
            return fs_err::hard_link(same, target);
        }
        small.insert(key, target.to_owned());
    }
    // Times are those of now.
    std::io::copy(&mut fs_err::File::open(path)?, &mut fs_err::File::create(target)?)?;
    fs_err::set_permissions(target, Permissions::from_mode(if is_executable { 0o700 } else { 0o600 }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn copies_say_the_same_and_look_different() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs_err::canonicalize(directory.path()).unwrap().join("project");
        fs_err::create_dir_all(root.join("a/empty")).unwrap();
        fs_err::create_dir_all(root.join("dist")).unwrap();
        for (name, text) in [("a/x", "same"), ("a/y", "same"), ("z", "other"), ("dist/old.rpm", "")] {
            fs_err::write(root.join(name), text).unwrap();
        }
        symlink("a/x", root.join("inside")).unwrap();
        symlink("../project/a", root.join("around")).unwrap();
        symlink("..", root.join("out")).unwrap();
        let mirror = Mirror { root: root.clone(), out: Some(root.join("dist")) };
        let copy = directory.path().join("copy");
        assert!(mirror.copy_to(&copy).unwrap());
        assert_eq!(fs_err::read_to_string(copy.join("inside")).unwrap(), "same");
        assert!(copy.join("a/empty").is_dir() && !copy.join("dist").exists());
        let (x, y) = (copy.join("a/x").metadata().unwrap(), copy.join("a/y").metadata().unwrap());
        assert_eq!((x.ino(), x.mode() & 0o777, x.nlink()), (y.ino(), 0o600, 2));
        assert_eq!(copy.join("out").read_link().unwrap(), root.parent().unwrap());
        assert_eq!(mirror.moved(&root.join("a/x"), Path::new("/c")), Path::new("/c/a/x"));
        assert_eq!(mirror.moved(Path::new("/etc"), Path::new("/c")), Path::new("/etc"));
    }
}
