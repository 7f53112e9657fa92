//! Advisories, groups and module streams of channels.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};
use repo_api::{AttachRequest, Attached, AttachmentKind, ChannelName, Permission};

use super::super::body::ReplyBody;
use super::super::call::{Call, Named};
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::audit::author;
use super::json_body;
use super::packages::{commit_of, plain, store_digest, to_its_end};
use crate::admission::Upload;
use crate::engine::AttachmentRequest;
use crate::repodata::MetadataKind;
use crate::state::Attachments;

/// Changes what a channel shows beside its packages.
pub(super) async fn attach(
    Named(channel): Named<ChannelName>,
    call: Call,
    body: Body,
) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.permit_change(Permission::Publish, Some(&channel)).await?;
    let Call { app, origin, .. } = &call;
    let request: AttachRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who, request.why)?;
    let files = request.files.into_iter().map(|file| {
        (file.kind, Upload { sha256: store_digest(&file.sha256), file_name: plain(&file.file_name), time: None })
    });
    let wanted = AttachmentRequest {
        files: files.collect(),
        withdrawn_advisories: request.withdrawn_advisories,
        removed: request.removed,
    };
    let task = (Arc::clone(&app.repository), channel.clone());
    let outcome = to_its_end(async move { task.0.attach(&task.1, wanted, author).await }).await?;
    let status = if outcome.changed { StatusCode::CREATED } else { StatusCode::OK };
    let shown = outcome.state.channel(&channel).map(|channel| channel.attachments().clone()).unwrap_or_default();
    let attached = Attached {
        commit: commit_of(&outcome, &channel),
        channel,
        changed: outcome.changed,
        advisories: shown.advisories().keys().cloned().collect(),
        documents: documents(&shown),
    };
    json(status, &attached)
}

/// The whole documents that a channel shows beside its packages.
pub(super) fn documents(shown: &Attachments) -> Vec<AttachmentKind> {
    let kinds = [(MetadataKind::Group, AttachmentKind::Group), (MetadataKind::Modules, AttachmentKind::Modules)];
    kinds.into_iter().filter(|(kind, _)| shown.documents().contains_key(kind)).map(|(_, kind)| kind).collect()
}
