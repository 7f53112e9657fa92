//! Two audiences: everything for those who make it, readable sentences for those who use it.

use serde::{Deserialize, Serialize};

use crate::{Change, Kind, Line, Prose, ReleaseNotes};

/// Whom notes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Those who make it: everything, with numbers and links.
    #[default]
    Internal,
    /// Those who use it: what was written for them, and nothing else.
    Customer,
}

/// A change that customers are not told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is.
    pub kind: Kind,
    /// What changed.
    pub title: Line,
    /// Its references' and, where there are none, its commits' ids.
    pub ids: Vec<String>,
    /// Why it is left out.
    pub because: LeftOutBecause,
}

/// Why customers are not told of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOutBecause {
    /// Nobody wrote a text for them.
    NoText,
    /// The text written for them names something internal.
    Internal(String),
}

impl ReleaseNotes {
    /// Makes the customers' notes of the internal ones: of each change the text that was written for customers, and
    /// nothing else. Also gives what is left out for want of one, except what was withheld and what is of no interest to
    /// them ([`Kind::Internal`]).
    #[must_use]
    pub fn for_customers(&self) -> (Self, Vec<LeftOut>) {
        if self.audience == Audience::Customer {
            return (self.clone(), Vec::new());
        }
        let secrets = secrets(self);
        let (mut changes, mut left_out) = (Vec::new(), Vec::new());
        for change in &self.changes {
            let leave = |because| LeftOut { kind: change.kind, title: change.title.clone(), ids: ids(change), because };
            match &change.customer {
                _ if change.withheld => {}
                Some(text) => match secrets.iter().find(|secret| names(text, secret)) {
                    Some(secret) => left_out.push(leave(LeftOutBecause::Internal(secret.clone()))),
                    None => changes.push(customer_change(change.kind, text)),
                },
                None if change.kind == Kind::Internal => {}
                None => left_out.push(leave(LeftOutBecause::NoText)),
            }
        }
        let mut notes = Self::new(changes);
        notes.audience = Audience::Customer;
        notes.name.clone_from(&self.name);
        notes.version.clone_from(&self.version);
        notes.build.clone_from(&self.build);
        notes.date = self.date;
        (notes, left_out)
    }
}

fn customer_change(kind: Kind, text: &Prose) -> Change {
    let kind = if kind == Kind::Internal { Kind::Other } else { kind };
    let (title, description) = text.title_and_rest();
    Change { description, ..Change::new(kind, title) }
}

fn ids(change: &Change) -> Vec<String> {
    let ids: Vec<String> = change.references.iter().map(|reference| reference.id.to_string()).collect();
    if !ids.is_empty() {
        return ids;
    }
    change.commits.iter().map(|commit| commit.id.as_str().chars().take(10).collect()).collect()
}

/// What may stand in no customers' text: the numbers that the notes refer to, hosts of their pages, commits. A
/// vulnerability's number is public.
fn secrets(notes: &ReleaseNotes) -> Vec<String> {
    let mut secrets = Vec::new();
    for change in &notes.changes {
        let internal =
            change.references.iter().filter(|reference| reference.kind != crate::ReferenceKind::Vulnerability);
        for reference in internal {
            secrets.push(reference.id.to_string());
            secrets.extend(reference.url.iter().map(|url| url.host().to_owned()));
        }
        for commit in &change.commits {
            secrets.push(commit.id.as_str().chars().take(7).collect());
            secrets.extend(commit.url.iter().map(|url| url.host().to_owned()));
        }
    }
    secrets.retain(|secret| secret.len() > 1);
    secrets.sort();
    secrets.dedup();
    secrets
}

/// Whether a text names something, as a word of its own or, of a commit, its beginning.
fn names(text: &Prose, secret: &str) -> bool {
    let text = text.as_str();
    text.match_indices(secret).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + secret.len()..].chars().next();
        let begins = before.is_none_or(|before| !before.is_alphanumeric());
        let is_commit = secret.len() == 7 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        begins && (is_commit || after.is_none_or(|after| !after.is_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reference, ReferenceKind};

    fn change(title: &str, customer: Option<&str>) -> Change {
        let mut change = Change::new(Kind::Fix, Line::new(title));
        change.customer = customer.and_then(Prose::new);
        change
    }

    #[test]
    fn customers_read_only_what_was_written_for_them() {
        let mut secret = change("NPE in OrderDao", Some("Orders can be paid again.\n\nNo need to log in anew."));
        secret.refer(Reference::new(ReferenceKind::Ticket, "SHOP-7"));
        secret.scope = Some(Line::new("dao"));
        let mut withheld = change("embarrassing", None);
        withheld.withheld = true;
        let mut internal = change("tidied up", None);
        internal.kind = Kind::Internal;
        let leak = change("other", Some("See SHOP-7, please."));
        let no_leak = change("more", Some("There are XSHOP-7 and SHOP-77."));
        let notes = ReleaseNotes::new(vec![secret, withheld, internal, leak, no_leak, change("mute", None)]);
        let (customers, left_out) = notes.for_customers();
        let json = customers.to_json();
        let titles: Vec<&str> = customers.changes.iter().map(|change| change.title.as_str()).collect();
        assert_eq!(titles, ["Orders can be paid again.", "There are XSHOP-7 and SHOP-77."]);
        assert!(!json.contains("\"SHOP-7\"") && !json.contains("dao") && !json.contains("NPE"), "{json}");
        let rows: Vec<_> = left_out.iter().map(|one| (one.title.as_str(), one.because.clone())).collect();
        let expected = [("other", LeftOutBecause::Internal("SHOP-7".to_owned())), ("mute", LeftOutBecause::NoText)];
        assert_eq!(rows, expected);
        assert_eq!(customers.for_customers().0, customers);
    }
}
