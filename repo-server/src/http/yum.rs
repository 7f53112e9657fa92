//! What yum clients ask for.

use std::sync::Arc;

use ledger::Digest;
use repo_api::{ChannelName, Problem, ProblemKind, SignaturePolicy, TagName};

use super::refusal::Refusal;
use super::reply::{Caching, Content, Reply};
use super::route::ChannelFile;
use crate::clients;
use crate::engine::Repository;
use crate::repodata::{Compression, MetadataFile, MetadataKind};
use crate::resolve;
use crate::state::{RepositoryState, View};

const XML: &str = "application/xml";
const GZIP: &str = "application/gzip";
const ZSTD: &str = "application/zstd";
const YAML: &str = "application/yaml";
const RPM: &str = "application/x-rpm";
const METALINK: &str = "application/metalink+xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const KEY: &str = "application/pgp-keys";
const SIGNATURE: &str = "application/pgp-signature";

/// Metadata up to this size is served from memory, bytes.
const LARGEST_IN_MEMORY: u64 = 4 << 20;

/// Gives a file of a channel, as of a commit or now.
pub(super) async fn file(
    repository: &Repository,
    name: &ChannelName,
    at: Option<u64>,
    file: &ChannelFile,
) -> Result<Reply, Refusal> {
    let state = repository.state();
    let channel = resolve::channel(&state, name)?;
    match file {
        ChannelFile::RepomdKey => Ok(key(repository)),
        ChannelFile::Repomd => {
            let view = view(&state, name, at)?;
            document(repository, &view, view.blobs.repomd, XML, at).await
        }
        ChannelFile::RepomdSignature => {
            let view = view(&state, name, at)?;
            document(repository, &view, view.blobs.signature, SIGNATURE, at).await
        }
        ChannelFile::Metadata(file) => {
            let record = state.metadata(&file.digest).filter(|record| record.file() == *file).ok_or_else(missing)?;
            let content = if record.size <= LARGEST_IN_MEMORY {
                Content::Memory(repository.document(&file.digest).await?)
            } else {
                Content::Blob(record.size)
            };
            Ok(Reply::new(file.digest, content_type(file), Caching::Immutable, Some(record.time), content))
        }
        // Whatever the commit: a client may hold metadata of another one.
        ChannelFile::Package(file_name) => {
            let package = Arc::clone(channel.file(file_name).ok_or_else(missing)?);
            Ok(Reply::new(package.sha256, RPM, Caching::Immutable, Some(package.time), Content::Blob(package.size)))
        }
    }
}

/// Gives the signature of the repomd.xml that the client holds, or of the newest where that is not known.
pub(super) async fn signature_of(
    repository: &Repository,
    name: &ChannelName,
    held: Option<Digest>,
) -> Result<Reply, Refusal> {
    let state = repository.state();
    let newest = view(&state, name, None)?;
    let held = held.filter(|held| *held != newest.blobs.repomd);
    let views = resolve::channel(&state, name)?.views();
    let of_held = held.and_then(|held| views.values().rfind(|view| view.blobs.repomd == held).cloned());
    let view = of_held.unwrap_or(newest);
    document(repository, &view, view.blobs.signature, SIGNATURE, None).await
}

fn content_type(file: &MetadataFile) -> &'static str {
    match (file.compression, file.kind) {
        (Some(Compression::Gzip), _) => GZIP,
        (Some(Compression::Zstd), _) => ZSTD,
        (None, MetadataKind::Modules) => YAML,
        (None, _) => XML,
    }
}

/// Gives the public key.
pub(super) fn key(repository: &Repository) -> Reply {
    Reply::text(KEY, repository.keys().keys().public().to_owned())
}

/// Gives the one mirror: this server, at the newest commit of the channel, so that all that a client fetches next is of
/// one commit.
pub(super) fn mirror_list(repository: &Repository, name: &ChannelName, base: &str) -> Result<Reply, Refusal> {
    let state = repository.state();
    let (commit, _) = resolve::channel(&state, name)?.view().ok_or_else(missing)?;
    Ok(Reply::text(TEXT, clients::mirror_list(base, name, commit)))
}

/// Gives the newest repomd.xml's digest, and where it is.
pub(super) async fn metalink(repository: &Repository, name: &ChannelName, base: &str) -> Result<Reply, Refusal> {
    let state = repository.state();
    let (commit, view) = resolve::channel(&state, name)?.view().ok_or_else(missing)?;
    let repomd = view.blobs.repomd;
    let size = repository.document(&repomd).await?.len() as u64;
    let time = view.blobs.documents.iter().map(|document| document.time).max().unwrap_or(view.blobs.time);
    let metalink = clients::Metalink { base, channel: name, commit, repomd, size, time };
    Ok(Reply::text(METALINK, metalink.render()))
}

/// Gives a file for `/etc/yum.repos.d`.
pub(super) fn repo_file(repository: &Repository, name: &ChannelName, base: &str) -> Result<Reply, Refusal> {
    let state = repository.state();
    let settings = resolve::channel(&state, name)?.settings();
    Ok(Reply::text(TEXT, clients::RepoFile { base, channel: name, settings }.render()))
}

/// Gives one of the server's public keys.
pub(super) fn one_key(repository: &Repository, fingerprint: &str) -> Result<Reply, Refusal> {
    let key = repository.keys().keys().public_of(fingerprint).ok_or_else(missing)?;
    Ok(Reply::text(KEY, key))
}

/// Gives the public keys by one of which a channel's packages are signed.
pub(super) fn channel_keys(repository: &Repository, name: &ChannelName) -> Result<Reply, Refusal> {
    let state = repository.state();
    let settings = resolve::channel(&state, name)?.settings();
    let keys = match settings.signatures {
        SignaturePolicy::Any => return Err(missing()),
        SignaturePolicy::Required => settings.signature_keys.clone().unwrap_or_default(),
        SignaturePolicy::Door => repository.keys().keys().public().to_owned(),
    };
    Ok(Reply::text(KEY, keys))
}

/// Gives a file of a channel as of a tag, which may name another commit one day.
pub(super) async fn tagged_file(
    repository: &Repository,
    name: &ChannelName,
    tag: &TagName,
    file_name: &ChannelFile,
) -> Result<Reply, Refusal> {
    let at = resolve::tag(&repository.state(), tag)?.at;
    let reply = file(repository, name, Some(at), file_name).await?;
    Ok(match file_name {
        ChannelFile::Repomd | ChannelFile::RepomdSignature => reply.revalidated(),
        _ => reply,
    })
}

async fn document(
    repository: &Repository,
    view: &View,
    digest: Digest,
    content_type: &'static str,
    at: Option<u64>,
) -> Result<Reply, Refusal> {
    let caching = if at.is_some() { Caching::Immutable } else { Caching::Revalidate };
    let content = Content::Memory(repository.document(&digest).await?);
    Ok(Reply::new(digest, content_type, caching, Some(view.blobs.time), content))
}

/// Finds what a channel showed as of a commit. A commit that has not been made shows nothing yet: what it will show is
/// not known, and its URL is never to change.
fn view(state: &RepositoryState, name: &ChannelName, at: Option<u64>) -> Result<View, Refusal> {
    let channel = resolve::channel(state, name)?;
    let view = match at {
        None => channel.view().map(|(_, view)| view),
        Some(commit) if commit <= state.position().number => channel.view_at(commit),
        Some(_) => None,
    };
    view.cloned().ok_or_else(missing)
}

pub(super) fn missing() -> Refusal {
    Problem::new(ProblemKind::NotFound, "there is nothing at this URL").into()
}
