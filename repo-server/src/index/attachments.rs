//! Metadata that is not made of packages: advisories, groups, module streams.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::repodata::{
    AssembledDocument, Compression, DocumentRecord, MetadataKind, RepomdEntry, attachment_text, unpacked,
};

use super::error::IndexError;

/// What comes beside the packages: of each kind, a file that the caller names, or else what the folder has.
#[derive(Debug, Default)]
pub(super) struct Attachments(pub(super) Vec<(MetadataKind, Bytes)>);

impl Attachments {
    /// Reads the files named, and takes over from the `repodata` that is there what no file is named for.
    pub(super) fn gather(
        named: &[(MetadataKind, PathBuf)],
        repodata: &Path,
        there: &[RepomdEntry],
    ) -> Result<Self, IndexError> {
        let mut attachments = Self::default();
        for kind in [MetadataKind::Updateinfo, MetadataKind::Group, MetadataKind::Modules] {
            let path = match named.iter().find(|(of, _)| *of == kind) {
                Some((_, path)) => path.clone(),
                None => match there.iter().find(|entry| entry.is(kind)) {
                    Some(entry) => repodata.join(entry.file_name()),
                    None => continue,
                },
            };
            let text = fs_err::read(&path).and_then(|bytes| attachment_text(kind, unpacked(&bytes)?));
            let text = text.map_err(|source| IndexError::Attachment { path, what: kind.name(), source })?;
            attachments.0.push((kind, text));
        }
        Ok(attachments)
    }

    /// Makes documents of them. One that was there before keeps its time.
    pub(super) fn documents(
        &self,
        compression: Compression,
        before: &[DocumentRecord],
        time: u64,
    ) -> std::io::Result<Vec<AssembledDocument>> {
        let mut documents = Vec::new();
        for (kind, text) in &self.0 {
            // createrepo_c lists comps twice, and old clients know them only without compression.
            let plain = (*kind == MetadataKind::Group).then_some(None);
            for compression in plain.into_iter().chain([Some(compression)]) {
                let mut document = AssembledDocument::of_text(*kind, compression, text, time)?;
                if let Some(same) = before.iter().find(|record| record.file() == document.record.file()) {
                    document.record.time = same.time;
                }
                documents.push(document);
            }
        }
        Ok(documents)
    }
}
