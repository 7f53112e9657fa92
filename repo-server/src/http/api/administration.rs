//! What administers channels: settings, tags, holds, retention, differences, history.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};
use repo_api::{
    AttachmentKind, Changed, ChannelInfo, ChannelName, ChannelRequest, Difference, HeldPackage, HoldInfo, HoldList,
    HoldRequest, LogQuery, Permission, RetainRequest, Retained, Snapshot, TagInfo, TagList, TagName, TagRequest,
};

use super::super::body::ReplyBody;
use super::super::call::{Call, Named};
use super::super::guard::Reads;
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::audit::{author, removal};
use super::json_body;
use super::packages::to_its_end;
use super::query::Query;
use crate::engine::Outcome;
use crate::error::RepositoryError;
use crate::policy::{Verdict, differences};
use crate::resolve;
use crate::state::{Attachments, RepositoryState};

type Answer = Result<Response<ReplyBody>, Refusal>;

/// Shows a channel with its settings.
pub(super) async fn show(Named(name): Named<ChannelName>, call: Call) -> Answer {
    call.permit(Permission::Read, Some(&name)).await?;
    let state = call.app.repository.state();
    let channel = resolve::channel(&state, &name)?;
    let (commit, view) = channel.view().ok_or_else(super::super::yum::missing)?;
    let info = ChannelInfo {
        url: format!("/{name}/"),
        name,
        settings: channel.settings().clone(),
        packages: channel.listed().len(),
        beside: beside(channel.attachments()),
        commit,
        changed_at: view.at,
    };
    json(StatusCode::OK, &info)
}

fn beside(shown: &Attachments) -> Vec<AttachmentKind> {
    let advisories = (!shown.advisories().is_empty()).then_some(AttachmentKind::Updateinfo);
    advisories.into_iter().chain(super::attachments::documents(shown)).collect()
}

/// Creates a channel, or gives it other settings.
pub(super) async fn set(Named(name): Named<ChannelName>, call: Call, body: Body) -> Answer {
    let caller = call.permit_change(Permission::Admin, None).await?;
    let Call { app, origin, .. } = &call;
    let request: ChannelRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who, request.why)?;
    let repository = Arc::clone(&app.repository);
    let task = async move { repository.set_channel(&name, request.settings, request.before, author).await };
    changed(&to_its_end(task).await?)
}

/// Removes a channel that lists nothing.
pub(super) async fn remove(Named(name): Named<ChannelName>, call: Call) -> Answer {
    let author = removal(&call).await?;
    let repository = Arc::clone(&call.app.repository);
    changed(&to_its_end(async move { repository.remove_channel(&name, author).await }).await?)
}

/// Applies a channel's retention.
pub(super) async fn retain(Named(name): Named<ChannelName>, call: Call, body: Body) -> Answer {
    let caller = call.permit_change(Permission::Withdraw, Some(&name)).await?;
    let Call { app, origin, .. } = &call;
    let request: RetainRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who, request.why)?;
    if request.dry_run {
        let verdict = app.repository.judge(&name)?;
        return json(StatusCode::OK, &retained(&app.repository.state(), name, verdict, false));
    }
    let task = (Arc::clone(&app.repository), name.clone());
    let task = tokio::spawn(async move { task.0.retain(&task.1, author).await });
    let (outcome, verdict) = task.await.unwrap_or(Err(RepositoryError::Stopping))?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    json(status, &retained(&outcome.state, name, verdict, outcome.changed))
}

fn retained(state: &RepositoryState, channel: ChannelName, verdict: Verdict, changed: bool) -> Retained {
    let held = verdict.held.into_iter().map(|(nevra, by)| HeldPackage { nevra, by }).collect();
    let commit = state.channel(&channel).and_then(|channel| channel.view()).map_or(0, |(commit, _)| commit);
    Retained { channel, commit, changed, withdrawn: verdict.go, held }
}

