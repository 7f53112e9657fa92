//! The API: uploads, publishes, promotions, withdrawals, listings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use ledger::{Author, Digest, ReceiveError};
use nevra::Nevra;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use repo_api::{
    ChannelList, ChannelName, ChannelSummary, FileDigest, ListedPackage, PackageList, Problem, ProblemKind,
    PromoteRequest, Promoted, PublishRequest, Published, PublishedPackage, WithdrawRequest, Withdrawn,
};
use serde::de::DeserializeOwned;

use super::app::App;
use super::refusal::Refusal;
use super::route::ApiRoute;
use crate::admission::Upload;
use crate::change::PackageRecord;
use crate::channel::Channel;
use crate::error::RepositoryError;
use crate::repository::{Outcome, Repository};
use crate::resolve;

/// The largest file that can be uploaded, bytes.
const LARGEST_FILE: u64 = 8 << 30;
/// The largest JSON body, bytes.
const LARGEST_JSON: usize = 4 << 20;
/// How long an upload may stand still, and how long a JSON body may take.
const STALL: Duration = Duration::from_secs(60);
/// The longest name or reason that is kept, characters.
const LONGEST_TEXT: usize = 500;
/// What may not stand in the path of a URL as it is (RFC 3986), as far as file names can hold it.
const PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'^').add(b'+').add(b' ');

/// Answers a request of the API.
pub(super) async fn answer(
    app: &App,
    peer: SocketAddr,
    route: &ApiRoute,
    request: (Parts, Body),
) -> Result<Response, Refusal> {
    let (parts, body) = request;
    let headers = &parts.headers;
    let repository = &app.repository;
    match (route, parts.method.as_str()) {
        (ApiRoute::Channels, "GET" | "HEAD") => Ok(no_cache(Json(channels(repository)))),
        (ApiRoute::Channels, _) => Err(Refusal::Method("GET, HEAD")),
        (ApiRoute::Packages(channel), "GET" | "HEAD") => Ok(no_cache(Json(packages(repository, channel)?))),
        (ApiRoute::Packages(_), method) if method != "POST" => Err(Refusal::Method("GET, HEAD, POST")),
        (ApiRoute::Blob(_), method) if !matches!(method, "GET" | "HEAD" | "PUT") => {
            Err(Refusal::Method("GET, HEAD, PUT"))
        }
        (ApiRoute::Withdrawals(_) | ApiRoute::Promotions, method) if method != "POST" => Err(Refusal::Method("POST")),
        (ApiRoute::Blob(digest), _) => {
            app.access.check(peer, headers)?;
            if parts.method == Method::PUT {
                receive(repository, digest, headers, body).await
            } else {
                staged(repository, digest).await
            }
        }
        (ApiRoute::Packages(channel), _) => {
            app.access.check(peer, headers)?;
            publish(repository, channel.clone(), peer, read(headers, body).await?).await
        }
        (ApiRoute::Withdrawals(channel), _) => {
            app.access.check(peer, headers)?;
            withdraw(repository, channel.clone(), peer, read(headers, body).await?).await
        }
        (ApiRoute::Promotions, _) => {
            app.access.check(peer, headers)?;
            promote(repository, peer, read(headers, body).await?).await
        }
    }
}

fn no_cache(response: impl IntoResponse) -> Response {
    ([(CACHE_CONTROL, "no-cache")], response).into_response()
}

fn channels(repository: &Repository) -> ChannelList {
    let state = repository.state();
    let summary = |(name, channel): (&ChannelName, &Channel)| {
        let (commit, view) = channel.view()?;
        Some(ChannelSummary {
            name: name.clone(),
            packages: channel.listed().len(),
            commit,
            changed_at: view.at,
            url: format!("/{name}/"),
        })
    };
    ChannelList { commit: state.position().number, channels: state.channels().iter().filter_map(summary).collect() }
}

