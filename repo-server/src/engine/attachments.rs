//! Advisories, groups and module streams: taken in, and rendered with what a channel shows.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Author, Digest};
use nevra::Nevra;
use repo_api::{AttachmentKind, ChannelName};

use super::group::Decision;
use super::repository::{Outcome, Repository};
use crate::admission::Upload;
use crate::error::RepositoryError;
use crate::repodata::{
    Advisory, AssembledDocument, Compression, MetadataKind, attachment_text, named_packages, unpacked, updateinfo_xml,
};
use crate::resolve;
use crate::state::{Action, AttachmentChange, Attachments};

/// The most that an uploaded file may hold, packed, bytes.
const LIMIT: u64 = 64 << 20;
const SIDE_BY_SIDE: usize = 16;

/// What a channel shall show beside its packages, and what no longer.
#[derive(Debug, Default)]
pub struct AttachmentRequest {
    /// Files that have been uploaded.
    pub files: Vec<(AttachmentKind, Upload)>,
    /// Ids of advisories that go.
    pub withdrawn_advisories: Vec<String>,
    /// Documents that go: all advisories, the groups, the module streams.
    pub removed: Vec<AttachmentKind>,
}

/// An advisory of a channel, and the packages that it names.
#[derive(Debug)]
pub(super) struct AdvisoryAbout {
    id: String,
    text: Digest,
    packages: Vec<Nevra>,
}

impl AdvisoryAbout {
    /// Tells whether it names one of the packages, and is still what a channel shows under its id.
    pub(super) fn goes_with(&self, packages: &[Nevra], shown: &Attachments) -> bool {
        shown.advisories().get(&self.id) == Some(&self.text) && packages.iter().any(|each| self.packages.contains(each))
    }

    /// Its coming to another channel.
    pub(super) fn change(&self) -> AttachmentChange {
        AttachmentChange { kind: MetadataKind::Updateinfo, id: Some(self.id.clone()), text: Some(self.text) }
    }
}

impl Repository {
    /// Changes what a channel shows beside its packages, all of it in one commit.
    ///
    /// # Errors
    /// [`RepositoryError`]; the channel is unchanged then.
    pub async fn attach(
        &self,
        channel: &ChannelName,
        request: AttachmentRequest,
        author: Author,
    ) -> Result<Outcome, RepositoryError> {
        resolve::channel(&self.state(), channel)?;
        let mut changes = Vec::new();
        for (kind, upload) in &request.files {
            changes.extend(self.take_attachment(*kind, upload).await?);
        }
        let gone = |id: String| AttachmentChange { kind: MetadataKind::Updateinfo, id: Some(id), text: None };
        changes.extend(request.withdrawn_advisories.into_iter().map(gone));
        let (channel, removed) = (channel.clone(), request.removed);
        self.change(author, move |state| {
            let there = resolve::channel(state, &channel)?.attachments();
            let mut attached: Vec<AttachmentChange> = removed.iter().flat_map(|kind| removal(*kind, there)).collect();
            attached.extend(changes.iter().filter(|change| !there.has(change)).cloned());
            let action = Action::Attached { channel: channel.clone(), attached: attached.clone() };
            Ok(Decision { action: (!attached.is_empty()).then_some(action), packages: Vec::new() })
        })
        .await
    }

    async fn take_attachment(
        &self,
        kind: AttachmentKind,
        upload: &Upload,
    ) -> Result<Vec<AttachmentChange>, RepositoryError> {
        let missing = || RepositoryError::MissingUpload { file_name: upload.file_name.clone(), sha256: upload.sha256 };
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| RepositoryError::NotAnAttachment {
            file_name: upload.file_name.clone(),
            what: kind.name(),
            source,
        };
        let size = self.store.blob_size(&upload.sha256).await?.ok_or_else(missing)?;
        if size > LIMIT {
            return Err(failed(format!("it has {size} bytes; allowed are {LIMIT}").into()));
        }
        let file = self.store.blob(&upload.sha256).await?.ok_or_else(missing)?;
        let kind_of = metadata_kind(kind);
        let texts = tokio::task::spawn_blocking(move || texts(kind_of, &file))
            .await
            .map_err(|_| RepositoryError::Stopping)?
            .map_err(failed)?;
        let mut changes = Vec::new();
        for (id, text) in texts {
            let text = Some(self.store.put_blob(text).await?);
            changes.push(AttachmentChange { kind: kind_of, id, text });
        }
        Ok(changes)
    }

