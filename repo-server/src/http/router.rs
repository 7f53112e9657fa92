//! The table of routes: every URL that the server answers stands here, but for the files of channels, whose names
//! [`super::route`] reads.

use std::sync::Arc;

use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router, middleware};

use super::app::App;
use super::metrics::Label;
use super::{api, channel_files, pages, ui};

/// The whole table.
pub(super) fn router(app: Arc<App>) -> Router {
    let operating = Router::new()
        .route("/healthz", get(pages::health))
        .route("/readyz", get(pages::ready))
        .route("/metrics", get(pages::metrics));
    let keys = Router::new().route("/keys/repository.asc", get(pages::key)).route("/keys/{file}", get(pages::one_key));
    counted(Label::Page, ui::routes())
        .merge(counted(Label::Operating, operating))
        .merge(counted(Label::Key, keys))
        .nest("/api/v1", api::routes())
        .fallback(channel_files::answer)
        .with_state(app)
}

/// Says what the requests of some routes are counted under.
pub(super) fn counted(label: Label, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes.layer(middleware::map_response(move |response: Response| async move { (Extension(label), response) }))
}
