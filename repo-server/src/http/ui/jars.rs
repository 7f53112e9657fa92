//! Which packages carry a jar: the page, and what the API answers too.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use repo_api::{JarHost, JarList, Moment, Problem, ProblemKind};

use super::super::call::Call;
use super::super::refusal::Refusal;
use super::answer::{Answer, page};
use super::environments::watched;
use super::reader::{Reader, query_value};
use crate::error::RepositoryError;
use crate::pages::{AsOf, Bounds, JarSearch, JarsPage, Running};
use crate::resolve;
use crate::state::RepositoryState;

/// The page.
pub(super) async fn answer(call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let asked = ["jar", "version", "at"].map(|name| query_value(&call, name));
        let asked = asked.each_ref().map(String::as_str);
        let with_withdrawn = !query_value(&call, "withdrawn").is_empty();
        let answer = match jar_search(&reader.visible.state, asked, with_withdrawn) {
            _ if asked[0].is_empty() => Ok(None),
            Ok(asked) => Ok(Some(search(&call, &reader, asked).await?)),
            Err(Refusal::Problem(problem)) => Err(problem.detail),
            Err(refusal) => return Err(refusal),
        };
        Ok(JarsPage::new(asked, with_withdrawn, answer).render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// Reads what is asked for: a jar, bounds of its version, and a commit, a tag, a day or a time.
pub(in super::super) fn jar_search(
    state: &RepositoryState,
    [jar, versions, at]: [&str; 3],
    with_withdrawn: bool,
) -> Result<JarSearch, Refusal> {
    let versions: Bounds = versions.parse().map_err(|error| bad(format!("{error}")))?;
    let at = if at.is_empty() { None } else { Some(as_of(state, at)?) };
    Ok(JarSearch { jar: jar.to_owned(), versions, at, with_withdrawn })
}

/// Searches.
pub(in super::super) async fn search(call: &Call, reader: &Reader, asked: JarSearch) -> Result<JarList, Refusal> {
    let running = running(call, asked.at.map(|at| at.time)).await?;
    let (app, visible) = (Arc::clone(&call.app), reader.visible.clone());
    let search = move || asked.search(&app.catalog.indexed(), &visible, &running);
    Ok(tokio::task::spawn_blocking(search).await.map_err(|_| RepositoryError::Stopping)?)
}

/// What runs on the hosts that the reader may watch, or ran there at a time.
async fn running(call: &Call, at: Option<DateTime<Utc>>) -> Result<Running, Refusal> {
    let mut running = Running::new();
    for (name, environment) in watched(call).await?.unwrap_or_default() {
        for host in environment.info(call.app.environments.settings(&name), at).hosts {
            // What was seen on the host is truer than what a deployment left there.
            let packages = host.sighting.map_or(host.packages, |sighting| sighting.packages);
            let (deployment, since) = (host.deployment, host.since);
            let found = JarHost { environment: name.clone(), host: host.host, deployment, since };
            for nevra in packages {
                running.entry(nevra).or_default().push(found.clone());
            }
        }
    }
    Ok(running)
}

/// The newest commit that was made at a time: a commit's number, a tag, a day (UTC, to its end) or an RFC 3339 time.
fn as_of(state: &RepositoryState, text: &str) -> Result<AsOf, Refusal> {
    let views = || state.channels().values().flat_map(|channel| channel.views().values());
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(Days::new(1))?.and_hms_opt(0, 0, 0));
    let time = match day {
        Some(end) => Some(end.and_utc()),
        None => text.parse::<DateTime<Utc>>().ok(),
    };
    let Some(time) = time else {
        let wrong = |_| bad(format!("`{text}` is no commit, tag, day (`2026-11-23`) or time (`2026-11-23T12:00:00Z`)"));
        let moment: Moment = text.parse().map_err(wrong)?;
        let commit = resolve::moment(state, Some(&moment))?;
        let time = views().filter(|view| view.commit <= commit).map(|view| view.at).max();
        return Ok(AsOf { commit, time: time.unwrap_or_default() });
    };
    let commit = views().filter(|view| view.at < time).map(|view| view.commit).max().unwrap_or_default();
    Ok(AsOf { commit, time })
}

fn bad(detail: String) -> Refusal {
    Problem::new(ProblemKind::BadRequest, detail).into()
}