    /// Makes documents of what a channel shows beside its packages.
    pub(super) async fn attached_documents(
        &self,
        attachments: &Attachments,
        compression: Compression,
        time: u64,
    ) -> Result<Vec<AssembledDocument>, RepositoryError> {
        let mut documents = Vec::new();
        if !attachments.advisories().is_empty() {
            let reads: Vec<_> = attachments.advisories().values().map(|digest| self.text(*digest)).collect();
            let advisories: Vec<Bytes> = stream::iter(reads).buffered(SIDE_BY_SIDE).try_collect().await?;
            let text = updateinfo_xml(advisories.iter().map(Bytes::as_ref)).into();
            documents.push(document(MetadataKind::Updateinfo, Some(compression), &text, time)?);
        }
        for (kind, digest) in attachments.documents() {
            let text = self.text(*digest).await?;
            // createrepo_c lists comps twice, and old clients know them only without compression.
            if *kind == MetadataKind::Group {
                documents.push(document(*kind, None, &text, time)?);
            }
            documents.push(document(*kind, Some(compression), &text, time)?);
        }
        Ok(documents)
    }

    /// Reads what packages the advisories of a channel name.
    pub(super) async fn advisories(&self, channel: &ChannelName) -> Result<Vec<AdvisoryAbout>, RepositoryError> {
        let state = self.state();
        let Some(channel) = state.channel(channel) else { return Ok(Vec::new()) };
        let mut advisories = Vec::new();
        for (id, digest) in channel.attachments().advisories() {
            let packages = named_packages(&self.text(*digest).await?);
            advisories.push(AdvisoryAbout { id: id.clone(), text: *digest, packages });
        }
        Ok(advisories)
    }

    async fn text(&self, digest: Digest) -> Result<Bytes, RepositoryError> {
        self.fragments.get(&digest).await?.ok_or(RepositoryError::Damaged { digest, what: "missing" })
    }
}

fn document(
    kind: MetadataKind,
    compression: Option<Compression>,
    text: &Bytes,
    time: u64,
) -> Result<AssembledDocument, RepositoryError> {
    AssembledDocument::of_text(kind, compression, text, time).map_err(RepositoryError::Render)
}

type Texts = Vec<(Option<String>, Bytes)>;

/// The texts that a file holds, each with its id where it is one of several.
fn texts(kind: MetadataKind, file: &[u8]) -> Result<Texts, Box<dyn std::error::Error + Send + Sync>> {
    let text = unpacked(file)?;
    if kind == MetadataKind::Updateinfo {
        let advisories = Advisory::read_all(&text)?;
        return Ok(advisories.into_iter().map(|one| (Some(one.id), Bytes::from(one.xml))).collect());
    }
    Ok(vec![(None, attachment_text(kind, text)?)])
}

fn removal(kind: AttachmentKind, there: &Attachments) -> Vec<AttachmentChange> {
    let kind = metadata_kind(kind);
    if kind == MetadataKind::Updateinfo {
        let ids = there.advisories().keys();
        return ids.map(|id| AttachmentChange { kind, id: Some(id.clone()), text: None }).collect();
    }
    let change = AttachmentChange { kind, id: None, text: None };
    if there.has(&change) { Vec::new() } else { vec![change] }
}

fn metadata_kind(kind: AttachmentKind) -> MetadataKind {
    match kind {
        AttachmentKind::Updateinfo => MetadataKind::Updateinfo,
        AttachmentKind::Group => MetadataKind::Group,
        AttachmentKind::Modules => MetadataKind::Modules,
    }
}
