//! Values of one spec file: variables resolved, read into their types, refused with their key and line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::located::{Located, Text};
use super::{Location, SpecError, SpecFile, ValueError, VariableError, Variables};
use crate::contents::PathFilter;

/// A value with its variables resolved, its key and where it was written.
pub(super) struct Resolved {
    pub(super) key: &'static str,
    pub(super) location: Location,
    pub(super) value: String,
}

impl Resolved {
    /// Reads the value into its type.
    pub(super) fn read<T, E: Into<ValueError>>(
        &self,
        reader: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, SpecError> {
        reader(&self.value).map_err(|error| self.refused(error))
    }

    pub(super) fn refused(&self, error: impl Into<ValueError>) -> SpecError {
        SpecError::Value { location: self.location.clone(), key: self.key, reason: error.into() }
    }
}

/// Resolves the values of one spec file.
pub(super) struct Resolver<'a> {
    pub(super) file: &'a SpecFile,
    /// Where the package that is resolved begins.
    pub(super) location: Location,
    pub(super) variables: Variables,
}

impl Resolver<'_> {
    /// A key that every package must have.
    pub(super) fn required(
        &self,
        key: &'static str,
        text: Option<&Text>,
        example: &'static str,
    ) -> Result<Resolved, SpecError> {
        let text = text.ok_or_else(|| SpecError::Missing { location: self.location.clone(), key, example })?;
        self.resolved(key, text)
    }

    /// A key that a table, which begins at `span`, must have.
    pub(super) fn required_in(
        &self,
        span: Range<usize>,
        key: &'static str,
        text: Option<&Text>,
        example: &'static str,
    ) -> Result<Resolved, SpecError> {
        let missing = || SpecError::Missing { location: self.file.location(span), key, example };
        self.resolved(key, text.ok_or_else(missing)?)
    }

    /// A key that may be left out.
    pub(super) fn optional(&self, key: &'static str, text: Option<&Text>) -> Result<Option<Resolved>, SpecError> {
        text.map(|text| self.resolved(key, text)).transpose()
    }

    /// A key that may be left out, read into its type.
    pub(super) fn optional_as<T, E: Into<ValueError>>(
        &self,
        key: &'static str,
        text: Option<&Text>,
        reader: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, SpecError> {
        self.optional(key, text)?.map(|value| value.read(reader)).transpose()
    }

    /// A list, read into its type.
    pub(super) fn list<T, E: Into<ValueError>>(
        &self,
        key: &'static str,
        texts: &[Text],
        reader: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, SpecError> {
        texts.iter().map(|text| self.resolved(key, text)?.read(&reader)).collect()
    }

    pub(super) fn resolved(&self, key: &'static str, text: &Text) -> Result<Resolved, SpecError> {
        self.resolved_at(key, text.value(), text.span())
    }

    /// A text that is written within `span`.
    pub(super) fn resolved_at(&self, key: &'static str, text: &str, span: Range<usize>) -> Result<Resolved, SpecError> {
        let value = self.expanded(key, text, span.clone())?;
        not_empty(Resolved { key, location: self.file.location(span), value })
    }

    /// Replaces the variables of a text that is written within `span`.
    pub(super) fn expanded(&self, key: &'static str, text: &str, span: Range<usize>) -> Result<String, SpecError> {
        self.variables.expand(text).map_err(|reason| {
            let location = self.file.location_within(span, &reason.written());
            SpecError::Variable { location, key, reason }
        })
    }

    /// A path that is relative to the spec.
    pub(super) fn path(&self, value: &Resolved) -> PathBuf {
        self.file.directory().join(&value.value)
    }

    /// A path that is relative to the spec, whose last part may be a pattern that fits just one file there:
    /// `target/shop-*.war`.
    pub(super) fn one_path(&self, value: &Resolved) -> Result<PathBuf, SpecError> {
        let path = self.path(value);
        let pattern = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains('*'));
        let Some(pattern) = pattern else { return Ok(path) };
        let matcher = value.read(|_| PathFilter::pattern(pattern))?.compile_matcher();
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let names = std::fs::read_dir(directory)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| matcher.is_match(name)).collect();
        names.sort();
        match names.as_slice() {
            [name] => Ok(path.with_file_name(name)),
            names => Err(value.refused(ValueError::NotOne(value.value.clone(), listed(names)))),
        }
    }

    /// The text of a file that a key names; at most a mebibyte of UTF-8.
    pub(super) fn file_text(&self, value: &Resolved, expand: Expand) -> Result<String, SpecError> {
        let path = self.path(value);
        let refused = |source| SpecError::File { location: value.location.clone(), key: value.key, source };
        let text = read_text(&path).map_err(refused)?;
        match expand {
            Expand::No => Ok(text),
            Expand::Yes => self.variables.expand_file(&text).map_err(|(line, reason)| SpecError::Variable {
                location: Location::Line(path, line),
                key: value.key,
                reason,
            }),
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

/// Whether the variables in a file's text are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expand {
    /// The file is taken as it is.
    No,
    /// They are replaced.
    Yes,
}

impl Expand {
    pub(super) fn of(key: Option<&Located<bool>>) -> Self {
        if key.is_some_and(|key| *key.value()) { Self::Yes } else { Self::No }
    }
}

/// What texts of scripts and expanded files may be long, in bytes: they are held in memory.
const TEXT_LIMIT: u64 = 1 << 20;

/// Reads a text file of at most a mebibyte.
pub(crate) fn read_text(path: &Path) -> std::io::Result<String> {
    let invalid = |why: String| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
    let length = fs_err::metadata(path)?.len();
    if length > TEXT_LIMIT {
        return Err(invalid(format!("`{}` is {length} bytes long; allowed are {TEXT_LIMIT}", path.display())));
    }
    String::from_utf8(fs_err::read(path)?).map_err(|_| invalid(format!("`{}` is not UTF-8", path.display())))
}

pub(super) fn from_flag(key: &'static str, flag: &'static str, value: &str) -> Result<Resolved, SpecError> {
    not_empty(Resolved { key, location: Location::Flag(flag), value: value.to_owned() })
}

fn not_empty(resolved: Resolved) -> Result<Resolved, SpecError> {
    if resolved.value.trim().is_empty() { Err(resolved.refused(ValueError::Empty)) } else { Ok(resolved) }
}

impl VariableError {
    /// How the variable is written in the text that it was found in.
    fn written(&self) -> String {
        match self {
            Self::Undefined(name) | Self::Empty(name) => format!("${{{name}}}"),
            Self::Syntax(excerpt) => excerpt.lines().next().unwrap_or_default().to_owned(),
        }
    }
}
