//! What channels will show: pages compressed, documents put together, signed and stored before the commit names them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Composite, Digest, Part};
use repo_api::{ChannelName, MetadataCompression};

use super::repository::{Repository, seconds_now};
use crate::error::RepositoryError;
use crate::repodata::{
    AssembledDocument, Compression, DocumentBuilder, DocumentRecord, Fragments, Member, MetadataKind, PackedMember,
    PackedPage, PageMembers, PlannedPage, repomd_xml,
};
use crate::state::{Channel, ChannelView, Entry, PackageRecord, PageStep, RepositoryState, Shown, Turnover};

/// How many blobs are read at a time.
const SIDE_BY_SIDE: usize = 16;
/// How many members of a document are in memory at a time, at least where they are not kept there anyway.
const MEMBERS_AT_ONCE: usize = 32;

impl Repository {
    /// Renders, signs and stores what each channel that entries change will show.
    pub(super) async fn render(
        &self,
        before: &RepositoryState,
        after: &RepositoryState,
        entries: &[Entry],
    ) -> Result<BTreeMap<ChannelName, Shown>, RepositoryError> {
        let changed: BTreeSet<&ChannelName> = entries.iter().flat_map(|entry| entry.action.channels()).collect();
        let mut shown = BTreeMap::new();
        for name in changed {
            if let Some(channel) = after.channel(name) {
                let nothing = Channel::default();
                let earlier = before.channel(name).unwrap_or(&nothing);
                shown.insert(name.clone(), self.render_channel(before, earlier, channel).await?);
            }
        }
        Ok(shown)
    }

    async fn render_channel(
        &self,
        state: &RepositoryState,
        before: &Channel,
        after: &Channel,
    ) -> Result<Shown, RepositoryError> {
        let compression = compression(after.settings().compression);
        let time = seconds_now().max(before.view().map_or(0, |(_, view)| view.blobs.time + 1));
        let turnover = Turnover::between(before, after);
        let planned = if before.settings().compression == after.settings().compression {
            turnover.plan(before.pages())
        } else {
            turnover.plan_anew(before.pages())
        };
        let mut pages = Vec::new();
        let mut members = Vec::new();
        for page in planned {
            let (step, of_page) = self.page(compression, before, page).await?;
            push_step(&mut pages, step);
            members.push(of_page);
        }
        let document = |kind| self.document_of((kind, compression, time), after.listed().len(), &members);
        let mut made = try_join_all(MetadataKind::OF_PACKAGES.map(document)).await?;
        made.extend(self.attached_documents(after.attachments(), compression, time).await?);
        let known_time = |document: &AssembledDocument| state.metadata(&document.record.digest).map(|known| known.time);
        let record = |document: &AssembledDocument| DocumentRecord {
            time: known_time(document).unwrap_or(time),
            ..document.record.clone()
        };
        let documents: Vec<DocumentRecord> = made.iter().map(record).collect();
        let repomd = repomd_xml(state.position().number + 1, &documents);
        // Nothing of this is seen before the commit names it: what is stored first does not matter, and signing takes as
        // long as storing.
        let storing = try_join_all(made.iter().map(|document| self.store_document(document, &members)));
        let (_, repomd, (key, signature)) =
            tokio::try_join!(storing, self.put(repomd.clone().into()), self.sign_and_store(repomd))?;
        let view = ChannelView { time, key, repomd, signature, documents };
        Ok(Shown { view, pages })
    }

    /// Signs repomd.xml, and gives the key's fingerprint and the signature's digest.
    async fn sign_and_store(&self, repomd: String) -> Result<(String, Digest), RepositoryError> {
        let keys = self.keys.keys();
        let signature = keys.sign(repomd.into_bytes()).await?;
        Ok((keys.fingerprint().to_owned(), self.put(signature.into()).await?))
    }

    /// Makes a page as planned; one that has to be compressed is stored.
    async fn page(
        &self,
        compression: Compression,
        before: &Channel,
        page: PlannedPage<Arc<PackageRecord>>,
    ) -> Result<(PageStep, PageMembers), RepositoryError> {
        let packages = match page {
            PlannedPage::Kept(number) => {
                return Ok((PageStep::Kept { from: number, count: 1 }, before.pages()[number].members));
            }
            PlannedPage::Fresh(packages) => packages,
        };
        let fragments = self.fragments(&packages).await?;
        let packed = tokio::task::spawn_blocking(move || PackedPage::pack(compression, &fragments))
            .await
            .map_err(|_| RepositoryError::Stopping)?
            .map_err(RepositoryError::Render)?;
        try_join_all(packed.all().map(|member| self.put_member(member))).await?;
        let members = packed.members();
        Ok((PageStep::Fresh { packages: packages.len(), members }, members))
    }

