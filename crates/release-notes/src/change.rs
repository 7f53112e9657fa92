//! One change, as notes tell of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Line, Prose, Reference, WebAddress};

/// What a change is to those who use the software. The order is that of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What has to be done, or known, before going to this version.
    UpgradeNote,
    /// It closes a hole.
    Security,
    /// Something new.
    Feature,
    /// Something works better or faster.
    Improvement,
    /// A bug is gone.
    Fix,
    /// Something goes, or will go.
    Removal,
    /// What nobody said more of.
    Other,
    /// What does not work.
    KnownIssue,
    /// What nobody sees who only uses it: tests, builds, tidying up.
    Internal,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it is.
    pub kind: Kind,
    /// What changed, in one plain line; code may stand in backticks.
    pub title: Line,
    /// More of it, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Prose>,
    /// What customers read instead, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Prose>,
    /// Whether somebody said that customers are told nothing of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// The part of the software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Line>,
    /// Whether what worked before may not any longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub breaking: bool,
    /// Tickets, issues, merge requests, vulnerabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// The commits, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<CommitReference>,
    /// Who made them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Line>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReference {
    /// Its whole id.
    pub id: Line,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<WebAddress>,
}

/// The text that is no kind of change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of change; allowed are {list}", list = Kind::names())]
pub struct ParseKindError(String);

const NAMES: [(&str, Kind); 9] = [
    ("upgrade", Kind::UpgradeNote),
    ("security", Kind::Security),
    ("feature", Kind::Feature),
    ("improvement", Kind::Improvement),
    ("fix", Kind::Fix),
    ("removal", Kind::Removal),
    ("other", Kind::Other),
    ("known-issue", Kind::KnownIssue),
    ("internal", Kind::Internal),
];

/// What people also call them: towncrier's, Keep a Changelog's and GitLab's words.
const SYNONYMS: [(&str, Kind); 22] = [
    ("upgrade-note", Kind::UpgradeNote),
    ("upgrade_note", Kind::UpgradeNote),
    ("breaking", Kind::UpgradeNote),
    ("feat", Kind::Feature),
    ("added", Kind::Feature),
    ("new", Kind::Feature),
    ("change", Kind::Improvement),
    ("changed", Kind::Improvement),
    ("performance", Kind::Improvement),
    ("perf", Kind::Improvement),
    ("bugfix", Kind::Fix),
    ("bug", Kind::Fix),
    ("fixed", Kind::Fix),
    ("removed", Kind::Removal),
    ("deprecation", Kind::Removal),
    ("deprecated", Kind::Removal),
    ("misc", Kind::Internal),
    ("doc", Kind::Internal),
    ("docs", Kind::Internal),
    ("known_issue", Kind::KnownIssue),
    ("known", Kind::KnownIssue),
    ("sec", Kind::Security),
];

impl Kind {
    /// All of them, in the order of reading.
    pub const ALL: [Self; 9] = [
        Self::UpgradeNote,
        Self::Security,
        Self::Feature,
        Self::Improvement,
        Self::Fix,
        Self::Removal,
        Self::Other,
        Self::KnownIssue,
        Self::Internal,
    ];

    /// The heading above several of it.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::UpgradeNote => "Upgrade notes",
            Self::Security => "Security",
            Self::Feature => "New features",
            Self::Improvement => "Improvements",
            Self::Fix => "Fixed bugs",
            Self::Removal => "Removed or deprecated",
            Self::Other => "Other changes",
            Self::KnownIssue => "Known issues",
            Self::Internal => "Internal changes",
        }
    }

    /// Its name in configuration and in fragments' file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("other", |(name, _)| name)
    }

    fn names() -> String {
        NAMES.map(|(name, _)| format!("`{name}`")).join(", ")
    }
}

impl FromStr for Kind {
    type Err = ParseKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let known = NAMES.iter().chain(&SYNONYMS).find(|(name, _)| *name == lower);
        known.map(|(_, kind)| *kind).ok_or_else(|| ParseKindError(text.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Change {
    /// Makes one of which nothing more is known.
    #[must_use]
    pub fn new(kind: Kind, title: Line) -> Self {
        Self {
            kind,
            title,
            description: None,
            customer: None,
            withheld: false,
            scope: None,
            breaking: false,
            references: Vec::new(),
            commits: Vec::new(),
            authors: Vec::new(),
        }
    }

    /// Adds a reference, unless it is there; what the other knows more is taken over.
    pub fn refer(&mut self, reference: Reference) {
        match self.references.iter_mut().find(|known| known.id == reference.id) {
            Some(known) => {
                known.title = known.title.take().or(reference.title);
                known.url = known.url.take().or(reference.url);
            }
            None => self.references.push(reference),
        }
    }

    /// Takes over what another tells of the same: its references, commits, authors, and texts where there are none yet.
    pub fn absorb(&mut self, other: Self) {
        other.references.into_iter().for_each(|reference| self.refer(reference));
        for commit in other.commits {
            if self.commits.iter().all(|known| known.id != commit.id) {
                self.commits.push(commit);
            }
        }
        for author in other.authors {
            if !self.authors.contains(&author) {
                self.authors.push(author);
            }
        }
        self.breaking |= other.breaking;
        self.withheld |= other.withheld;
        self.scope = self.scope.take().or(other.scope);
        self.customer = self.customer.take().or(other.customer);
        self.description = self.description.take().or(other.description);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_one_name_each() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
            assert_eq!(serde_json::from_str::<Kind>(&serde_json::to_string(&kind).unwrap()).unwrap(), kind);
        }
        assert_eq!("Bugfix".parse::<Kind>().unwrap(), Kind::Fix);
        let error = "colour".parse::<Kind>().unwrap_err().to_string();
        assert!(error.starts_with("`colour` is no kind of change; allowed are `upgrade`, "), "{error}");
        assert!(Kind::ALL.is_sorted());
    }
}