fn packages(repository: &Repository, name: &ChannelName) -> Result<PackageList, Refusal> {
    let state = repository.state();
    let channel = resolve::channel(&state, name)?;
    let listed = channel.listed().values().map(|listing| ListedPackage {
        nevra: listing.package.nevra.clone(),
        sha256: wire_digest(&listing.package.sha256),
        size: listing.package.size,
        url: url(name, &listing.package.nevra),
        commit: listing.commit,
        listed_at: listing.at,
        listed_by: listing.who.clone(),
    });
    Ok(PackageList {
        channel: name.clone(),
        commit: channel.view().map_or(0, |(commit, _)| commit),
        packages: listed.collect(),
    })
}

async fn staged(repository: &Repository, digest: &FileDigest) -> Result<Response, Refusal> {
    let size = repository.store().blob_size(&store_digest(digest)).await.map_err(RepositoryError::from)?;
    match size {
        Some(size) => Ok(no_cache(Json(serde_json::json!({ "sha256": digest, "size": size })))),
        None => Err(Problem::new(ProblemKind::MissingUpload, format!("`{digest}` has not been uploaded")).into()),
    }
}

async fn receive(
    repository: &Repository,
    digest: &FileDigest,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let announced: Option<u64> = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|size| size > LARGEST_FILE) {
        return Err(too_large(LARGEST_FILE));
    }
    let expected = store_digest(digest);
    let received = repository.store().receive_blob(Some(expected), moving(body), LARGEST_FILE).await;
    match received {
        Ok(received) => {
            let answer = serde_json::json!({ "sha256": digest, "size": received.size });
            Ok((StatusCode::CREATED, Json(answer)).into_response())
        }
        Err(error @ ReceiveError::Mismatch { .. }) => {
            let hint = "the file changed while it was sent: try again";
            Err(Problem::new(ProblemKind::DigestMismatch, error.to_string()).hint(hint).into())
        }
        Err(ReceiveError::TooLarge { limit }) => Err(too_large(limit)),
        Err(error @ ReceiveError::Body(_)) => {
            Err(Problem::new(ProblemKind::InterruptedUpload, error.to_string()).into())
        }
        Err(ReceiveError::Store(error)) => Err(RepositoryError::from(error).into()),
    }
}

/// The bytes of a body, until it ends or stands still.
fn moving(body: Body) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold(Some(body.into_data_stream()), |body| async {
        let mut body = body?;
        match tokio::time::timeout(STALL, body.next()).await {
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(body))),
            Ok(Some(Err(error))) => Some((Err(std::io::Error::other(error)), None)),
            Ok(None) => None,
            Err(_) => Some((Err(std::io::Error::from(std::io::ErrorKind::TimedOut)), None)),
        }
    })
}

fn too_large(limit: u64) -> Refusal {
    Problem::new(ProblemKind::TooLarge, format!("at most {limit} bytes are allowed")).into()
}

async fn publish(
    repository: &Arc<Repository>,
    channel: ChannelName,
    peer: SocketAddr,
    request: PublishRequest,
) -> Result<Response, Refusal> {
    let author = author(request.who, peer, request.why)?;
    let uploads: Vec<Upload> = request
        .packages
        .into_iter()
        .map(|package| Upload { sha256: store_digest(&package.sha256), file_name: plain(&package.file_name) })
        .collect();
    let task = (Arc::clone(repository), channel.clone());
    let outcome = to_its_end(async move { task.0.publish(&task.1, &uploads, author).await }).await?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    let published = Published {
        commit: commit_of(&outcome, &channel),
        packages: published(&channel, &outcome.packages),
        channel,
        changed: outcome.changed,
    };
    Ok((status, Json(published)).into_response())
}

