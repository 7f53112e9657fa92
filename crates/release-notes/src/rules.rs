//! How texts are understood: types of commits, projects' keys, and where the pages of references are.

use std::collections::BTreeMap;

use crate::{CommitReference, Kind, Line, Mentions, Reference, ReferenceKind, WebAddress};

/// How texts are understood.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Types of commits beyond, or other than, the usual ones.
    pub types: BTreeMap<String, Kind>,
    /// Which words are references.
    pub mentions: Mentions,
    /// Where their pages are.
    pub links: Links,
}

/// Addresses of pages, in which `{id}` stands for the number or the key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Of tickets, such as `https://jira.example.org/browse/{id}`.
    pub ticket: Option<String>,
    /// Of issues.
    pub issue: Option<String>,
    /// Of merge requests.
    pub merge_request: Option<String>,
    /// Of commits.
    pub commit: Option<String>,
    /// The hosting system's address, for `owner/repository#12`.
    pub forge: Option<String>,
}

/// The types of Conventional Commits, as Angular and those after it have them.
const TYPES: [(&str, Kind); 24] = [
    ("feat", Kind::Feature),
    ("feature", Kind::Feature),
    ("fix", Kind::Fix),
    ("bugfix", Kind::Fix),
    ("hotfix", Kind::Fix),
    ("perf", Kind::Improvement),
    ("improvement", Kind::Improvement),
    ("improve", Kind::Improvement),
    ("security", Kind::Security),
    ("sec", Kind::Security),
    ("deprecate", Kind::Removal),
    ("deprecation", Kind::Removal),
    ("remove", Kind::Removal),
    ("removal", Kind::Removal),
    ("refactor", Kind::Internal),
    ("style", Kind::Internal),
    ("test", Kind::Internal),
    ("tests", Kind::Internal),
    ("build", Kind::Internal),
    ("ci", Kind::Internal),
    ("chore", Kind::Internal),
    ("docs", Kind::Internal),
    ("doc", Kind::Internal),
    ("wip", Kind::Internal),
];

/// What a title's first word says, where no type does.
const VERBS: [(&str, Kind); 36] = [
    ("fix", Kind::Fix),
    ("fixes", Kind::Fix),
    ("fixed", Kind::Fix),
    ("fixing", Kind::Fix),
    ("bugfix", Kind::Fix),
    ("repair", Kind::Fix),
    ("correct", Kind::Fix),
    ("corrects", Kind::Fix),
    ("add", Kind::Feature),
    ("adds", Kind::Feature),
    ("added", Kind::Feature),
    ("adding", Kind::Feature),
    ("implement", Kind::Feature),
    ("implements", Kind::Feature),
    ("implemented", Kind::Feature),
    ("introduce", Kind::Feature),
    ("introduces", Kind::Feature),
    ("improve", Kind::Improvement),
    ("improves", Kind::Improvement),
    ("improved", Kind::Improvement),
    ("optimize", Kind::Improvement),
    ("optimise", Kind::Improvement),
    ("remove", Kind::Removal),
    ("removes", Kind::Removal),
    ("removed", Kind::Removal),
    ("drop", Kind::Removal),
    ("deprecate", Kind::Removal),
    ("deprecates", Kind::Removal),
    ("refactor", Kind::Internal),
    ("bump", Kind::Internal),
    ("release", Kind::Internal),
    ("typo", Kind::Internal),
    ("cleanup", Kind::Internal),
    ("reformat", Kind::Internal),
    ("test", Kind::Internal),
    ("tests", Kind::Internal),
];

impl Rules {
    /// The kind of a commit's type; none for a word that is no type.
    pub(crate) fn kind_of_type(&self, name: &str) -> Option<Kind> {
        let name = name.to_ascii_lowercase();
        let usual = || TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        self.types.get(&name).copied().or_else(usual)
    }

    /// The kind that a title's first word suggests.
    pub(crate) fn kind_of_verb(title: &str) -> Option<Kind> {
        let word = title.split(|character: char| !character.is_alphanumeric()).find(|word| !word.is_empty())?;
        let word = word.to_ascii_lowercase();
        VERBS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }

    /// Gives a reference its page, where that is known.
    pub(crate) fn link(&self, mut reference: Reference) -> Reference {
        if reference.url.is_none() {
            reference.url = self.links.of(&reference);
        }
        reference
    }

    /// A commit with its page.
    pub(crate) fn commit(&self, id: &str) -> CommitReference {
        let url = self.links.commit.as_ref().and_then(|template| filled(template, id));
        CommitReference { id: Line::new(id), url }
    }
}

