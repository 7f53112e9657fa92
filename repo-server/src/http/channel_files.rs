//! The handler of channels' files: where none of the other routes is meant, the URL is that of a file.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::response::IntoResponse;
use http::{Method, Response};
use repo_api::{Permission, ProblemKind};

use super::body::ReplyBody;
use super::call::Call;
use super::hot::{HotReply, LastGiven};
use super::metrics::Label;
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::{ChannelFile, NoRoute, Route};
use super::yum;

/// Answers with a file of a channel.
pub(super) async fn answer(call: Call) -> impl IntoResponse {
    let route = match Route::parse(call.uri.path()) {
        Ok(route) => route,
        Err(NoRoute::Malformed | NoRoute::Unknown) => return (Extension(Label::Unknown), Err(yum::missing())),
    };
    (Extension(route.label()), read(&call, &route).await)
}

async fn read(call: &Call, route: &Route) -> Result<Response<ReplyBody>, Refusal> {
    let app = &call.app;
    if call.method != Method::GET && call.method != Method::HEAD {
        return Err(Refusal::Method("GET, HEAD".to_owned()));
    }
    call.permit(Permission::Read, Some(route.channel())).await?;
    let commit = app.repository.state().position().number;
    let reply = match find(call, route).await {
        // Another server of the same store may have told the client of it just now.
        Err(Refusal::Problem(problem)) if problem.kind == ProblemKind::NotFound => {
            if app.refreshes.pass("repository", Instant::now()).is_err() {
                return Err(problem.into());
            }
            app.repository.refresh().await?;
            find(call, route).await?
        }
        reply => reply?,
    };
    let reply = Arc::new(reply);
    if let Route::File { channel, at, file } = route {
        let is_newest_repomd = at.is_none() && *file == ChannelFile::Repomd;
        if is_newest_repomd && call.method == Method::GET {
            app.pairs.note(call.origin.address, channel, reply.digest(), Instant::now());
        }
        // Which signature is given depends on who asks.
        if *file != ChannelFile::RepomdKey && (at.is_some() || *file != ChannelFile::RepomdSignature) {
            let (channel, reply) = (channel.clone(), Arc::clone(&reply));
            let hot = HotReply { channel, label: route.label(), is_newest_repomd, reply, last: LastGiven::default() };
            app.hot.keep(commit, call.uri.path(), hot);
        }
    }
    call.answer(&reply).await
}

async fn find(call: &Call, route: &Route) -> Result<Reply, Refusal> {
    let repository = &call.app.repository;
    let base = || call.origin.base_url(&call.app, &call.headers);
    match route {
        Route::RepoFile(channel) => yum::repo_file(repository, channel, &base()?),
        Route::Metalink(channel) => yum::metalink(repository, channel, &base()?).await,
        Route::ChannelKeys(channel) => yum::channel_keys(repository, channel),
        Route::TaggedFile { channel, tag, file } => yum::tagged_file(repository, channel, tag, file).await,
        Route::MirrorList(channel) => yum::mirror_list(repository, channel, &base()?),
        Route::File { channel, at: None, file: ChannelFile::RepomdSignature } => {
            let held = call.app.pairs.last(call.origin.address, channel, Instant::now());
            yum::signature_of(repository, channel, held).await
        }
        Route::File { channel, at, file } => yum::file(repository, channel, *at, file).await,
    }
}
