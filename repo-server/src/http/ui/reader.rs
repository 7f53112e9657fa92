//! Who reads a page, and what they may see.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use http::header::AUTHORIZATION;
use nevra::Nevra;
use percent_encoding::percent_decode_str;
use repo_api::Permission;

use super::super::call::Call;
use super::super::refusal::Refusal;
use crate::error::RepositoryError;
use crate::pages::{Event, Shell, Visible, events, events_of};

/// How many commits are read side by side.
const SIDE_BY_SIDE: usize = 16;
/// How many commits are looked through for what may be seen.
const LOOKED_THROUGH: usize = 500;

/// Who reads a page.
pub(in super::super) struct Reader {
    pub(in super::super) visible: Visible,
}

impl Reader {
    /// Finds out what may be seen, and refuses those who may see nothing.
    pub(in super::super) async fn of(call: &Call) -> Result<Self, Refusal> {
        let reader = Self::or_nobody(call).await;
        reader.must_see(call).await?;
        Ok(reader)
    }

    /// Refuses those who may see nothing of what there is: they may need a token.
    pub(super) async fn must_see(&self, call: &Call) -> Result<(), Refusal> {
        if self.visible.channels().is_empty() {
            call.permit(Permission::Read, None).await?;
        }
        Ok(())
    }

    /// Finds out what may be seen, be it nothing.
    pub(in super::super) async fn or_nobody(call: &Call) -> Self {
        let state = call.app.repository.state();
        let mut readable = BTreeSet::new();
        for name in state.channels().keys() {
            if call.permit(Permission::Read, Some(name)).await.is_ok() {
                readable.insert(name.clone());
            }
        }
        Self { visible: Visible::new(state, |name| readable.contains(name)) }
    }

    /// What stands around the page.
    pub(super) fn shell(&self, call: &Call) -> Shell {
        let is_search = call.uri.path() == "/ui/search";
        Shell {
            query: if is_search { query_value(call, "q") } else { String::new() },
            can_sign_in: self.visible.hides_any() && !call.headers.contains_key(AUTHORIZATION),
            commit: self.visible.state.position().number,
        }
    }

    /// Reads what commits did, in the order of their numbers as given, until there are enough; and the last number that
    /// was looked at.
    pub(super) async fn events(
        &self,
        call: &Call,
        commits: impl Iterator<Item = u64>,
        enough: usize,
    ) -> Result<(Vec<Event>, Option<u64>), RepositoryError> {
        let (mut found, mut last) = (Vec::new(), None);
        let repository = &call.app.repository;
        let stories = stream::iter(commits.take(LOOKED_THROUGH)).map(|commit| repository.story(commit));
        let mut stories = stories.buffered(SIDE_BY_SIDE);
        while let Some(story) = stories.try_next().await? {
            let Some(story) = story else { continue };
            found.extend(events(&story, &self.visible));
            last = Some(story.commit);
            if found.len() >= enough {
                break;
            }
        }
        Ok((found, last))
    }

    /// Reads what was done with a package, the newest first.
    pub(super) async fn history(&self, call: &Call, nevra: &Nevra) -> Result<Vec<Event>, RepositoryError> {
        const NEWEST: usize = 50;
        let mut commits = BTreeSet::new();
        for channel in self.visible.channels().values() {
            let spans = channel.history().get(nevra).map(|presence| presence.spans.clone()).unwrap_or_default();
            commits.extend(spans.iter().flat_map(|span| [Some(span.from), span.until]).flatten());
        }
        let repository = &call.app.repository;
        let stories = stream::iter(commits.into_iter().rev().take(NEWEST)).map(|commit| repository.story(commit));
        let stories: Vec<_> = stories.buffered(SIDE_BY_SIDE).try_collect().await?;
        Ok(stories.iter().flatten().flat_map(|story| events_of(nevra, story, &self.visible)).collect())
    }
}

/// A value of the query, as people write it into forms; names that are not known are let be, as they come with links from
/// elsewhere.
pub(super) fn query_value(call: &Call, name: &str) -> String {
    const LONGEST: usize = 300;
    let pairs = call.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.replace('+', " "));
    let value = value.unwrap_or_default();
    percent_decode_str(&value).decode_utf8_lossy().trim().chars().take(LONGEST).collect()
}

/// The number of a page of a long list.
pub(super) fn page_number(call: &Call) -> usize {
    query_value(call, "page").parse().unwrap_or(1)
}
