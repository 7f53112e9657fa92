//! `notes.toml`: what is said once for all notes of a project.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Kind, Line, Links, Mentions, Rules, TicketTypes};

/// What `notes.toml` says. Everything may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// What was released, in the head of the notes.
    pub name: Option<Line>,
    /// Which tags are versions, as a pattern such as `v*`.
    pub tags: Option<String>,
    /// The folder of fragments, from the file's own folder; `notes` by default.
    pub fragments: Option<PathBuf>,
    /// The projects whose tickets are meant; all that look like `ABC-123` by default.
    #[serde(default)]
    pub projects: Vec<String>,
    /// Types of commits of one's own: `packaging = "internal"`.
    #[serde(default)]
    types: BTreeMap<String, KindName>,
    /// Where the pages of references are.
    #[serde(default)]
    links: LinkTable,
    /// Where tickets come from.
    pub jira: Option<JiraTable>,
    /// Templates in place of the usual ones.
    #[serde(default)]
    pub templates: TemplateTable,
    /// The file's folder.
    #[serde(skip)]
    pub directory: PathBuf,
}

/// `[links]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkTable {
    ticket: Option<String>,
    issue: Option<String>,
    merge_request: Option<String>,
    commit: Option<String>,
}

/// `[jira]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JiraTable {
    /// Its address.
    pub url: String,
    /// The mail address that goes with the token, in the cloud; a server's token goes alone.
    pub user: Option<String>,
    /// A file whose first line is the token; the environment's `PKG_JIRA_TOKEN` holds the token itself.
    pub token_file: Option<PathBuf>,
    /// Further conditions of the search for a version, such as `project = SHOP`.
    pub filter: Option<String>,
    /// A query for what is known and open.
    pub known_issues: Option<String>,
    /// The field that holds what customers read: `customfield_10042`, and in exports its name.
    pub customer_field: Option<String>,
    /// Types of tickets of one's own: `"Change request" = "feature"`.
    #[serde(default)]
    types: BTreeMap<String, KindName>,
}

/// `[templates]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateTable {
    /// For Markdown.
    pub markdown: Option<PathBuf>,
    /// For HTML.
    pub html: Option<PathBuf>,
    /// For text.
    pub text: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct KindName(Kind);

impl TryFrom<String> for KindName {
    type Error = crate::ParseKindError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// Says why a `notes.toml` does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// It could not be read.
    #[error("could not read the notes' configuration")]
    Read(#[source] io::Error),
    /// It is not what it should be.
    #[error("{}:{line}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

impl Configuration {
    /// The file's usual name.
    pub const FILE_NAME: &'static str = "notes.toml";

    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigurationError`], with file and line.
    pub fn read(path: &Path) -> Result<Self, ConfigurationError> {
        let text = fs_err::read_to_string(path).map_err(ConfigurationError::Read)?;
        let mut configuration: Self = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            ConfigurationError::Wrong { path: path.to_owned(), line, message: error.message().to_owned() }
        })?;
        configuration.directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(configuration)
    }

    /// The folder of fragments.
    #[must_use]
    pub fn fragments(&self) -> PathBuf {
        self.directory.join(self.fragments.as_deref().unwrap_or(Path::new("notes")))
    }

    /// How texts are understood; the pages of what has none here are where `origin` says.
    #[must_use]
    pub fn rules(&self, origin: Option<&str>) -> Rules {
        let types = self.types.iter().map(|(name, kind)| (name.to_ascii_lowercase(), kind.0)).collect();
        let LinkTable { ticket, issue, merge_request, commit } = self.links.clone();
        let browse = |jira: &JiraTable| format!("{}/browse/{{id}}", jira.url.trim_end_matches('/'));
        let ticket = ticket.or_else(|| self.jira.as_ref().map(browse));
        let links = Links { ticket, issue, merge_request, commit, forge: None };
        let links = links.or(origin.map(Links::of_origin).unwrap_or_default());
        Rules { types, mentions: Mentions { projects: self.projects.iter().cloned().collect() }, links }
    }

    /// Which kinds of changes the types of tickets are.
    #[must_use]
    pub fn ticket_types(&self) -> TicketTypes {
        let own = self.jira.iter().flat_map(|jira| &jira.types).map(|(name, kind)| (name.clone(), kind.0));
        TicketTypes::new(&own.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reference, ReferenceKind};

    fn read(text: &str) -> Result<Configuration, ConfigurationError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.toml");
        fs_err::write(&path, text).unwrap();
        Configuration::read(&path)
    }

    #[test]
    fn says_once_for_all() {
        let text = "name = 'The shop'\nprojects = ['SHOP']\n[types]\npackaging = 'internal'\n[jira]\n\
                    url = 'https://jira.example.org/'\n[jira.types]\n'Change Request' = 'feature'\n";
        let configuration = read(text).unwrap();
        let rules = configuration.rules(Some("git@github.com:ana/shop.git"));
        assert_eq!(rules.kind_of_type("packaging"), Some(Kind::Internal));
        let ticket = rules.link(Reference::new(ReferenceKind::Ticket, "SHOP-1"));
        assert_eq!(ticket.url.unwrap().as_str(), "https://jira.example.org/browse/SHOP-1");
        assert_eq!(configuration.ticket_types().kind("change request"), Kind::Feature);
        assert!(configuration.fragments().ends_with("notes"));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, expected) in [
            ("\ncolour = 1", "notes.toml:2: unknown field `colour`, expected one of `name`"),
            ("[types]\nx = 'colour'", "notes.toml:2: `colour` is no kind of change; allowed are"),
            ("[jira]\n", "missing field `url`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
