//! Layouts that no spec stands behind.

use std::path::Path;

use packager::{About, Compression, Dependencies, Entry, EntryKind, PackageLayout, Source, SourceDate, Target};

/// An empty package.
pub(crate) fn layout() -> PackageLayout {
    PackageLayout {
        about: About {
            nevra: "feature-1.0-1.noarch".parse().unwrap(),
            summary: "A feature".to_owned(),
            description: "A feature.".to_owned(),
            license: "MIT".to_owned(),
            url: None,
            vendor: None,
            group: None,
            packager: None,
            build_host: None,
            dist_url: None,
            vcs: None,
            bug_url: None,
        },
        target: Target::El10,
        compression: Compression::Zstd(3),
        source_date: SourceDate::from_seconds(1_700_000_000).unwrap(),
        dependencies: Dependencies::default(),
        entries: Vec::new(),
        scriptlets: Vec::new(),
        triggers: Vec::new(),
        changelog: Vec::new(),
    }
}

pub(crate) fn entry(path: &str, kind: EntryKind, permissions: u16) -> Entry {
    Entry::new(path.to_owned(), kind, permissions, 1_700_000_000)
}

/// A file of the folder that the feature's `install` filled.
pub(crate) fn file(root: &Path, path: &str, permissions: u16) -> Entry {
    let source = root.join(path.trim_start_matches('/'));
    let size = std::fs::metadata(&source).unwrap().len();
    entry(path, EntryKind::File(Source::File(source, size)), permissions)
}
