//! What a run remembers for the next one, in a file that lies in `repodata` and changes with it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ledger::Digest;
use serde::{Deserialize, Serialize};

use crate::repodata::{Compression, DocumentRecord, PageMembers};

use super::survey::Stamp;

/// Its name in `repodata`.
pub(super) const CACHE: &str = "pkg-index.json";

/// Changes with what it means, and with what is rendered of a package.
const VERSION: u32 = 1;

/// What a run remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IndexCache {
    version: u32,
    pub(super) compression: Compression,
    /// The repomd.xml that this belongs to.
    pub(super) repomd: Option<Digest>,
    /// What it names.
    pub(super) documents: Vec<DocumentRecord>,
    /// Who signed it, if anybody: a fingerprint.
    pub(super) signed_by: Option<String>,
    /// The pages, in order.
    pub(super) pages: Vec<CachedPage>,
    /// Metadata that repomd.xml names no longer, and since when: seconds since 1970.
    pub(super) retired: BTreeMap<String, u64>,
}

/// A page of packages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CachedPage {
    pub(super) members: PageMembers,
    pub(super) packages: Vec<CachedPackage>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachedPackage {
    pub(super) href: String,
    #[serde(flatten)]
    pub(super) stamp: Stamp,
    pub(super) sha256: Digest,
}

impl IndexCache {
    pub(super) fn new(compression: Compression) -> Self {
        Self {
            version: VERSION,
            compression,
            repomd: None,
            documents: Vec::new(),
            signed_by: None,
            pages: Vec::new(),
            retired: BTreeMap::new(),
        }
    }

    /// Reads what the last run remembered in a `repodata`; nothing where that is of no use: everything is read anew then.
    pub(super) fn read(repodata: &Path) -> Option<Self> {
        let text = fs_err::read(repodata.join(CACHE)).ok()?;
        let cache: Self = serde_json::from_slice(&text).ok()?;
        (cache.version == VERSION).then_some(cache)
    }

    /// The files that were read, by their places.
    pub(super) fn packages(&self) -> HashMap<&str, &CachedPackage> {
        self.pages.iter().flat_map(|page| &page.packages).map(|package| (package.href.as_str(), package)).collect()
    }
}
