//! Tokens: made, listed and revoked by those who administer.

use axum::body::Body;
use http::{Response, StatusCode};
use repo_api::{Me, Permission, Scope, TokenName, TokenRequest};

use super::super::body::ReplyBody;
use super::super::call::{Call, Named};
use super::super::guard::{Known, identify};
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::audit::{author, removal};
use super::json_body;

/// Says who the caller is taken for.
pub(super) async fn me(call: Call) -> Result<Response<ReplyBody>, Refusal> {
    let me = match identify(&call.app, &call.origin, &call.headers).await? {
        Known::Bearer(record) => {
            let info = &record.info;
            Me { name: Some(info.name.clone()), scopes: info.scopes.clone(), unattended: info.unattended }
        }
        Known::Caller(_) => Me { name: None, scopes: vec![Scope::admin()], unattended: false },
    };
    json(StatusCode::OK, &me)
}

/// Lists the tokens.
pub(super) async fn list(call: Call) -> Result<Response<ReplyBody>, Refusal> {
    call.permit(Permission::Admin, None).await?;
    call.app.access.tokens.refresh().await?;
    json(StatusCode::OK, &call.app.access.tokens.list())
}

/// Makes a token, and shows it this once.
pub(super) async fn create(call: Call, body: Body) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.permit_change(Permission::Admin, None).await?;
    let Call { app, origin, .. } = &call;
    let request: TokenRequest = json_body::read(&call, body).await?;
    let author = author(&caller, origin, request.who.clone(), request.why.clone())?;
    json(StatusCode::CREATED, &app.access.tokens.create(request, author).await?)
}

/// Revokes a token.
pub(super) async fn revoke(Named(name): Named<TokenName>, call: Call) -> Result<Response<ReplyBody>, Refusal> {
    let author = removal(&call).await?;
    json(StatusCode::OK, &call.app.access.tokens.revoke(&name, author).await?)
}
