//! In whose name a change is made.

use ledger::Author;
use repo_api::{Permission, Problem, ProblemKind};

use super::super::call::Call;
use super::super::guard::Caller;
use super::super::origin::Origin;
use super::super::refusal::Refusal;
use super::query::Query;

/// The longest name or reason that is kept, characters.
pub(super) const LONGEST: usize = 500;

/// Says who makes a change: a token's name where there is one, with what the client says of itself beside it.
pub(super) fn author(
    caller: &Caller,
    origin: &Origin,
    claimed: Option<String>,
    why: Option<String>,
) -> Result<Author, Refusal> {
    for text in [&claimed, &why].into_iter().flatten() {
        if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
            let detail = format!("`who` and `why` are at most {LONGEST} characters, and none of them controls");
            return Err(Problem::new(ProblemKind::BadRequest, detail).into());
        }
    }
    let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let who = match (caller.name(), said(claimed)) {
        (Some(token), Some(claimed)) if claimed != token => format!("{token} ({claimed})"),
        (Some(token), _) => token.to_owned(),
        (None, claimed) => claimed.unwrap_or_else(|| "unknown".to_owned()),
    };
    Ok(Author { who, from: origin.address.to_string(), why: said(why) })
}

/// Reads in whose name something is removed, which stands in the query: DELETE has no body.
pub(super) async fn removal(call: &Call) -> Result<Author, Refusal> {
    let caller = call.permit_change(Permission::Admin, None).await?;
    let query = Query::read(call.uri.query(), &["who", "why"])?;
    author(&caller, &call.origin, query.text("who"), query.text("why"))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::http::origin::Peer;

    #[test]
    fn names_that_stand_for_certain_come_first() {
        let origin = Origin::direct(Peer { address: "192.0.2.7".parse().unwrap(), secure: false }, &HeaderMap::new());
        let who = |caller: &Caller, claimed: &str| {
            author(caller, &origin, Some(claimed.to_owned()), None).map(|author| author.who).ok()
        };
        let token = Caller::Token("ci".to_owned());
        assert_eq!(who(&token, "ana@pc").as_deref(), Some("ci (ana@pc)"));
        assert_eq!(who(&token, "ci").as_deref(), Some("ci"));
        assert_eq!(who(&token, " ").as_deref(), Some("ci"));
        assert_eq!(who(&Caller::ThisMachine, "ana@pc").as_deref(), Some("ana@pc"));
        assert_eq!(who(&Caller::Master, "").as_deref(), Some("unknown"));
        assert_eq!(who(&token, "a\nb"), None);
        assert_eq!(who(&token, &"a".repeat(501)), None);
    }
}
