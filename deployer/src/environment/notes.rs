//! Where release notes are published once a deployment is done. What notes are is no business of this crate.

use std::path::PathBuf;

use nevra::Name;
use serde::Deserialize;

use super::EnvironmentProblem;
use super::reader::{Checked, Located, Reader, Text, at};

/// A place where release notes are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotesDestination {
    /// The place.
    pub place: NotesPlace,
    /// Whom they are for there.
    pub audience: NotesAudience,
    /// The package whose notes they are; of each that changes, if the file does not say.
    pub package: Option<Name>,
}

/// A place where release notes are published.
#[derive(Clone, PartialEq, Eq)]
pub enum NotesPlace {
    /// A file; `{package}` and `{version}` in its name stand for what was deployed.
    File(PathBuf),
    /// A URL that is sent JSON: a secret.
    Webhook(String),
    /// A command for `sh -c` on the controller, with the text as its input.
    Command(String),
}

/// Whom release notes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotesAudience {
    /// Those who make it.
    Internal,
    /// Those who use it.
    Customer,
}

/// An address of a webhook is a secret: it is never printed.
impl std::fmt::Debug for NotesPlace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Webhook(_) => formatter.write_str("Webhook(…)"),
            Self::Command(command) => formatter.debug_tuple("Command").field(command).finish(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotes {
    kind: Kind,
    path: Option<Text>,
    url: Option<Text>,
    command: Option<Text>,
    audience: NotesAudience,
    package: Option<Text>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Webhook,
    Command,
}

impl Reader<'_> {
    pub(super) fn notes(&self, raw: &toml::Spanned<RawNotes>) -> Checked<NotesDestination> {
        let span = raw.span();
        let raw = raw.get_ref();
        let needs = |needs| {
            let problem = EnvironmentProblem::Needs { what: "`[[notes]]`", needs };
            Err(Located { span: span.clone(), problem })
        };
        let place = match (raw.kind, &raw.path, &raw.url, &raw.command) {
            (Kind::File, Some(path), None, None) => NotesPlace::File(self.notes_file(path)?),
            (Kind::Webhook, None, Some(url), None) => NotesPlace::Webhook(self.webhook(url)?),
            (Kind::Command, None, None, Some(command)) => NotesPlace::Command(self.text(command)?),
            (Kind::File, ..) => return needs("`path`, and neither `url` nor `command`, for `kind = \"file\"`"),
            (Kind::Webhook, ..) => return needs("`url`, and neither `path` nor `command`, for `kind = \"webhook\"`"),
            (Kind::Command, ..) => return needs("`command`, and neither `path` nor `url`, for `kind = \"command\"`"),
        };
        let package = raw.package.as_ref().map(|package| {
            let value = self.text(package)?;
            let rule = "not the name of a package";
            value.parse().map_err(|_| at(package, EnvironmentProblem::Text { field: "package", value, rule }))
        });
        Ok(NotesDestination { place, audience: raw.audience, package: package.transpose()? })
    }

    fn notes_file(&self, text: &Text) -> Checked<PathBuf> {
        let value = self.text(text)?;
        let rest = value.replace("{package}", "").replace("{version}", "");
        if value.is_empty() || rest.contains(['{', '}']) {
            let rule = "not the path of a file, in which `{package}` and `{version}` may stand";
            return Err(at(text, EnvironmentProblem::Text { field: "path", value, rule }));
        }
        self.path(text)
    }
}
