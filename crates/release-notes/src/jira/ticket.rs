//! A ticket, and what kind of change its type stands for.

use std::collections::BTreeMap;

use crate::{Change, Kind, Line, Prose, Reference, ReferenceKind, WebAddress};

/// A ticket as far as notes tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its key, `ABC-123`.
    pub key: String,
    /// Its type, such as `Bug`.
    pub issue_type: String,
    /// Its title.
    pub summary: Line,
    /// Its text.
    pub description: Option<Prose>,
    /// What customers read.
    pub customer: Option<Prose>,
    /// Its page.
    pub url: Option<WebAddress>,
    /// The versions that it is fixed in.
    pub fix_versions: Vec<String>,
}

/// Which kinds of changes the types of tickets are: the usual ones, and those of one's own.
#[derive(Debug, Clone, Default)]
pub struct TicketTypes(BTreeMap<String, Kind>);

const TYPES: [(&str, Kind); 16] = [
    ("bug", Kind::Fix),
    ("defect", Kind::Fix),
    ("incident", Kind::Fix),
    ("regression", Kind::Fix),
    ("story", Kind::Feature),
    ("user story", Kind::Feature),
    ("new feature", Kind::Feature),
    ("feature", Kind::Feature),
    ("epic", Kind::Feature),
    ("improvement", Kind::Improvement),
    ("enhancement", Kind::Improvement),
    ("change request", Kind::Improvement),
    ("security", Kind::Security),
    ("vulnerability", Kind::Security),
    ("known issue", Kind::KnownIssue),
    ("technical task", Kind::Internal),
];

impl TicketTypes {
    /// Takes types of one's own, which win over the usual ones; upper and lower case are the same.
    #[must_use]
    pub fn new(own: &BTreeMap<String, Kind>) -> Self {
        Self(own.iter().map(|(name, kind)| (name.to_lowercase(), *kind)).collect())
    }

    /// The kind of a type; [`Kind::Other`] for one that is not known.
    #[must_use]
    pub fn kind(&self, issue_type: &str) -> Kind {
        let name = issue_type.trim().to_lowercase();
        let usual = || TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        self.0.get(&name).copied().or_else(usual).unwrap_or(Kind::Other)
    }
}

impl Ticket {
    /// The change that it is.
    #[must_use]
    pub fn change(&self, types: &TicketTypes) -> Change {
        let title = if self.summary.is_empty() { Line::new(&self.key) } else { self.summary.clone() };
        let mut change = Change::new(types.kind(&self.issue_type), title);
        change.description.clone_from(&self.description);
        change.customer.clone_from(&self.customer);
        let reference = Reference::new(ReferenceKind::Ticket, &self.key);
        change.refer(Reference { title: Some(self.summary.clone()), url: self.url.clone(), ..reference });
        change
    }
}
