//! The channels, what was done, the environments.

use http::header::{AUTHORIZATION, CACHE_CONTROL, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use repo_api::{ChannelName, Permission, Problem, ProblemKind};

use super::super::body::ReplyBody;
use super::super::call::{Call, Named};
use super::super::refusal::Refusal;
use super::answer::{Answer, feed as answer_feed, page};
use super::reader::{Reader, page_number, query_value};
use crate::pages::{ChannelPage, Feed, HomePage, TimelinePage};
use crate::resolve;

/// How many changes the pages show.
const LATELY: usize = 10;
const OF_A_TIMELINE: usize = 50;
const OF_A_FEED: usize = 40;

/// The channels, and what was done last.
pub(super) async fn home(call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let newest = reader.visible.state.position().number;
        let (mut events, _) = reader.events(&call, (1..=newest).rev(), LATELY).await?;
        events.truncate(LATELY);
        Ok(HomePage::new(&reader.visible, events).render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// Asks for a token, and goes home with it.
pub(super) async fn sign_in(call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let refusal = match call.headers.contains_key(AUTHORIZATION) {
        false => Some(Problem::new(ProblemKind::Unauthorized, "give any name, and a token as the password").into()),
        true => hidden(&call).await,
    };
    if let Some(refusal) = refusal {
        return page(&call, &reader, Err(refusal)).await;
    }
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Why a token shows nothing of what is hidden; `None` where it shows some of it.
async fn hidden(call: &Call) -> Option<Refusal> {
    let mut refusal = None;
    for name in call.app.repository.state().channels().keys() {
        if !call.app.access.is_open(Some(name)) {
            match call.permit(Permission::Read, Some(name)).await {
                Ok(_) => return None,
                Err(error) => refusal = Some(error),
            }
        }
    }
    refusal
}

/// One channel.
pub(super) async fn channel(Named(name): Named<ChannelName>, call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        call.permit(Permission::Read, Some(&name)).await?;
        let channel = resolve::channel(&reader.visible.state, &name)?;
        let commits = channel.views().keys().rev().copied();
        let (mut events, _) = reader.events(&call, commits, LATELY).await?;
        events.truncate(LATELY);
        let filter = query_value(&call, "q");
        let page = ChannelPage::new(&name, channel, (&filter, page_number(&call)), events);
        Ok(page.render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// What is done in a channel, as a feed.
pub(super) async fn feed(Named(name): Named<ChannelName>, call: Call) -> Answer {
    call.permit(Permission::Read, Some(&name)).await?;
    let reader = Reader::or_nobody(&call).await;
    let channel = resolve::channel(&reader.visible.state, &name)?;
    let (mut events, _) = reader.events(&call, channel.views().keys().rev().copied(), OF_A_FEED).await?;
    events.truncate(OF_A_FEED);
    let feed = Feed {
        base: call.origin.base_url(&call.app, &call.headers)?,
        channel: name.to_string(),
        updated: channel.view().map(|(_, view)| view.at.into()),
        events,
    };
    answer_feed(&call, Ok(feed.render(&reader.shell(&call))?)).await
}

/// What was done, in all channels.
pub(super) async fn timeline(call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let newest = reader.visible.state.position().number;
        let first = query_value(&call, "before").parse::<u64>().map_or(newest, |before| before.saturating_sub(1));
        let commits = (1..=first.min(newest)).rev();
        let (events, last) = reader.events(&call, commits, OF_A_TIMELINE).await?;
        let before = last.filter(|last| *last > 1);
        Ok(TimelinePage { events, before }.render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}
