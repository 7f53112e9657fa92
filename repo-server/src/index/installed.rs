//! Putting a `repodata` that was made elsewhere into a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::IndexError;
use super::folder::{Folder, RETIRED_NAMES, write};

/// Puts the files of a `repodata`, by their names, in the place of the one that a folder has, in one step. Metadata of
/// before stays for a time, for clients that may still ask for it.
///
/// # Errors
/// [`IndexError`]; what was there before is there still.
pub fn install_repodata(folder: &Path, files: &[(String, Vec<u8>)], keep_for: Duration) -> Result<(), IndexError> {
    let failed = |source| IndexError::Folder { folder: folder.to_owned(), source };
    let locked = Folder::lock(folder)?;
    let retired = fs_err::read(locked.repodata().join(RETIRED_NAMES)).unwrap_or_default();
    let retired: BTreeMap<String, u64> = serde_json::from_slice(&retired).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let install = || {
        let staging = locked.stage()?;
        for (name, bytes) in files {
            write(&staging.join(name), bytes)?;
        }
        let retired = locked.keep(&staging, retired, keep_for, now)?;
        write(&staging.join(RETIRED_NAMES), &serde_json::to_vec(&retired)?)?;
        locked.switch()
    };
    install().map_err(failed)
}
