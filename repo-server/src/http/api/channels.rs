//! The channels.

use http::{Response, StatusCode};
use repo_api::{ChannelList, ChannelName, ChannelSummary, Permission};

use super::super::body::ReplyBody;
use super::super::call::Call;
use super::super::refusal::Refusal;
use super::super::reply::json;
use crate::state::Channel;

/// Lists the channels that the client may read.
pub(super) async fn list(call: Call) -> Result<Response<ReplyBody>, Refusal> {
    let state = call.app.repository.state();
    let mut channels = Vec::new();
    for (name, channel) in state.channels() {
        if call.permit(Permission::Read, Some(name)).await.is_ok() {
            channels.extend(summary(name, channel));
        }
    }
    if channels.is_empty() {
        // Nothing at all is shown to those who have no right.
        call.permit(Permission::Read, None).await?;
    }
    json(StatusCode::OK, &ChannelList { commit: state.position().number, channels })
}

fn summary(name: &ChannelName, channel: &Channel) -> Option<ChannelSummary> {
    let (commit, view) = channel.view()?;
    Some(ChannelSummary {
        name: name.clone(),
        packages: channel.listed().len(),
        commit,
        changed_at: view.at,
        url: format!("/{name}/"),
    })
}
