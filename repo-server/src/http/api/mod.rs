//! The API: who may do what, in one file for each thing that there is.
//!
//! What a route takes, gives and asks of a token stands in [`openapi`] too; a test holds the two against each other.

mod administration;
mod attachments;
mod audit;
mod blobs;
mod channels;
mod commits;
mod environments;
mod jars;
mod json_body;
mod notes;
mod openapi;
mod operations;
mod packages;
mod query;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};

use super::app::App;
use super::metrics::Label;
use super::router::counted;
pub(super) use environments::keep;

/// The routes after `/api/v1`, in the groups that they are counted in.
pub(super) fn routes() -> Router<Arc<App>> {
    let listing = Router::new()
        .route("/openapi.json", get(openapi::answer))
        .route("/me", get(tokens::me))
        .route("/channels", get(channels::list))
        .route("/differences", get(administration::compare))
        .route("/channels/{channel}/notes", get(notes::between))
        .route("/commits", get(commits::list))
        .route("/commits/{number}", get(commits::show))
        .route("/find-jar", get(jars::find))
        .route("/log", get(administration::log));
    let uploads = Router::new().route("/blobs/{sha256}", get(blobs::look).put(blobs::receive));
    let publishing = Router::new()
        .route("/channels/{channel}/packages", get(packages::list).post(packages::publish))
        .route("/channels/{channel}/attachments", post(attachments::attach));
    let promotions = Router::new().route("/promotions", post(packages::promote));
    let withdrawals = Router::new().route("/channels/{channel}/withdrawals", post(packages::withdraw));
    let channel = get(administration::show).put(administration::set).delete(administration::remove);
    let administering = Router::new()
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{name}", delete(tokens::revoke))
        .route("/channels/{channel}", channel)
        .route("/channels/{channel}/retention", post(administration::retain))
        .route("/tags", get(administration::tags))
        .route("/tags/{tag}", put(administration::set_tag).delete(administration::remove_tag))
        .route("/holds", get(administration::holds))
        .route("/environments/{environment}/holds", put(administration::hold));
    counted(Label::Listing, listing)
        .merge(counted(Label::Upload, uploads))
        .merge(counted(Label::Publish, publishing))
        .merge(counted(Label::Promote, promotions))
        .merge(counted(Label::Withdraw, withdrawals))
        .merge(counted(Label::Administer, administering))
        .merge(counted(Label::Deploy, environments::routes()))
}
