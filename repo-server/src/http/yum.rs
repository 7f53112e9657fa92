//! What yum clients ask for.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use repo_api::{ChannelName, Problem, ProblemKind};

use super::refusal::Refusal;
use super::reply::{Caching, Content, Reply};
use super::route::ChannelFile;
use crate::channel::View;
use crate::repository::Repository;
use crate::resolve;
use crate::state::RepositoryState;

const XML: &str = "application/xml";
const GZIP: &str = "application/gzip";
const RPM: &str = "application/x-rpm";
const TEXT: &str = "text/plain; charset=utf-8";
const KEY: &str = "application/pgp-keys";
const SIGNATURE: &str = "application/pgp-signature";

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
        ChannelFile::Metadata { digest, kind } => {
            let record = state.metadata(digest).filter(|record| record.kind == *kind).ok_or_else(missing)?;
            Ok(Reply {
                digest: *digest,
                content_type: GZIP,
                caching: Caching::Immutable,
                modified: Some(record.time),
                content: Content::Memory(repository.document(digest).await?),
            })
        }
        // Whatever the commit: a client may hold metadata of another one.
        ChannelFile::Package(file_name) => {
            let package = Arc::clone(channel.file(file_name).ok_or_else(missing)?);
            Ok(Reply {
                digest: package.sha256,
                content_type: RPM,
                caching: Caching::Immutable,
                modified: Some(package.time),
                content: Content::Blob(package.size),
            })
        }
    }
}

/// Gives the public key.
pub(super) fn key(repository: &Repository) -> Reply {
    Reply::text(KEY, repository.key().public().to_owned())
}

/// Gives the one mirror: this server, at the newest commit of the channel, so that all that a client fetches next is of
/// one commit.
pub(super) fn mirror_list(repository: &Repository, name: &ChannelName, headers: &HeaderMap) -> Result<Reply, Refusal> {
    let state = repository.state();
    let (commit, _) = resolve::channel(&state, name)?.view().ok_or_else(missing)?;
    Ok(Reply::text(TEXT, format!("{}/{name}/@{commit}/\n", base_url(headers)?)))
}

/// Gives a file for `/etc/yum.repos.d`.
pub(super) fn repo_file(repository: &Repository, name: &ChannelName, headers: &HeaderMap) -> Result<Reply, Refusal> {
    resolve::channel(&repository.state(), name)?;
    let base = base_url(headers)?;
    // Packages need no signature of their own: the signed metadata holds the sha256 of each.
    let text = format!(
        "[pkg-{name}]\n\
         name=pkg channel {name}\n\
         baseurl={base}/{name}/\n\
         enabled=1\n\
         repo_gpgcheck=1\n\
         gpgcheck=0\n\
         gpgkey={base}/keys/repository.asc\n\
         metadata_expire=60\n\
         autorefresh=1\n\
         skip_if_unavailable=0\n"
    );
    Ok(Reply::text(TEXT, text))
}

async fn document(
    repository: &Repository,
    view: &View,
    digest: ledger::Digest,
    content_type: &'static str,
    at: Option<u64>,
) -> Result<Reply, Refusal> {
    Ok(Reply {
        digest,
        content_type,
        caching: if at.is_some() { Caching::Immutable } else { Caching::Revalidate },
        modified: Some(view.blobs.time),
        content: Content::Memory(repository.document(&digest).await?),
    })
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

/// The server's own address, as the client wrote it.
fn base_url(headers: &HeaderMap) -> Result<String, Refusal> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(fits) {
        return Err(Problem::new(ProblemKind::BadRequest, format!("`{host}` in the Host header is no host")).into());
    }
    let secure = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https");
    Ok(format!("{}://{host}", if secure { "https" } else { "http" }))
}

pub(super) fn missing() -> Refusal {
    Problem::new(ProblemKind::NotFound, "there is nothing at this URL").into()
}
