//! Tokens: made, listed and revoked by those who administer.

use http::{Response, StatusCode};
use repo_api::{Permission, TokenName, TokenRequest};

use super::super::body::ReplyBody;
use super::super::dispatch::json;
use super::super::refusal::Refusal;
use super::audit::author;
use super::{Call, json_body};

/// Lists the tokens.
pub(super) async fn list(call: Call<'_>) -> Result<Response<ReplyBody>, Refusal> {
    call.permit(Permission::Admin, None).await?;
    call.app.access.tokens.refresh().await?;
    json(StatusCode::OK, &call.app.access.tokens.list())
}

/// Makes a token, and shows it this once.
pub(super) async fn create(call: Call<'_>) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.permit_change(Permission::Admin, None).await?;
    let Call { app, origin, request } = call;
    let request: TokenRequest = json_body::read(request, &app.limits).await?;
    let author = author(&caller, origin, None, request.why.clone())?;
    json(StatusCode::CREATED, &app.access.tokens.create(request, author).await?)
}

/// Revokes a token.
pub(super) async fn revoke(call: Call<'_>, name: &TokenName) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.permit_change(Permission::Admin, None).await?;
    let author = author(&caller, call.origin, None, None)?;
    json(StatusCode::OK, &call.app.access.tokens.revoke(name, author).await?)
}