    /// Puts a document together from the pages' members.
    async fn document_of(
        &self,
        (kind, compression, time): (MetadataKind, Compression, u64),
        packages: usize,
        pages: &[PageMembers],
    ) -> Result<AssembledDocument, RepositoryError> {
        let members: Vec<Member> = pages.iter().filter_map(|page| page.of(kind).copied()).collect();
        let mut builder =
            DocumentBuilder::begin(kind, compression, packages, &members).map_err(RepositoryError::Render)?;
        for some in members.chunks(MEMBERS_AT_ONCE) {
            let reads: Vec<_> = some.iter().map(|member| self.member(member.digest)).collect();
            let bytes: Vec<Bytes> = stream::iter(reads).buffered(SIDE_BY_SIDE).try_collect().await?;
            let hashing = tokio::task::spawn_blocking(move || {
                bytes.iter().for_each(|bytes| builder.push(bytes));
                builder
            });
            builder = hashing.await.map_err(|_| RepositoryError::Stopping)?;
        }
        builder.finish(time).map_err(RepositoryError::Render)
    }

    /// Stores what belongs to a document alone, and what the whole consists of.
    async fn store_document(&self, document: &AssembledDocument, pages: &[PageMembers]) -> Result<(), RepositoryError> {
        // Before the whole, so that nothing is ever said to consist of what is not there.
        try_join_all(document.frame.iter().map(|member| self.put_member(member))).await?;
        let [opening, closing] = document.frame.as_slice() else { return Ok(()) };
        let members = pages.iter().filter_map(|page| page.of(document.record.kind).copied());
        let all = [opening.member].into_iter().chain(members).chain([closing.member]);
        let parts = all.map(|member| Part { digest: member.digest, size: member.size }).collect();
        Ok(self.store.put_composite(&Composite::new(document.record.digest, parts)).await?)
    }

    async fn put_member(&self, packed: &PackedMember) -> Result<(), RepositoryError> {
        self.store.put_blob(packed.bytes.clone()).await?;
        // The compressor's buffer may be twice as large as what it holds.
        self.members.keep(packed.member.digest, Bytes::copy_from_slice(&packed.bytes));
        Ok(())
    }

    async fn put(&self, bytes: Bytes) -> Result<Digest, RepositoryError> {
        let digest = self.store.put_blob(bytes.clone()).await?;
        self.documents.keep(digest, bytes);
        Ok(digest)
    }

    async fn member(&self, digest: Digest) -> Result<Bytes, RepositoryError> {
        self.members.get(&digest).await?.ok_or(RepositoryError::Damaged { digest, what: "missing" })
    }

    async fn fragments(&self, packages: &[Arc<PackageRecord>]) -> Result<Vec<Fragments>, RepositoryError> {
        let reads: Vec<_> = packages.iter().map(|package| self.fragments_of(package.fragments)).collect();
        stream::iter(reads).buffered(SIDE_BY_SIDE).try_collect().await
    }

    async fn fragments_of(&self, digest: Digest) -> Result<Fragments, RepositoryError> {
        let blob = self.fragments.get(&digest).await?;
        let blob = blob.ok_or(RepositoryError::Damaged { digest, what: "missing" })?;
        Fragments::decode(&blob).map_err(|_| RepositoryError::Damaged { digest, what: "not a package's fragments" })
    }
}

fn compression(setting: MetadataCompression) -> Compression {
    match setting {
        MetadataCompression::Gzip => Compression::Gzip,
        MetadataCompression::Zstd => Compression::Zstd,
    }
}

/// Adds a step; pages that are kept one after another are one step.
fn push_step(steps: &mut Vec<PageStep>, step: PageStep) {
    match (steps.last_mut(), step) {
        (Some(PageStep::Kept { from, count }), PageStep::Kept { from: next, count: more })
            if *from + *count == next =>
        {
            *count += more;
        }
        _ => steps.push(step),
    }
}