/// Says what differs between two channels, or a channel at two times.
pub(super) async fn compare(call: Call) -> Answer {
    let query = Query::read(call.uri.query(), &["from", "to"])?;
    let (from, to): (Snapshot, Snapshot) = (query.needed("from")?, query.needed("to")?);
    for snapshot in [&from, &to] {
        call.permit(Permission::Read, Some(&snapshot.channel)).await?;
    }
    let state = call.app.repository.state();
    let packages = differences(listed(&state, &from)?.into_iter(), listed(&state, &to)?.into_iter());
    json(StatusCode::OK, &Difference { from, to, packages })
}

fn listed(state: &RepositoryState, snapshot: &Snapshot) -> Result<Vec<nevra::Nevra>, Refusal> {
    let commit = resolve::moment(state, snapshot.at.as_ref())?;
    let channel = resolve::channel(state, &snapshot.channel)?;
    Ok(channel.listed_at(commit).map(|(package, _)| package.nevra.clone()).collect())
}

/// Lists the tags.
pub(super) async fn tags(call: Call) -> Answer {
    call.permit(Permission::Read, None).await?;
    let state = call.app.repository.state();
    let tags = state.tags().iter().map(|(name, tag)| TagInfo {
        name: name.clone(),
        at: tag.at,
        set_at: tag.set_at,
        set_by: tag.set_by.to_string(),
        why: tag.why.as_deref().map(str::to_owned),
    });
    json(StatusCode::OK, &TagList { tags: tags.collect() })
}

/// Sets a tag.
pub(super) async fn set_tag(Named(tag): Named<TagName>, call: Call, body: Body) -> Answer {
    let caller = call.permit_change(Permission::Admin, None).await?;
    let Call { app, origin, .. } = &call;
    let request: TagRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who, request.why)?;
    let repository = Arc::clone(&app.repository);
    let task = tokio::spawn(async move { repository.set_tag(&tag, request.at, author).await });
    let (outcome, commit) = task.await.unwrap_or(Err(RepositoryError::Stopping))?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    json(status, &Changed { commit, changed: outcome.changed })
}

/// Removes a tag.
pub(super) async fn remove_tag(Named(tag): Named<TagName>, call: Call) -> Answer {
    let author = removal(&call).await?;
    let repository = Arc::clone(&call.app.repository);
    changed(&to_its_end(async move { repository.remove_tag(&tag, author).await }).await?)
}

/// Lists what environments hold.
pub(super) async fn holds(call: Call) -> Answer {
    call.permit(Permission::Read, None).await?;
    let state = call.app.repository.state();
    let holds = state.environments().iter().map(|(environment, hold)| HoldInfo {
        environment: environment.clone(),
        packages: hold.packages.iter().cloned().collect(),
        said_at: hold.said_at,
        said_by: hold.said_by.to_string(),
    });
    json(StatusCode::OK, &HoldList { holds: holds.collect() })
}

/// Takes in what an environment's hosts run and would go back to.
pub(super) async fn hold(Named(environment): Named<TagName>, call: Call, body: Body) -> Answer {
    let caller = call.permit_change(Permission::Promote, None).await?;
    let Call { app, origin, .. } = &call;
    let request: HoldRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who, request.why)?;
    let repository = Arc::clone(&app.repository);
    changed(&to_its_end(async move { repository.hold(&environment, &request.packages, author).await }).await?)
}

/// Shows the history of the channels that the client may read.
pub(super) async fn log(call: Call) -> Answer {
    call.permit(Permission::Read, None).await?;
    let query = Query::read(call.uri.query(), &["channel", "since", "before", "limit"])?;
    let query = LogQuery {
        channel: query.value("channel")?,
        since: query.value("since")?,
        before: query.value("before")?,
        limit: query.value("limit")?,
    };
    if let Some(channel) = &query.channel {
        call.permit(Permission::Read, Some(channel)).await?;
    }
    let reads = Reads::of(&call.app, &call.origin, &call.headers).await;
    let may_read = |channel: Option<&ChannelName>| channel.map_or(reads.everything(), |channel| reads.channel(channel));
    json(StatusCode::OK, &call.app.repository.log(&query, may_read).await?)
}

fn changed(outcome: &Outcome) -> Answer {
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    json(status, &Changed { commit: outcome.state.position().number, changed: outcome.changed })
}
