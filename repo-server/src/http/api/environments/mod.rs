//! Environments: their ledgers, which controllers write, the rules for that, and what runs where.

mod commits;
mod events;
mod kept;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use http::{Response, StatusCode};
use repo_api::{Changed, EnvironmentList, EnvironmentRequest, Permission, SightingRequest, TagName};

use super::super::app::App;
use super::super::body::ReplyBody;
use super::super::call::{Both, Call, Named};
use super::super::guard::Caller;
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::audit::author;
use super::json_body;
use super::query::Query;
use crate::environments::Controller;

type Answer = Result<Response<ReplyBody>, Refusal>;

/// The routes after `/api/v1`.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/environments", get(list))
        .route("/environments/{environment}", get(show).put(set))
        .route("/environments/{environment}/deployments", get(deployments))
        .route("/environments/{environment}/deployments/{deployment}", get(deployment))
        .route("/environments/{environment}/events", get(events::follow))
        .route("/environments/{environment}/sightings", post(tell))
        .route("/environments/{environment}/commits", get(commits::list))
        .route("/environments/{environment}/commits/{number}", get(commits::show).put(commits::make))
}

pub(in crate::http) use kept::keep;

/// Lists the environments that the caller may watch.
async fn list(call: Call) -> Answer {
    let all = call.app.environments.all();
    // Who may watch nothing at all is told so, and not how many there are.
    super::super::guard::identify(&call.app, &call.origin, &call.headers).await?;
    let mut environments = Vec::new();
    for (name, environment) in all.await? {
        if call.permit_environment(Permission::Watch, &name).await.is_ok() {
            environments.push(environment.summary(call.app.environments.settings(&name)));
        }
    }
    json(StatusCode::OK, &EnvironmentList { environments })
}

/// Shows an environment, with what its hosts run, or ran at a time.
async fn show(Named(name): Named<TagName>, call: Call) -> Answer {
    call.permit_environment(Permission::Watch, &name).await?;
    let query = Query::read(call.uri.query(), &["at"])?;
    let at: Option<DateTime<Utc>> = query.value("at")?;
    let environment = call.app.environments.fresh(&name).await?;
    json(StatusCode::OK, &environment.info(call.app.environments.settings(&name), at))
}

/// Says what the server asks of deployments to an environment.
async fn set(Named(name): Named<TagName>, call: Call, body: Body) -> Answer {
    let caller = call.permit_change(Permission::Admin, None).await?;
    let request: EnvironmentRequest = json_body::read(&call, body).await?;
    let author = author(&caller, &call.origin, request.who, request.why)?;
    let set = call.app.environments.set(&name, request.settings, request.before.as_ref(), author);
    changed(set.await?)
}

/// Takes in how hosts were seen.
async fn tell(Named(name): Named<TagName>, call: Call, body: Body) -> Answer {
    let controller = call.permit_environment(Permission::Deploy, &name).await?;
    let request: SightingRequest = json_body::read(&call, body).await?;
    let author = author(&caller(controller), &call.origin, request.who, None)?;
    let environment = call.app.environments.fresh(&name).await?;
    changed(environment.tell(request.hosts, author).await?)
}

/// Gives a part of an environment's history.
async fn deployments(Named(name): Named<TagName>, call: Call) -> Answer {
    call.permit_environment(Permission::Watch, &name).await?;
    let query = Query::read(call.uri.query(), &["before"])?;
    let environment = call.app.environments.fresh(&name).await?;
    json(StatusCode::OK, &environment.deployments(query.text("before").as_deref())?)
}

/// Tells the whole story of a deployment.
async fn deployment(Both(name, id): Both<TagName, String>, call: Call) -> Answer {
    call.permit_environment(Permission::Watch, &name).await?;
    let environment = call.app.environments.fresh(&name).await?;
    json(StatusCode::OK, &environment.deployment(&id).await?)
}

fn caller(controller: Controller) -> Caller {
    controller.token.map_or(Caller::Master, Caller::Token)
}

fn changed((changed, commit): (bool, u64)) -> Answer {
    let status = if changed { StatusCode::CREATED } else { StatusCode::OK };
    json(status, &Changed { commit, changed })
}
