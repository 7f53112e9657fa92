//! Handlers of the pages that people read. They only read; who may not read a channel sees nothing of it.

mod answer;
mod environments;
mod jars;
mod overview;
mod packages;
mod reader;
mod search;
mod shared;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::app::App;

pub(super) use jars::{jar_search, search as find_jars};
pub(super) use reader::Reader;
pub(super) use shared::SharedPages;

/// The routes of the pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview::home))
        .route("/sign-in", get(overview::sign_in))
        .route("/ui/style.css", get(answer::style))
        .route("/ui/icon.svg", get(answer::icon))
        .route("/ui/channels/{channel}", get(overview::channel))
        .route("/ui/channels/{channel}/feed", get(overview::feed))
        .route("/ui/timeline", get(overview::timeline))
        .route("/ui/live.js", get(answer::live))
        .route("/ui/environments", get(environments::list))
        .route("/ui/environments/{environment}", get(environments::environment))
        .route("/ui/environments/{environment}/feed", get(environments::feed))
        .route("/ui/environments/{environment}/deployments/{deployment}", get(environments::deployment))
        .route("/ui/packages", get(packages::list))
        .route("/ui/packages/{name}", get(packages::package))
        .route("/ui/packages/{name}/differences", get(packages::differences))
        .route("/ui/packages/{name}/{version}", get(packages::version))
        .route("/ui/packages/{name}/{version}/files", get(packages::files))
        .route("/ui/search", get(search::answer))
        .route("/ui/jars", get(jars::answer))
}
