//! An advisory of notes: what `dnf updateinfo info` shows of them on a host.

use nevra::Nevra;
use serde::Serialize;

use crate::{Change, Format, Kind, Line, Reference, ReferenceKind, ReleaseNotes, TemplateError, Templates, WebAddress};

/// An advisory, in the form that a repository takes (`pkg attach --advisory`); serialized, it is that form's JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advisory {
    /// Its id: that of the first package, without its architecture.
    pub id: String,
    /// One line.
    pub title: String,
    /// What the changes are, the gravest first.
    #[serde(rename = "type")]
    pub kind: AdvisoryKind,
    /// The notes as text.
    pub description: String,
    /// The day of the notes, `YYYY-MM-DD`.
    pub issued: String,
    /// The tickets, issues and vulnerabilities.
    pub references: Vec<AdvisoryReference>,
    /// The packages that have the changes.
    pub packages: Vec<Nevra>,
}

/// What an advisory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AdvisoryKind {
    /// It closes a hole.
    Security,
    /// It mends bugs.
    Bugfix,
    /// It brings something new.
    Enhancement,
}

/// What an advisory refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdvisoryReference {
    /// `bugzilla`, which stands for all trackers, or `cve`: dnf shows these two.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The number.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Its page; empty where it has none.
    pub url: String,
}

impl ReleaseNotes {
    /// Makes the advisory of these notes for the packages that carry them; none where there are no packages, or nothing is
    /// told.
    ///
    /// # Errors
    /// [`TemplateError`]; the usual templates hold.
    pub fn advisory(&self, packages: &[Nevra]) -> Result<Option<Advisory>, TemplateError> {
        let Some(first) = packages.first().filter(|_| !self.is_empty()) else { return Ok(None) };
        let id = format!("{}-{}", first.name, first.evr);
        let has = |kind| self.of_kind(kind).next().is_some();
        let kind = match () {
            () if has(Kind::Security) => AdvisoryKind::Security,
            () if has(Kind::Feature) || !has(Kind::Fix) => AdvisoryKind::Enhancement,
            () => AdvisoryKind::Bugfix,
        };
        // The heading stands in the title already, and what nobody sees is not for hosts.
        let mut told = self.clone();
        told.changes.retain(|change| change.kind != Kind::Internal);
        let text = Templates::usual()?.render(&told, Format::Text)?;
        let description = text.split_once("\n\n").map_or("", |(_, rest)| rest).trim().to_owned();
        Ok(Some(Advisory {
            id,
            title: self.heading(),
            kind,
            description,
            issued: self.date.map_or_else(|| "1970-01-01".to_owned(), |date| date.to_string()),
            references: references(&self.changes),
            packages: packages.to_vec(),
        }))
    }
}

/// What dnf calls bugs and CVEs, each once. Merge requests are the way there, and no bugs.
fn references(changes: &[Change]) -> Vec<AdvisoryReference> {
    let mut found: Vec<AdvisoryReference> = Vec::new();
    for change in changes.iter().filter(|change| change.kind != Kind::Internal) {
        for reference in &change.references {
            let kind = match reference.kind {
                ReferenceKind::Ticket | ReferenceKind::Issue => "bugzilla",
                ReferenceKind::Vulnerability => "cve",
                ReferenceKind::MergeRequest => continue,
            };
            let Reference { id, title, url, .. } = reference;
            if found.iter().all(|known| known.id != id.as_str()) {
                found.push(AdvisoryReference {
                    kind,
                    id: id.to_string(),
                    title: title.as_ref().map_or_else(|| change.title.to_string(), Line::to_string),
                    url: url.as_ref().map_or("", WebAddress::as_str).to_owned(),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(kinds: &[Kind]) -> ReleaseNotes {
        ReleaseNotes { date: chrono::NaiveDate::from_ymd_opt(2026, 2, 3), ..notes(kinds) }
    }

    fn notes(kinds: &[Kind]) -> ReleaseNotes {
        let change = |kind: &Kind| {
            let mut change = Change::new(*kind, Line::new("Carts & <tills>"));
            change.refer(Reference::new(ReferenceKind::Ticket, "SHOP-1"));
            change.refer(Reference::new(ReferenceKind::MergeRequest, "!2"));
            change
        };
        let mut notes = ReleaseNotes::new(kinds.iter().map(change).collect());
        notes.name = Some(Line::new("The shop"));
        notes.version = Some(Line::new("1.4"));
        notes
    }

    #[test]
    fn says_what_the_notes_say() {
        let packages = ["shop-1:1.4-57.noarch".parse().unwrap()];
        let advisory = head(&[Kind::Internal, Kind::Fix]).advisory(&packages).unwrap().unwrap();
        assert_eq!((advisory.id.as_str(), advisory.title.as_str()), ("shop-1:1.4-57", "The shop 1.4"));
        assert_eq!(advisory.issued, "2026-02-03");
        assert_eq!(advisory.description, "Fixed bugs:\n- Carts & <tills> (SHOP-1, !2)");
        let references: Vec<_> =
            advisory.references.iter().map(|one| (one.kind, one.id.as_str(), one.title.as_str())).collect();
        assert_eq!(references, [("bugzilla", "SHOP-1", "Carts & <tills>")]);
        for (kinds, expected) in [
            (&[Kind::Fix][..], AdvisoryKind::Bugfix),
            (&[Kind::Fix, Kind::Feature], AdvisoryKind::Enhancement),
            (&[Kind::Other], AdvisoryKind::Enhancement),
            (&[Kind::Feature, Kind::Security], AdvisoryKind::Security),
        ] {
            assert_eq!(notes(kinds).advisory(&packages).unwrap().unwrap().kind, expected);
        }
        assert_eq!(notes(&[Kind::Fix]).advisory(&[]).unwrap(), None);
        assert_eq!(notes(&[]).advisory(&packages).unwrap(), None);
    }
}
