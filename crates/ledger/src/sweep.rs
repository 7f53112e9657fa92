//! Removing what writers that were killed left in a store's directory.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Removes staged files that nothing was written to for a time, and gives their number.
///
/// The `object_store` crate writes a file under its name with `#` and a number appended, and renames it once it is
/// whole. No key of ours holds a `#`.
pub(crate) fn staged_files(directory: &Path, older_than: Duration) -> io::Result<usize> {
    let mut removed = 0;
    let mut folders = vec![directory.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && is_staged(&entry.path()) && is_older(&entry, older_than) {
                // Another process may sweep at the same time.
                match std::fs::remove_file(entry.path()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    gone => removed += usize::from(gone.is_ok()),
                }
            }
        }
    }
    Ok(removed)
}

fn is_staged(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.rsplit_once('#').is_some_and(|(key, number)| {
        !key.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Not where the time can't be had: the file may be gone already.
fn is_older(entry: &std::fs::DirEntry, than: Duration) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| SystemTime::now().duration_since(modified).is_ok_and(|age| age >= than))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_old_staged_files_alone() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("blobs/ab");
        fs_err::create_dir_all(&folder).unwrap();
        for name in ["abcd", "abcd#1", "abcd#23", "abcd#", "#1", "a#b"] {
            fs_err::write(folder.join(name), "x").unwrap();
        }
        assert_eq!(staged_files(directory.path(), Duration::from_secs(3600)).unwrap(), 0);
        assert_eq!(staged_files(directory.path(), Duration::ZERO).unwrap(), 2);
        let mut left: Vec<_> = fs_err::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["#1", "a#b", "abcd", "abcd#"]);
    }
}