async fn promote(repository: &Arc<Repository>, peer: SocketAddr, request: PromoteRequest) -> Result<Response, Refusal> {
    let author = author(request.who, peer, request.why)?;
    let (from, to) = (request.from.clone(), request.to.clone());
    let repository = Arc::clone(repository);
    let task = async move { repository.promote(&request.packages, &request.from, &request.to, author).await };
    let outcome = to_its_end(task).await?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    let promoted = Promoted {
        commit: commit_of(&outcome, &to),
        packages: published(&to, &outcome.packages),
        from,
        to,
        changed: outcome.changed,
    };
    Ok((status, Json(promoted)).into_response())
}

async fn withdraw(
    repository: &Arc<Repository>,
    channel: ChannelName,
    peer: SocketAddr,
    request: WithdrawRequest,
) -> Result<Response, Refusal> {
    let author = author(request.who, peer, request.why)?;
    let task = (Arc::clone(repository), channel.clone());
    let outcome = to_its_end(async move { task.0.withdraw(&task.1, &request.packages, author).await }).await?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    let withdrawn = Withdrawn {
        commit: commit_of(&outcome, &channel),
        packages: outcome.packages.into_iter().map(|package| package.nevra).collect(),
        channel,
        changed: outcome.changed,
    };
    Ok((status, Json(withdrawn)).into_response())
}

/// Runs a change to its end, also where the client goes away: a commit that was made has to be seen by all.
async fn to_its_end(
    change: impl Future<Output = Result<Outcome, RepositoryError>> + Send + 'static,
) -> Result<Outcome, RepositoryError> {
    tokio::spawn(change).await.unwrap_or(Err(RepositoryError::Stopping))
}

fn commit_of(outcome: &Outcome, channel: &ChannelName) -> u64 {
    let view = outcome.state.channel(channel).and_then(|channel| channel.view());
    view.map_or(0, |(commit, _)| commit)
}

fn published(channel: &ChannelName, packages: &[PackageRecord]) -> Vec<PublishedPackage> {
    let one = |package: &PackageRecord| PublishedPackage {
        nevra: package.nevra.clone(),
        sha256: wire_digest(&package.sha256),
        url: url(channel, &package.nevra),
    };
    packages.iter().map(one).collect()
}

fn url(channel: &ChannelName, nevra: &Nevra) -> String {
    let file_name = nevra.file_name();
    format!("/{channel}/Packages/{}", utf8_percent_encode(&file_name, PATH))
}

/// Reads a JSON body. The content type is asked for because no web page of another site can send it unasked.
async fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Refusal> {
    let bad = |detail: String| Problem::new(ProblemKind::BadRequest, detail);
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(bad(format!("the body is `{content_type}`: allowed is `application/json`")).into());
    }
    let bytes = tokio::time::timeout(STALL, axum::body::to_bytes(body, LARGEST_JSON))
        .await
        .map_err(|_| bad(format!("the body did not come within {} s", STALL.as_secs())))?
        .map_err(|_| bad(format!("the body stopped, or has more than {LARGEST_JSON} bytes")))?;
    serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()).into())
}

fn author(who: Option<String>, peer: SocketAddr, why: Option<String>) -> Result<Author, Refusal> {
    for text in [&who, &why].into_iter().flatten() {
        if text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
            let detail = format!("`who` and `why` are at most {LONGEST_TEXT} characters, and none of them controls");
            return Err(Problem::new(ProblemKind::BadRequest, detail).into());
        }
    }
    let who = who.filter(|who| !who.trim().is_empty()).unwrap_or_else(|| "unknown".to_owned());
    Ok(Author { who, from: peer.ip().to_canonical().to_string(), why: why.filter(|why| !why.trim().is_empty()) })
}

/// A file name fit for a message.
fn plain(file_name: &str) -> String {
    file_name.chars().filter(|character| !character.is_control()).take(255).collect()
}

/// Both are the same 64 digits, of which each type makes sure.
fn wire_digest(digest: &Digest) -> FileDigest {
    digest.to_string().parse().expect("a sha256 prints as 64 digits")
}

fn store_digest(digest: &FileDigest) -> Digest {
    digest.to_string().parse().expect("a sha256 prints as 64 digits")
}
