//! Environments, their deployments, and what happens there as it happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, HeaderValue};
use nevra::Nevra;
use repo_api::{EnvironmentInfo, Permission, TagName};

use super::super::call::{Both, Call, Named};
use super::super::guard::identify;
use super::super::refusal::Refusal;
use super::answer::{Answer, feed as answer_feed, followed_page, page};
use super::reader::{Reader, query_value};
use crate::environments::{Environment, EnvironmentError};
use crate::error::RepositoryError;
use crate::pages::{DeploymentPage, EnvironmentFeed, EnvironmentPage, EnvironmentsPage, NotesArticle};

/// Of how many versions the notes are shown.
const MOST_NOTES: usize = 5;

/// What a page that follows events may do besides.
const LIVE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
                           form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The environments.
pub(super) async fn list(call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        call.permit(Permission::Read, None).await?;
        let watched = watched(&call).await?;
        let mut shell = reader.shell(&call);
        shell.can_sign_in |= watched.is_none() && !call.headers.contains_key(AUTHORIZATION);
        let settings = |name| call.app.environments.settings(name);
        let watched = watched.unwrap_or_default();
        let summaries: Vec<_> = watched.iter().map(|(name, one)| one.summary(settings(name))).collect();
        Ok(EnvironmentsPage::new(&summaries, &reader.visible).render(&shell)?)
    };
    page(&call, &reader, rendered.await).await
}

/// The environments that the reader may watch; `None` for a reader whom nobody knows.
pub(super) async fn watched(call: &Call) -> Result<Option<Vec<(TagName, Arc<Environment>)>>, Refusal> {
    if identify(&call.app, &call.origin, &call.headers).await.is_err() {
        return Ok(None);
    }
    let mut watched = Vec::new();
    for (name, environment) in call.app.environments.all().await? {
        if call.permit_environment(Permission::Watch, &name).await.is_ok() {
            watched.push((name, environment));
        }
    }
    Ok(Some(watched))
}

/// One environment.
pub(super) async fn environment(Named(name): Named<TagName>, call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    if let Err(refusal) = call.permit_environment(Permission::Watch, &name).await {
        return page(&call, &reader, Err(refusal)).await;
    }
    let made = async {
        let environments = &call.app.environments;
        let environment = match environments.fresh(&name).await {
            // It may have said what it holds, with its ledger elsewhere.
            Err(EnvironmentError::Unknown(_)) if reader.visible.state.environments().contains_key(&name) => {
                environments.at_hand(&name)
            }
            environment => environment?,
        };
        let info = environment.info(environments.settings(&name), None);
        let before = query_value(&call, "before");
        let deployments = environment.deployments(Some(before.as_str()).filter(|before| !before.is_empty()))?;
        let notes = notes(&call, &reader, &info).await?;
        Ok(EnvironmentPage::new(&info, &deployments, notes, &reader.visible).render(&reader.shell(&call))?)
    };
    live(followed_page(&call, &reader, made).await)
}

/// The notes of what runs on hosts of an environment, of the packages that the reader may see and that carry any.
async fn notes(
    call: &Call,
    reader: &Reader,
    info: &EnvironmentInfo,
) -> Result<Vec<(Nevra, NotesArticle)>, RepositoryError> {
    let running: BTreeSet<&Nevra> = info.hosts.iter().flat_map(|host| &host.packages).collect();
    let mut notes = Vec::new();
    for nevra in running.into_iter().rev() {
        let Some(package) = reader.visible.package(nevra) else { continue };
        let Some(head) = call.app.repository.head(package).await? else { continue };
        let carried = call.app.repository.release_notes(package, &head).await?;
        let article = carried.as_ref().as_ref().and_then(NotesArticle::of);
        notes.extend(article.map(|article| (nevra.clone(), article)));
        if notes.len() == MOST_NOTES {
            break;
        }
    }
    Ok(notes)
}

/// What is deployed to an environment, as a feed.
pub(super) async fn feed(Named(name): Named<TagName>, call: Call) -> Answer {
    call.permit_environment(Permission::Watch, &name).await?;
    let reader = Reader::or_nobody(&call).await;
    let deployments = call.app.environments.fresh(&name).await?.deployments(None)?;
    let base = call.origin.base_url(&call.app, &call.headers)?;
    let feed = EnvironmentFeed::new(base, &name, &deployments, &reader.visible);
    answer_feed(&call, Ok(feed.render(&reader.shell(&call))?)).await
}

/// One deployment.
pub(super) async fn deployment(Both(name, id): Both<TagName, String>, call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    if let Err(refusal) = call.permit_environment(Permission::Watch, &name).await {
        return page(&call, &reader, Err(refusal)).await;
    }
    let made = async {
        let environment = call.app.environments.fresh(&name).await?;
        // What is written from here on is an event to whoever follows the page.
        let commit = environment.position();
        let info = environment.deployment(&id).await?;
        Ok(DeploymentPage::new(&name, commit, &info, &reader.visible).render(&reader.shell(&call))?)
    };
    live(followed_page(&call, &reader, made).await)
}

fn live(answer: Answer) -> Answer {
    let mut response = answer?;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(LIVE_POLICY));
    Ok(response)
}
