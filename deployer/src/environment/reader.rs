//! Reading values out of an environment file: each is checked where it is read, and an error knows its place.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;

use super::EnvironmentProblem;
use super::text::{Variables, expand, parse_time};

/// A text with its place in the file; `${NAME}` in it is not yet replaced.
pub(super) type Text = Spanned<String>;

/// A problem and where in the file it is.
pub(super) struct Located {
    pub(super) span: Range<usize>,
    pub(super) problem: EnvironmentProblem,
}

pub(super) type Checked<T> = Result<T, Located>;

/// Reads one file.
pub(super) struct Reader<'a> {
    pub(super) variables: Variables<'a>,
    pub(super) directory: &'a Path,
    /// Whether `${NAME}` in a text means nothing, as in what a program tells.
    pub(super) literal: bool,
}

impl Reader<'_> {
    pub(super) fn text(&self, text: &Text) -> Checked<String> {
        if self.literal {
            return Ok(text.get_ref().clone());
        }
        expand(text.get_ref(), self.variables).map_err(|problem| at(text, problem))
    }

    pub(super) fn parsed<T>(&self, text: &Text) -> Checked<T>
    where
        T: FromStr,
        EnvironmentProblem: From<T::Err>,
    {
        self.text(text)?.parse().map_err(|problem: T::Err| at(text, problem.into()))
    }

    pub(super) fn time(&self, text: Option<&Text>, default: Duration) -> Checked<Duration> {
        let Some(text) = text else { return Ok(default) };
        parse_time(&self.text(text)?).map_err(|problem| at(text, problem))
    }

    /// A word that is safe in a file name, in HAProxy's commands and as yum's repository id.
    pub(super) fn word(&self, field: &'static str, text: &Text) -> Checked<String> {
        self.as_word(field, text, self.text(text)?)
    }

    /// The same, of a value that was read at a place before.
    pub(super) fn as_word(&self, field: &'static str, text: &Text, value: String) -> Checked<String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
        if !value.is_empty() && !value.starts_with('-') && value.chars().all(fits) {
            return Ok(value);
        }
        let rule = "not a word of letters, digits and `. _ : @ -`, not beginning with `-`";
        Err(at(text, EnvironmentProblem::Text { field, value, rule }))
    }

    /// What `ssh` takes as a user or a destination, and never as an option.
    pub(super) fn destination(&self, field: &'static str, text: &Text) -> Checked<String> {
        self.as_destination(field, text, self.text(text)?)
    }

    /// The same, of a value that was read at a place before.
    pub(super) fn as_destination(&self, field: &'static str, text: &Text, value: String) -> Checked<String> {
        let fits = |c: char| c.is_ascii_graphic() && !"'\"`\\$;&|<>(){}".contains(c);
        if !value.is_empty() && !value.starts_with('-') && value.chars().all(fits) {
            return Ok(value);
        }
        let rule = "not what `ssh` takes there: no spaces, no quotes, not beginning with `-`";
        Err(at(text, EnvironmentProblem::Text { field, value, rule }))
    }

    pub(super) fn ssh_option(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        let key = value.split_once('=').map_or("", |(key, _)| key);
        if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()) && !value.contains('\n') {
            return Ok(value);
        }
        Err(at(text, EnvironmentProblem::Text { field: "option", value, rule: "not `Key=value`" }))
    }

    pub(super) fn absolute(&self, field: &'static str, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        if value.starts_with('/') && value.chars().all(|c| c.is_ascii_alphanumeric() || "/._@-".contains(c)) {
            return Ok(value);
        }
        let rule = "not an absolute path of letters, digits and `/ . _ @ -`";
        Err(at(text, EnvironmentProblem::Text { field, value, rule }))
    }

    /// A URL that begins with `http://` or `https://`.
    pub(super) fn http_url(&self, field: &'static str, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        if value.starts_with("http://") || value.starts_with("https://") {
            return Ok(value);
        }
        let rule = "not a URL that begins with `http://` or `https://`";
        Err(at(text, EnvironmentProblem::Text { field, value, rule }))
    }

    pub(super) fn path(&self, text: &Text) -> Checked<PathBuf> {
        Ok(self.directory.join(self.text(text)?))
    }

    /// A directory relative to the file, or a URL as it is.
    pub(super) fn location(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        if value.contains("://") {
            return Ok(value);
        }
        Ok(self.directory.join(value).display().to_string())
    }
}

pub(super) fn at(text: &Text, problem: EnvironmentProblem) -> Located {
    Located { span: text.span(), problem }
}

pub(super) fn refuse_empty(length: usize, list: &'static str, span: Range<usize>) -> Checked<()> {
    if length > 0 { Ok(()) } else { Err(Located { span, problem: EnvironmentProblem::Empty(list) }) }
}

pub(super) fn refuse_twice<'a>(
    values: impl Iterator<Item = &'a str>,
    field: &'static str,
    span: Range<usize>,
) -> Checked<()> {
    let mut seen = BTreeSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(Located { span, problem: EnvironmentProblem::Twice { field, value: value.to_owned() } });
        }
    }
    Ok(())
}
