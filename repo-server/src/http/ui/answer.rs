//! Answering with a page.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use repo_api::{ChannelName, Problem, ProblemKind};

use super::super::body::ReplyBody;
use super::super::call::Call;
use super::super::refusal::{Refusal, with_causes};
use super::super::reply::{Caching, Content, Reply};
use super::super::yum::missing;
use super::reader::Reader;
use super::shared::is_shared;
use crate::pages::{self, PageError};

pub(super) type Answer = Result<Response<ReplyBody>, Refusal>;

const HTML: &str = "text/html; charset=utf-8";
const ATOM: &str = "application/atom+xml; charset=utf-8";

/// Nothing but the server's own style and pictures is fetched, nothing runs, nobody frames a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// What every page is sent with.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "same-origin"),
    (VARY, "Authorization"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Answers with a page, or with the page of what is wrong.
pub(super) async fn page(call: &Call, reader: &Reader, rendered: Result<String, Refusal>) -> Answer {
    match rendered {
        Ok(html) => call.answer(&Reply::text(HTML, html).with(&HEADERS)).await,
        Err(Refusal::Problem(problem)) => problem_page(call, reader, problem).await,
        Err(refusal) => Err(refusal),
    }
}

/// Answers with a page that many follow, made once for all of them who see the same of it.
pub(super) async fn followed_page(
    call: &Call,
    reader: &Reader,
    make: impl Future<Output = Result<String, Refusal>>,
) -> Answer {
    if !is_shared(&call.headers) {
        return page(call, reader, make.await).await;
    }
    let seen: Vec<&str> = reader.visible.channels().keys().map(ChannelName::as_str).collect();
    let key = format!("{} {} {}", call.uri, seen.join(" "), reader.shell(call).can_sign_in);
    match call.app.shared.page(key, make).await {
        Ok(made) => {
            let content = Content::Memory(made.html);
            call.answer(&Reply::new(made.digest, HTML, Caching::Revalidate, None, content).with(&HEADERS)).await
        }
        Err(refusal) => page(call, reader, Err(refusal)).await,
    }
}

/// Answers with a feed.
pub(super) async fn feed(call: &Call, rendered: Result<String, Refusal>) -> Answer {
    call.answer(&Reply::text(ATOM, rendered?).with(&HEADERS)).await
}

async fn problem_page(call: &Call, reader: &Reader, problem: Problem) -> Answer {
    let title = match problem.kind {
        ProblemKind::NotFound | ProblemKind::UnknownChannel | ProblemKind::UnknownPackage => "There is nothing here",
        ProblemKind::Unauthorized => "A token is needed",
        ProblemKind::Forbidden => "This token may not read it",
        ProblemKind::BadRequest => "The question can't be read",
        // The server's own failures are logged on their way out.
        _ => return Err(problem.into()),
    };
    let html = pages::problem_page(&reader.shell(call), (title, &problem.detail))?;
    let mut response = call.answer(&Reply::text(HTML, html).with(&HEADERS)).await?;
    *response.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static("Basic realm=\"pkg\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    Ok(response)
}

/// The style of all pages.
pub(super) async fn style(call: Call) -> Answer {
    asset(&call, "style.css").await
}

/// What keeps a page as the server has it.
pub(super) async fn live(call: Call) -> Answer {
    asset(&call, "live.js").await
}

/// The server's icon.
pub(super) async fn icon(call: Call) -> Answer {
    asset(&call, "icon.svg").await
}

async fn asset(call: &Call, name: &str) -> Answer {
    let asset = pages::asset(name).ok_or_else(missing)?;
    let content = Content::Memory(asset.bytes.clone());
    call.answer(&Reply::new(asset.digest, asset.content_type, Caching::Revalidate, None, content)).await
}

impl From<PageError> for Refusal {
    fn from(error: PageError) -> Self {
        tracing::error!(error = with_causes(&error), "request failed");
        Problem::new(ProblemKind::Internal, "the server failed; its log says why").into()
    }
}
