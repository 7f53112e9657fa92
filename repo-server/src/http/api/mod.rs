//! The API: who may do what, in one file for each thing that there is.
//!
//! What a route takes, gives and asks of a token stands in [`openapi`] too; a test holds the two against each other.

mod administration;
mod attachments;
mod audit;
mod blobs;
mod channels;
mod json_body;
mod openapi;
mod operations;
mod packages;
mod query;
mod tokens;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use repo_api::{ChannelName, Permission};

use super::app::App;
use super::body::ReplyBody;
use super::guard::{Caller, permit, permit_change};
use super::origin::Origin;
use super::refusal::Refusal;
use super::route::ApiRoute;

/// A request of the API, on its way to its answer.
struct Call<'a> {
    app: &'a App,
    origin: &'a Origin,
    request: Request<Incoming>,
}

/// Answers a request of the API.
pub(super) async fn answer(
    app: &App,
    origin: &Origin,
    route: &ApiRoute,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Refusal> {
    let method = request.method().clone();
    let methods = methods(route);
    let offered = methods.split(", ").any(|offered| offered == method.as_str());
    if !offered {
        return Err(Refusal::Method(methods));
    }
    let call = Call { app, origin, request };
    let reads = method == Method::GET || method == Method::HEAD;
    match route {
        ApiRoute::Channels => channels::list(call).await,
        ApiRoute::Packages(channel) if reads => packages::list(call, channel).await,
        ApiRoute::Packages(channel) => packages::publish(call, channel.clone()).await,
        ApiRoute::Withdrawals(channel) => packages::withdraw(call, channel.clone()).await,
        ApiRoute::Attachments(channel) => attachments::attach(call, channel.clone()).await,
        ApiRoute::Promotions => packages::promote(call).await,
        ApiRoute::Blob(digest) if reads => blobs::look(call, digest).await,
        ApiRoute::Blob(digest) => blobs::receive(call, digest).await,
        ApiRoute::Tokens if reads => tokens::list(call).await,
        ApiRoute::Tokens => tokens::create(call).await,
        ApiRoute::Token(name) => tokens::revoke(call, name).await,
        ApiRoute::Channel(channel) if reads => administration::show(call, channel).await,
        ApiRoute::Channel(channel) if method == Method::PUT => administration::set(call, channel.clone()).await,
        ApiRoute::Channel(channel) => administration::remove(call, channel.clone()).await,
        ApiRoute::Retention(channel) => administration::retain(call, channel.clone()).await,
        ApiRoute::Differences => administration::compare(call).await,
        ApiRoute::Tags => administration::tags(call).await,
        ApiRoute::Tag(tag) if method == Method::PUT => administration::set_tag(call, tag.clone()).await,
        ApiRoute::Tag(tag) => administration::remove_tag(call, tag.clone()).await,
        ApiRoute::Environments => administration::holds(call).await,
        ApiRoute::Holds(environment) => administration::hold(call, environment.clone()).await,
        ApiRoute::Log => administration::log(call).await,
        ApiRoute::OpenApi => openapi::answer(),
    }
}

/// The methods that a route takes.
fn methods(route: &ApiRoute) -> &'static str {
    match route {
        ApiRoute::Channels
        | ApiRoute::OpenApi
        | ApiRoute::Differences
        | ApiRoute::Tags
        | ApiRoute::Environments
        | ApiRoute::Log => "GET, HEAD",
        ApiRoute::Channel(_) => "GET, HEAD, PUT, DELETE",
        ApiRoute::Tag(_) => "PUT, DELETE",
        ApiRoute::Holds(_) => "PUT",
        ApiRoute::Retention(_) => "POST",
        ApiRoute::Packages(_) | ApiRoute::Tokens => "GET, HEAD, POST",
        ApiRoute::Withdrawals(_) | ApiRoute::Attachments(_) | ApiRoute::Promotions => "POST",
        ApiRoute::Blob(_) => "GET, HEAD, PUT",
        ApiRoute::Token(_) => "DELETE",
    }
}

impl Call<'_> {
    /// Lets the request through if it may do something in a channel; see [`permit`].
    async fn permit(&self, permission: Permission, channel: Option<&ChannelName>) -> Result<Caller, Refusal> {
        Ok(permit(self.app, self.origin, self.request.headers(), permission, channel).await?)
    }

    /// The same for what changes something; see [`permit_change`].
    async fn permit_change(&self, permission: Permission, channel: Option<&ChannelName>) -> Result<Caller, Refusal> {
        permit_change(self.app, self.origin, self.request.headers(), permission, channel).await
    }
}
