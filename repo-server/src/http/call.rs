//! What handlers take out of a request.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use http::{HeaderMap, Method, Response, Uri};
use repo_api::{ChannelName, Permission, Problem, ProblemKind, TagName};

use super::app::App;
use super::body::ReplyBody;
use super::guard::{Caller, permit, permit_change, permit_environment};
use super::origin::Origin;
use super::refusal::Refusal;
use super::reply::Reply;
use super::yum::missing;
use crate::environments::Controller;

/// A request, but for its body, on its way to its answer.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) origin: Origin,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// The name that stands in a path; one that can be no such name is nowhere.
pub(super) struct Named<T>(pub(super) T);

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let origin = parts.extensions.get::<Origin>().cloned();
        let origin = origin.ok_or_else(|| Problem::new(ProblemKind::Internal, "the request came from nowhere"))?;
        let (method, uri, headers) = (parts.method.clone(), parts.uri.clone(), parts.headers.clone());
        Ok(Self { app: Arc::clone(app), origin, method, uri, headers })
    }
}

impl<T: FromStr> FromRequestParts<Arc<App>> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let parameters = RawPathParams::from_request_parts(parts, app).await.map_err(|_| missing())?;
        let named = parameters.iter().next().and_then(|(_, text)| text.parse().ok());
        named.map(Self).ok_or_else(missing)
    }
}

/// The two names that stand in a path.
pub(super) struct Both<A, B>(pub(super) A, pub(super) B);

impl<A: FromStr, B: FromStr> FromRequestParts<Arc<App>> for Both<A, B> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let parameters = RawPathParams::from_request_parts(parts, app).await.map_err(|_| missing())?;
        let mut texts = parameters.iter().map(|(_, text)| text);
        let (first, second) =
            (texts.next().and_then(|text| text.parse().ok()), texts.next().and_then(|text| text.parse().ok()));
        first.zip(second).map(|(first, second)| Self(first, second)).ok_or_else(missing)
    }
}

impl Call {
    /// Lets the request through if it may do something in an environment; see [`permit_environment`].
    pub(super) async fn permit_environment(
        &self,
        permission: Permission,
        environment: &TagName,
    ) -> Result<Controller, Refusal> {
        permit_environment(&self.app, &self.origin, &self.headers, permission, environment).await
    }

    /// Lets the request through if it may do something in a channel; see [`permit`].
    pub(super) async fn permit(
        &self,
        permission: Permission,
        channel: Option<&ChannelName>,
    ) -> Result<Caller, Refusal> {
        Ok(permit(&self.app, &self.origin, &self.headers, permission, channel).await?)
    }

    /// The same for what changes something; see [`permit_change`].
    pub(super) async fn permit_change(
        &self,
        permission: Permission,
        channel: Option<&ChannelName>,
    ) -> Result<Caller, Refusal> {
        permit_change(&self.app, &self.origin, &self.headers, permission, channel).await
    }

    /// Answers with a file, or the part of it that was asked for.
    pub(super) async fn answer(&self, reply: &Reply) -> Result<Response<ReplyBody>, Refusal> {
        reply.answer(&self.app.repository, &self.method, &self.headers).await
    }
}
