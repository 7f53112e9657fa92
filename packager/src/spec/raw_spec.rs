//! The spec as it is written: keys and texts, nothing resolved yet.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{Location, SpecError};

/// A text with its place in the file.
pub(super) type Text = Spanned<String>;

/// A spec file that was read: its keys are known and their values have the right types.
#[derive(Debug)]
pub struct SpecFile {
    path: PathBuf,
    text: String,
    pub(super) raw: RawSpec,
}

/// The keys of a spec.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpec {
    pub(super) name: Option<Text>,
    pub(super) summary: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) license: Option<Text>,
    pub(super) url: Option<Text>,
    pub(super) version: Option<Text>,
    pub(super) release: Option<Text>,
    #[serde(default)]
    pub(super) requires: Vec<Text>,
    pub(super) compression: Option<Text>,
    pub(super) tomcat: Option<RawTomcat>,
    pub(super) configuration: Option<RawConfiguration>,
}

/// The keys of `[tomcat]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTomcat {
    pub(super) war: Option<Text>,
    pub(super) context: Option<Text>,
    pub(super) instance: Option<Text>,
    pub(super) group: Option<Text>,
}

/// The keys of `[configuration]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfiguration {
    pub(super) directory: Option<Text>,
}

impl SpecFile {
    /// Reads a spec file.
    ///
    /// # Errors
    /// [`SpecError`] when it cannot be read, is no TOML or holds an unknown key.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let text = fs_err::read_to_string(path).map_err(SpecError::Read)?;
        Self::parse(path, text)
    }

    /// Parses a spec's text; `path` is what errors name and what paths in it are relative to.
    ///
    /// # Errors
    /// [`SpecError`] when it is no TOML or holds an unknown key.
    pub fn parse(path: &Path, text: String) -> Result<Self, SpecError> {
        match toml::from_str(&text) {
            Ok(raw) => Ok(Self { path: path.to_owned(), text, raw }),
            Err(error) => Err(spec_error(path, &text, &error)),
        }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn location(&self, text: &Text) -> Location {
        Location::Line(self.path.clone(), line_of(&self.text, text.span().start))
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn spec_error(path: &Path, text: &str, error: &toml::de::Error) -> SpecError {
    let line = line_of(text, error.span().map_or(0, |span| span.start));
    let location = Location::Line(path.to_owned(), line);
    match unknown_key(error.message()) {
        Some((key, nearest)) => SpecError::UnknownKey { location, key, nearest },
        None => SpecError::Syntax { location, message: error.message().trim().replace('\n', ", ") },
    }
}

/// Takes the key out of serde's "unknown field `x`, expected one of `a`, `b`", and the known one most like it.
fn unknown_key(message: &str) -> Option<(String, Option<String>)> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let key = quoted.next()?.to_owned();
    let nearest = quoted
        .map(|known| (strsim::jaro_winkler(&key, known), known))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known.to_owned());
    Some((key, nearest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        SpecFile::parse(Path::new("a/x.toml"), text.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn says_file_line_and_nearest_key() {
        for (text, expected) in [
            ("name = \"a\"\nverison = \"1\"\n", "a/x.toml:2: unknown key `verison`; did you mean `version`?"),
            ("[tomcat]\nwar = \"a\"\ncontxt = \"/\"", "a/x.toml:3: unknown key `contxt`; did you mean `context`?"),
            ("[configuration]\ndir = \"a\"", "a/x.toml:2: unknown key `dir`; did you mean `directory`?"),
            ("\n[tomcatt]\nwar = \"a\"", "a/x.toml:2: unknown key `tomcatt`; did you mean `tomcat`?"),
            ("zzz = 1", "a/x.toml:1: unknown key `zzz`"),
        ] {
            assert_eq!(error(text), expected);
        }
    }

    #[test]
    fn says_where_broken_toml_breaks() {
        for (text, line) in [("name = ", 1), ("name = \"a\"\nversion = 1.4\n", 2), ("name='a'\nname='b'", 2)] {
            assert!(error(text).starts_with(&format!("a/x.toml:{line}: ")), "{}", error(text));
        }
    }
}
