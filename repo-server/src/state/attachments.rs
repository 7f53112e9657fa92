//! What a channel shows beside its packages: advisories, groups, module streams.

use std::collections::BTreeMap;

use ledger::Digest;
use serde::{Deserialize, Serialize};

use crate::repodata::MetadataKind;

/// What a channel shows beside its packages. The texts are blobs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attachments {
    /// The `<update>` elements of advisories, by their ids.
    pub(super) advisories: BTreeMap<String, Digest>,
    /// Whole documents: comps.xml, modules.yaml.
    pub(super) documents: BTreeMap<MetadataKind, Digest>,
}

/// One attachment that comes, becomes another, or goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentChange {
    /// What it is.
    pub kind: MetadataKind,
    /// Which of several: an advisory's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The blob of its text; `None` where it goes.
    pub text: Option<Digest>,
}

impl Attachments {
    /// The `<update>` elements of advisories, by their ids.
    #[must_use]
    pub fn advisories(&self) -> &BTreeMap<String, Digest> {
        &self.advisories
    }

    /// Whole documents: comps.xml, modules.yaml.
    #[must_use]
    pub fn documents(&self) -> &BTreeMap<MetadataKind, Digest> {
        &self.documents
    }

    /// All blobs that it needs.
    pub fn blobs(&self) -> impl Iterator<Item = &Digest> {
        self.advisories.values().chain(self.documents.values())
    }

    /// Tells whether a change would change anything.
    #[must_use]
    pub fn has(&self, change: &AttachmentChange) -> bool {
        let there = match &change.id {
            Some(id) => self.advisories.get(id),
            None => self.documents.get(&change.kind),
        };
        there == change.text.as_ref()
    }

    pub(super) fn change(&mut self, change: &AttachmentChange) {
        match (&change.id, change.text) {
            (Some(id), Some(text)) => {
                self.advisories.insert(id.clone(), text);
            }
            (Some(id), None) => {
                self.advisories.remove(id);
            }
            (None, Some(text)) => {
                self.documents.insert(change.kind, text);
            }
            (None, None) => {
                self.documents.remove(&change.kind);
            }
        }
    }
}