impl Links {
    /// What the address of `origin` says of the pages: of GitHub (and what is like it, Gitea and Forgejo), or of GitLab,
    /// whose hosts' names say so.
    #[must_use]
    pub fn of_origin(origin: &str) -> Self {
        let Some((host, path)) = host_and_path(origin) else { return Self::default() };
        let base = format!("https://{host}/{path}");
        let (issues, merge_requests, commits) = if host.contains("gitlab") {
            ("-/issues", "-/merge_requests", "-/commit")
        } else {
            ("issues", "pull", "commit")
        };
        Self {
            ticket: None,
            issue: Some(format!("{base}/{issues}/{{id}}")),
            merge_request: Some(format!("{base}/{merge_requests}/{{id}}")),
            commit: Some(format!("{base}/{commits}/{{id}}")),
            forge: Some(format!("https://{host}")),
        }
    }

    /// Takes what the other knows where nothing is known here.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            ticket: self.ticket.or(other.ticket),
            issue: self.issue.or(other.issue),
            merge_request: self.merge_request.or(other.merge_request),
            commit: self.commit.or(other.commit),
            forge: self.forge.or(other.forge),
        }
    }

    fn of(&self, reference: &Reference) -> Option<WebAddress> {
        let id = reference.id.as_str();
        let (template, mark) = match reference.kind {
            ReferenceKind::Ticket => return filled(self.ticket.as_ref()?, id),
            ReferenceKind::Vulnerability => {
                return WebAddress::try_from(format!("https://www.cve.org/CVERecord?id={id}")).ok();
            }
            ReferenceKind::Issue => (self.issue.as_ref(), '#'),
            ReferenceKind::MergeRequest => (self.merge_request.as_ref(), '!'),
        };
        let (place, number) = id.rsplit_once(mark)?;
        if place.is_empty() {
            return filled(template?, number);
        }
        // Of another repository: the same pages there, where the pages here have the usual addresses.
        let forge = self.forge.as_ref()?;
        let here = template?.strip_prefix(forge.as_str())?;
        let page =
            ["/-/issues/", "/-/merge_requests/", "/issues/", "/pull/"].into_iter().find(|page| here.contains(page))?;
        WebAddress::try_from(format!("{forge}/{place}{page}{number}")).ok()
    }
}

fn filled(template: &str, id: &str) -> Option<WebAddress> {
    WebAddress::try_from(template.replace("{id}", id)).ok()
}

/// The host, without user, password and ssh's port, and the path without `.git`.
fn host_and_path(origin: &str) -> Option<(&str, &str)> {
    let (authority, path) = match origin.split_once("://") {
        Some((scheme, rest)) if scheme != "file" => rest.split_once('/')?,
        Some(_) => return None,
        None => origin.split_once(':').filter(|(host, _)| !host.contains('/'))?,
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = if origin.starts_with("http") { host } else { host.split(':').next()? };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_from_the_origin() {
        let page = |origin: &str, kind, id: &str| {
            let rules = Rules { links: Links::of_origin(origin), ..Rules::default() };
            rules.link(Reference::new(kind, id)).url.map(String::from)
        };
        for (origin, kind, id, expected) in [
            ("git@github.com:ana/shop.git", ReferenceKind::Issue, "#12", Some("https://github.com/ana/shop/issues/12")),
            (
                "https://u:p@gitlab.example.org/g/s/shop.git",
                ReferenceKind::MergeRequest,
                "!3",
                Some("https://gitlab.example.org/g/s/shop/-/merge_requests/3"),
            ),
            (
                "ssh://git@gitlab.example.org:2222/g/shop",
                ReferenceKind::Issue,
                "o/x#7",
                Some("https://gitlab.example.org/o/x/-/issues/7"),
            ),
            (
                "git@github.com:ana/shop.git",
                ReferenceKind::Issue,
                "bob/till#1",
                Some("https://github.com/bob/till/issues/1"),
            ),
            ("/srv/git/shop.git", ReferenceKind::Issue, "#1", None),
            ("file:///srv/shop", ReferenceKind::Issue, "#1", None),
            ("https://evil\"host/a/b", ReferenceKind::Issue, "#1", None),
            (
                "x",
                ReferenceKind::Vulnerability,
                "CVE-2026-1234",
                Some("https://www.cve.org/CVERecord?id=CVE-2026-1234"),
            ),
        ] {
            assert_eq!(page(origin, kind, id).as_deref(), expected, "{origin} {id}");
        }
    }

    #[test]
    fn types_and_verbs() {
        let rules = Rules { types: [("docs".to_owned(), Kind::Feature)].into(), ..Rules::default() };
        assert_eq!(rules.kind_of_type("Docs"), Some(Kind::Feature));
        assert_eq!(rules.kind_of_type("FIX"), Some(Kind::Fix));
        assert_eq!(rules.kind_of_type("packager"), None);
        assert_eq!(Rules::kind_of_verb("Fixed: the thing"), Some(Kind::Fix));
        assert_eq!(Rules::kind_of_verb("Additional things"), None);
    }
}
