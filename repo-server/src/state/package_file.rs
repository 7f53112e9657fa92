//! A package by the name of its file.

use std::sync::Arc;

use nevra::Nevra;

use super::change::PackageRecord;
use super::sorted_map::Keyed;

/// A package by the name of its file, by which clients ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// The file's name.
    pub name: Arc<str>,
    /// The package.
    pub package: Arc<PackageRecord>,
}

impl PackageFile {
    /// Names a package.
    pub(crate) fn of(package: &Arc<PackageRecord>) -> Self {
        Self { name: package.file_name().into(), package: Arc::clone(package) }
    }
}

impl Keyed for PackageFile {
    type Key = Arc<str>;

    fn key(&self) -> &Arc<str> {
        &self.name
    }
}

impl Keyed for Arc<PackageRecord> {
    type Key = Nevra;

    fn key(&self) -> &Nevra {
        &self.nevra
    }
}
