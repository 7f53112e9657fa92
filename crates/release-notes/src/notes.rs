//! What changed between two versions, as it travels: the JSON is a contract, and grows by optional fields only.

use serde::{Deserialize, Serialize};

use crate::{Audience, Change, Kind, Line, Prose};

/// The notes of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseNotes {
    /// The form of this document: 1.
    pub schema: Schema,
    /// Whom they are for.
    pub audience: Audience,
    /// What was released, in its people's words or the package's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// The version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Line>,
    /// The build's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Line>,
    /// The day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<chrono::NaiveDate>,
    /// The revision from which on changes are told, itself not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Line>,
    /// The revision up to which they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Line>,
    /// What is said before all changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduction: Option<Prose>,
    /// The changes, known issues and upgrade notes, in the order in which they are read.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// The number of the form that notes are written in; a newer one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Schema;

/// Says why a JSON document is no release notes.
#[derive(Debug, thiserror::Error)]
#[error("it is no release notes in JSON")]
pub struct ParseNotesError(#[source] serde_json::Error);

const SCHEMA: u32 = 1;

impl ReleaseNotes {
    /// Makes notes without a head: changes in the order of their kinds, and within a kind as given.
    #[must_use]
    pub fn new(mut changes: Vec<Change>) -> Self {
        changes.sort_by_key(|change| change.kind);
        Self {
            schema: Schema,
            audience: Audience::Internal,
            name: None,
            version: None,
            build: None,
            date: None,
            from: None,
            to: None,
            introduction: None,
            changes,
        }
    }

    /// Makes the notes of several versions one, the newest first: its head, and the changes of all of them, each once. None
    /// where there are none.
    #[must_use]
    pub fn together(versions: Vec<Self>) -> Option<Self> {
        let mut versions = versions.into_iter();
        let mut whole = versions.next()?;
        for older in versions {
            whole.from = older.from;
            // What was not mended yet then is told by the newest, if it still holds.
            let news = older.changes.into_iter().filter(|change| change.kind != Kind::KnownIssue);
            let news: Vec<Change> = news.filter(|change| !whole.changes.contains(change)).collect();
            whole.changes.extend(news);
        }
        whole.changes.sort_by_key(|change| change.kind);
        Some(whole)
    }

    /// Reads notes from JSON. Fields that are not known are passed over: a newer `pkg` may have written them.
    ///
    /// # Errors
    /// [`ParseNotesError`]
    pub fn from_json(text: &str) -> Result<Self, ParseNotesError> {
        serde_json::from_str(text).map_err(ParseNotesError)
    }

    /// Writes them as JSON, of several lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Structs of texts and lists always are JSON.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        // U+2028 and the like stand nowhere in the texts; DEL and C1 neither.
        format!("{text}\n")
    }

    /// The changes of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.kind == kind)
    }

    /// Whether nothing is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.introduction.is_none()
    }

    /// What they are about, in a few words: name, version and build, as far as known.
    #[must_use]
    pub fn heading(&self) -> String {
        let version = self.version.as_ref().map(Line::to_string);
        let build = self.build.as_ref().map(|build| format!("(build {build})"));
        let parts: Vec<String> = self.name.iter().map(Line::to_string).chain(version).chain(build).collect();
        if parts.is_empty() { "Release notes".to_owned() } else { parts.join(" ") }
    }
}

impl TryFrom<u32> for Schema {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        if number == SCHEMA { Ok(Self) } else { Err(format!("schema {number} is not known here; allowed is {SCHEMA}")) }
    }
}

impl From<Schema> for u32 {
    fn from(Schema: Schema) -> Self {
        SCHEMA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_versions_together() {
        let version = |name: &str, changes: &[(Kind, &str)]| {
            let changes = changes.iter().map(|(kind, title)| Change::new(*kind, Line::new(title))).collect();
            ReleaseNotes { version: Some(Line::new(name)), from: Some(Line::new(name)), ..ReleaseNotes::new(changes) }
        };
        let newest = version("1.2", &[(Kind::Fix, "b"), (Kind::KnownIssue, "slow")]);
        let older = version("1.1", &[(Kind::Feature, "a"), (Kind::Fix, "b"), (Kind::KnownIssue, "crashes")]);
        let whole = ReleaseNotes::together(vec![newest, older]).unwrap();
        let titles: Vec<&str> = whole.changes.iter().map(|change| change.title.as_str()).collect();
        assert_eq!((titles, whole.version.as_ref().map(Line::as_str)), (vec!["a", "b", "slow"], Some("1.2")));
        assert_eq!(whole.from.as_ref().map(Line::as_str), Some("1.1"));
        assert!(ReleaseNotes::together(Vec::new()).is_none());
    }
}
