//! A channel in a folder.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::{Digest, Store};
use repo_api::{Client, ListedPackage, LocalPackage};
use repo_server::install_repodata;

use super::{Arrival, Metadata, fetch};
use crate::exit::Failure;
use crate::render::Printer;

pub(super) struct Export {
    pub(super) folder: PathBuf,
    /// The directory of the server's store, whose files may be linked.
    pub(super) store: Option<PathBuf>,
}

impl Export {
    fn packages(&self) -> PathBuf {
        self.folder.join("Packages")
    }

    pub(super) async fn bring(
        &self,
        client: &Client,
        packages: &[ListedPackage],
        printer: &Printer,
    ) -> Result<Vec<Arrival>, Failure> {
        fs_err::create_dir_all(self.packages()).map_err(Failure::failed)?;
        let mut arrivals = Vec::with_capacity(packages.len());
        for package in packages {
            let arrival = self.bring_one(client, package).await?;
            if arrival != Arrival::There {
                printer.detail(&package.nevra.to_string());
            }
            arrivals.push(arrival);
        }
        Ok(arrivals)
    }

    async fn bring_one(&self, client: &Client, package: &ListedPackage) -> Result<Arrival, Failure> {
        let path = self.packages().join(package.file_name());
        let stored = self.stored(package);
        if is_there(&path, package, stored.as_deref()) {
            return Ok(Arrival::There);
        }
        let part = self.packages().join(format!(".{}.part", package.sha256));
        let linked = stored.is_some_and(|stored| link(&stored, &part, package.size));
        if !linked {
            fetch(client, package, &part).await?;
        }
        fs_err::rename(&part, &path).map_err(Failure::failed)?;
        Ok(if linked { Arrival::Linked } else { Arrival::Fetched })
    }

    /// Where the store's file of a package would be.
    fn stored(&self, package: &ListedPackage) -> Option<PathBuf> {
        let digest: Digest = package.sha256.to_string().parse().ok()?;
        Some(Store::file_of_blob(self.store.as_ref()?, &digest))
    }

    pub(super) fn show(&self, files: &Metadata, keep_for: Duration) -> Result<(), Failure> {
        install_repodata(&self.folder, files, keep_for).map_err(Failure::failed)
    }

    /// Removes the RPMs that are not listed, and what was left half-fetched.
    pub(super) fn prune(&self, packages: &[ListedPackage]) -> Result<usize, Failure> {
        let names: BTreeSet<String> = packages.iter().map(ListedPackage::file_name).collect();
        let prune = || {
            let mut removed = 0;
            for entry in fs_err::read_dir(self.packages())? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_ours = name.ends_with(".rpm") || (name.starts_with('.') && name.ends_with(".part"));
                if is_ours && !names.contains(&name) {
                    fs_err::remove_file(entry.path())?;
                    removed += 1;
                }
            }
            std::io::Result::Ok(removed)
        };
        prune().map_err(Failure::failed)
    }
}

/// Tells whether a package is in its place: as a link to the store's file, or as a file with its bytes.
fn is_there(path: &Path, package: &ListedPackage, stored: Option<&Path>) -> bool {
    let Ok(there) = fs_err::metadata(path) else { return false };
    let stored = stored.and_then(|stored| fs_err::metadata(stored).ok());
    let is_link = stored.is_some_and(|stored| (stored.dev(), stored.ino()) == (there.dev(), there.ino()));
    there.len() == package.size
        && (is_link || LocalPackage::read(path).is_ok_and(|local| local.sha256 == package.sha256))
}

/// Links a file of the store; tells whether that was possible.
fn link(stored: &Path, to: &Path, size: u64) -> bool {
    // One that an export left that was killed.
    let _ = fs_err::remove_file(to);
    fs_err::metadata(stored).is_ok_and(|metadata| metadata.len() == size) && fs_err::hard_link(stored, to).is_ok()
}
