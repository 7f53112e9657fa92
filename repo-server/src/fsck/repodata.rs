//! What channels show now, held against what their packages' files say; and computed again from them.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use ledger::{Composite, Digest, Part, Store};
use openpgp::TrustedKeys;
use rpm_header::PackageHeader;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::finding::FsckReport;
use crate::error::RepositoryError;
use crate::repodata::{
    Compression, DocumentBuilder, DocumentRecord, FileIdentity, Fragments, Member, MetadataKind, PackedPage,
    repomd_xml, unpacked,
};
use crate::state::{Channel, PackageRecord, Page, View};

/// Compares what a channel shows with the XML of its packages, and says where they differ.
pub(super) async fn check(
    store: &Store,
    (name, channel): (&str, &Channel),
    keys: Option<&TrustedKeys>,
    report: &mut FsckReport,
) -> Result<(), RepositoryError> {
    for (number, page) in channel.pages().iter().enumerate() {
        if !page_holds(store, page).await? {
            let packages: Vec<String> = page.packages.iter().map(|package| package.nevra.to_string()).collect();
            report.find(
                format!("page {number} of channel {name} is not the metadata of its packages"),
                &packages,
                false,
            );
        }
    }
    let Some((_, view)) = channel.view() else { return Ok(()) };
    let of_view = [format!("channel {name} as of commit {}", view.commit)];
    if let Some(repomd) = store.blob(&view.blobs.repomd).await? {
        if repomd != repomd_text(view) {
            report.find(format!("repomd.xml of channel {name} does not name what the ledger says"), &of_view, false);
        }
        let signature = store.blob(&view.blobs.signature).await?;
        let holds = match (keys, signature) {
            (Some(keys), Some(signature)) => keys.verify_armored(&signature, repomd.as_ref()).is_ok(),
            _ => true,
        };
        if !holds {
            report.find(format!("repomd.xml.asc of channel {name} is no signature by these keys"), &of_view, false);
        }
    }
    Ok(())
}

/// Writes what can be computed again of the blobs that are wrong: the XML of packages from their files, pages and documents
/// from the XML, and repomd.xml.
pub(super) async fn mend(store: &Store, channel: &Channel, wrong: &[Digest]) -> Result<(), RepositoryError> {
    let is_wrong = |digest: &Digest| wrong.contains(digest);
    for page in channel.pages() {
        for package in page.packages.iter().filter(|package| is_wrong(&package.fragments)) {
            mend_fragments(store, package).await?;
        }
        if page.members.all().iter().any(|member| is_wrong(&member.digest)) {
            mend_page(store, page).await?;
        }
    }
    let Some((_, view)) = channel.view() else { return Ok(()) };
    for document in view.blobs.documents.iter().filter(|document| MetadataKind::OF_PACKAGES.contains(&document.kind)) {
        // Its beginning and its end are named by nothing else.
        if is_wrong(&document.digest) {
            mend_document(store, channel, document).await?;
        }
    }
    if is_wrong(&view.blobs.repomd) {
        store.put_blob(repomd_text(view)).await?;
    }
    Ok(())
}

fn repomd_text(view: &View) -> Bytes {
    repomd_xml(view.commit, &view.blobs.documents).into()
}

async fn page_holds(store: &Store, page: &Page) -> Result<bool, RepositoryError> {
    let Some(fragments) = fragments(store, page).await? else { return Ok(false) };
    for (package, fragments) in page.packages.iter().zip(&fragments) {
        let sha256 = package.sha256.to_string();
        if !fragments.primary.windows(sha256.len()).any(|window| window == sha256.as_bytes()) {
            return Ok(false);
        }
    }
    let parts: [fn(&Fragments) -> &Bytes; 3] = [|each| &each.primary, |each| &each.filelists, |each| &each.other];
    for (member, part) in page.members.all().iter().zip(parts) {
        let Some(packed) = store.blob(&member.digest).await? else { return Ok(false) };
        let expected: Vec<u8> = fragments.iter().flat_map(|each| part(each).iter().copied()).collect();
        if !unpacked(&packed).is_ok_and(|text| text == expected) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn fragments(store: &Store, page: &Page) -> Result<Option<Vec<Fragments>>, RepositoryError> {
    let mut all = Vec::with_capacity(page.packages.len());
    for package in &page.packages {
        match store.blob(&package.fragments).await?.map(|blob| Fragments::decode(&blob)) {
            Some(Ok(fragments)) => all.push(fragments),
            _ => return Ok(None),
        }
    }
    Ok(Some(all))
}

/// Renders the XML of a package from its file once more, and stores it where it is the same.
async fn mend_fragments(store: &Store, package: &Arc<PackageRecord>) -> Result<(), RepositoryError> {
    let Some(reader) = store.open_blob(&package.sha256, None).await? else { return Ok(()) };
    let mut reader = SyncIoBridge::new(StreamReader::new(reader.into_stream().map_err(std::io::Error::other)));
    let header = tokio::task::spawn_blocking(move || PackageHeader::read(&mut reader)).await;
    let Ok(Ok(header)) = header else { return Ok(()) };
    let file = FileIdentity {
        sha256: &package.sha256.to_string(),
        size: package.size,
        time: package.time,
        href: &format!("Packages/{}", package.file_name()),
    };
    let encoded = Fragments::render(&header, &file).encode();
    if Digest::of(&encoded) == package.fragments {
        store.put_blob(encoded).await?;
    }
    Ok(())
}

async fn mend_page(store: &Store, page: &Page) -> Result<(), RepositoryError> {
    let Some(fragments) = fragments(store, page).await? else { return Ok(()) };
    for compression in [Compression::Gzip, Compression::Zstd] {
        let packed = PackedPage::pack(compression, &fragments).map_err(RepositoryError::Render)?;
        if packed.members() == page.members {
            for member in packed.all() {
                store.put_blob(member.bytes.clone()).await?;
            }
        }
    }
    Ok(())
}

async fn mend_document(store: &Store, channel: &Channel, record: &DocumentRecord) -> Result<(), RepositoryError> {
    let Some(compression) = record.compression else { return Ok(()) };
    let members: Vec<Member> =
        channel.pages().iter().filter_map(|page| page.members.of(record.kind).copied()).collect();
    let packages = channel.pages().iter().map(|page| page.packages.len()).sum();
    let builder = DocumentBuilder::begin(record.kind, compression, packages, &members);
    let mut builder = builder.map_err(RepositoryError::Render)?;
    for member in &members {
        let Some(bytes) = store.blob(&member.digest).await? else { return Ok(()) };
        builder.push(&bytes);
    }
    let document = builder.finish(record.time).map_err(RepositoryError::Render)?;
    if document.record.digest != record.digest {
        return Ok(());
    }
    for member in &document.frame {
        store.put_blob(member.bytes.clone()).await?;
    }
    let frame = document.frame.iter().map(|packed| packed.member);
    let (opening, closing) = (frame.clone().next(), frame.clone().next_back());
    let all = opening.into_iter().chain(members).chain(closing);
    let parts = all.map(|member| Part { digest: member.digest, size: member.size }).collect();
    Ok(store.put_composite(&Composite::new(record.digest, parts)).await?)
}
