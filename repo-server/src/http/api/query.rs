//! Reading the query of a URL.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use repo_api::{Problem, ProblemKind};

use super::super::refusal::Refusal;

/// The names and values of a URL's query, those that are known to its route and no others.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads it; a name that is not among the known ones, or that is there twice, is refused.
    pub(super) fn read(text: Option<&str>, known: &[&str]) -> Result<Self, Refusal> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if !known.contains(&name.as_str()) || pairs.iter().any(|(other, _)| *other == name) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(bad(format!("`{name}` in the query: allowed, once each, are {known}")));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a name, as it is written.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }

    /// The value of a name.
    pub(super) fn value<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let text = self.text(name);
        let parsed = text.map(|text| text.parse().map_err(|error| bad(format!("`{name}` in the query: {error}"))));
        parsed.transpose()
    }

    /// The value of a name that has to be there.
    pub(super) fn needed<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<T, Refusal> {
        self.value(name)?.ok_or_else(|| bad(format!("the query says nothing of `{name}`")))
    }
}

fn decoded(text: &str) -> Result<String, Refusal> {
    let text = text.replace('+', " ");
    let text = percent_decode_str(&text).decode_utf8();
    text.map(std::borrow::Cow::into_owned).map_err(|_| bad("the query is no UTF-8".to_owned()))
}

fn bad(detail: String) -> Refusal {
    Problem::new(ProblemKind::BadRequest, detail).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        let query = Query::read(Some("why=a+b%2Bc&limit=7&"), &["why", "limit"]).unwrap();
        assert_eq!(query.text("why").as_deref(), Some("a b+c"));
        assert_eq!(query.value::<u64>("limit").unwrap(), Some(7));
        assert!(query.value::<u64>("why").is_err() && query.needed::<u64>("since").is_err());
        for bad in ["x=1", "why=1&why=2", "why=%ff"] {
            assert!(Query::read(Some(bad), &["why"]).is_err(), "{bad}");
        }
        assert!(Query::read(None, &[]).is_ok());
    }
}
