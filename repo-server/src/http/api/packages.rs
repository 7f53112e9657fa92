//! Packages of channels: listed, published, promoted, withdrawn.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Digest;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use repo_api::{
    ChannelName, FileDigest, ListedPackage, Moment, PackageList, Permission, PromoteRequest, Promoted, PublishRequest,
    Published, PublishedPackage, WithdrawRequest, Withdrawn,
};

use super::super::body::ReplyBody;
use super::super::call::{Call, Named};
use super::super::guard::permit;
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::audit::author;
use super::json_body;
use super::query::Query;
use crate::admission::Upload;
use crate::engine::Outcome;
use crate::error::RepositoryError;
use crate::resolve;
use crate::state::PackageRecord;

/// What may not stand in the path of a URL as it is (RFC 3986), as far as file names can hold it.
const PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'^').add(b'+').add(b' ');

/// Lists what a channel lists.
pub(super) async fn list(Named(name): Named<ChannelName>, call: Call) -> Result<Response<ReplyBody>, Refusal> {
    call.permit(Permission::Read, Some(&name)).await?;
    let at: Option<Moment> = Query::read(call.uri.query(), &["at"])?.value("at")?;
    let state = call.app.repository.state();
    let channel = resolve::channel(&state, &name)?;
    let commit = resolve::moment(&state, at.as_ref())?;
    let since = channel.view_at(commit).map_or(0, |view| view.commit);
    let listed = channel.listed_at(commit).map(|(package, span)| ListedPackage {
        nevra: package.nevra.clone(),
        sha256: wire_digest(&package.sha256),
        size: package.size,
        url: url(&name, package),
        commit: span.from,
        listed_at: channel.view_at(span.from).map(|view| view.at).unwrap_or_default(),
        listed_by: span.who.to_string(),
    });
    let packages = listed.collect();
    let list = PackageList { channel: name, commit: since, packages };
    json(StatusCode::OK, &list)
}

/// Lists uploaded packages in a channel.
pub(super) async fn publish(
    Named(channel): Named<ChannelName>,
    call: Call,
    body: Body,
) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.permit_change(Permission::Publish, Some(&channel)).await?;
    let Call { app, origin, .. } = &call;
    let request: PublishRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who, request.why)?;
    let uploads: Vec<Upload> = request
        .packages
        .into_iter()
        .map(|package| Upload {
            sha256: store_digest(&package.sha256),
            file_name: plain(&package.file_name),
            time: package.time,
        })
        .collect();
    let task = (Arc::clone(&app.repository), channel.clone());
    let outcome = to_its_end(async move { task.0.publish(&task.1, &uploads, author).await }).await?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    let published = Published {
        commit: commit_of(&outcome, &channel),
        packages: published(&channel, &outcome.packages),
        channel,
        changed: outcome.changed,
    };
    json(status, &published)
}

/// Lists packages of one channel in others too. Which channels those are stands in the body: who may promote into none at
/// all is refused before it is read.
pub(super) async fn promote(call: Call, body: Body) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.permit_change(Permission::Promote, None).await?;
    let Call { app, origin, .. } = &call;
    let request: PromoteRequest = json_body::read(&call, body).await?;
    for channel in &request.to {
        permit(app, origin, &call.headers, Permission::Promote, Some(channel)).await?;
    }
    let author = author(&caller, origin, request.who, request.why)?;
    let (from, to) = (request.from.clone(), request.to.clone());
    let repository = Arc::clone(&app.repository);
    let task = async move { repository.promote(&request.packages, &request.from, &request.to, author).await };
    let outcome = to_its_end(task).await?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    let promoted = Promoted {
        commit: to.iter().map(|channel| commit_of(&outcome, channel)).max().unwrap_or_default(),
        packages: to.first().map(|channel| published(channel, &outcome.packages)).unwrap_or_default(),
        from,
        to,
        changed: outcome.changed,
    };
    json(status, &promoted)
}

/// Lists packages in a channel no longer.
pub(super) async fn withdraw(
    Named(channel): Named<ChannelName>,
    call: Call,
    body: Body,
) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.permit_change(Permission::Withdraw, Some(&channel)).await?;
    let Call { app, origin, .. } = &call;
    let request: WithdrawRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who, request.why)?;
    let task = (Arc::clone(&app.repository), channel.clone());
    let outcome = to_its_end(async move { task.0.withdraw(&task.1, &request.packages, author).await }).await?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    let withdrawn = Withdrawn {
        commit: commit_of(&outcome, &channel),
        packages: outcome.packages.into_iter().map(|package| package.nevra).collect(),
        channel,
        changed: outcome.changed,
    };
    json(status, &withdrawn)
}

/// Runs a change to its end, also where the client goes away: a commit that was made has to be seen by all.
pub(super) async fn to_its_end(
    change: impl Future<Output = Result<Outcome, RepositoryError>> + Send + 'static,
) -> Result<Outcome, RepositoryError> {
    tokio::spawn(change).await.unwrap_or(Err(RepositoryError::Stopping))
}

pub(super) fn commit_of(outcome: &Outcome, channel: &ChannelName) -> u64 {
    let view = outcome.state.channel(channel).and_then(|channel| channel.view());
    view.map_or(0, |(commit, _)| commit)
}

fn published(channel: &ChannelName, packages: &[PackageRecord]) -> Vec<PublishedPackage> {
    let one = |package: &PackageRecord| PublishedPackage {
        nevra: package.nevra.clone(),
        sha256: wire_digest(&package.sha256),
        url: url(channel, package),
    };
    packages.iter().map(one).collect()
}

fn url(channel: &ChannelName, package: &PackageRecord) -> String {
    let file_name = package.file_name();
    format!("/{channel}/Packages/{}", utf8_percent_encode(&file_name, PATH))
}

/// A file name fit for a message.
pub(super) fn plain(file_name: &str) -> String {
    file_name.chars().filter(|character| !character.is_control()).take(255).collect()
}

/// Both are the same 64 digits, of which each type makes sure.
fn wire_digest(digest: &Digest) -> FileDigest {
    digest.to_string().parse().expect("a sha256 prints as 64 digits")
}

pub(super) fn store_digest(digest: &FileDigest) -> Digest {
    digest.to_string().parse().expect("a sha256 prints as 64 digits")
}
