//! A section whose keys depend on its `kind`: each key is taken by who knows it, and one that nobody took is refused.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use toml::{Spanned, Value};

use super::EnvironmentProblem;
use super::reader::{Checked, Located, Reader, Text};
use super::text::nearest_of;

/// A section as it is written.
pub(super) type RawFields = Spanned<BTreeMap<String, Spanned<Value>>>;

/// A section that is being read.
pub(super) struct Fields<'a> {
    reader: &'a Reader<'a>,
    span: Range<usize>,
    rest: BTreeMap<String, Spanned<Value>>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, raw: &RawFields) -> Self {
        Self { reader, span: raw.span(), rest: raw.get_ref().clone(), asked: Vec::new() }
    }

    /// The reader, for values that this does not read itself.
    pub(super) fn reader(&self) -> &'a Reader<'a> {
        self.reader
    }

    /// The place of the section.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<Value>> {
        self.asked.push(key);
        self.rest.remove(key)
    }

    /// A text, if it is there.
    pub(super) fn text(&mut self, key: &'static str) -> Checked<Option<Text>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.get_ref() {
            Value::String(text) => Ok(Some(Spanned::new(value.span(), text.clone()))),
            other => Err(wrong_type(key, other, "a text", value.span())),
        }
    }

    /// One of the kinds that there are; the default, if it is not said.
    pub(super) fn kind<T: Copy>(&mut self, kinds: &[(&'static str, T)], default: Option<T>) -> Checked<T> {
        let Some(text) = (if default.is_some() { self.text("kind")? } else { Some(self.needed("kind")?) }) else {
            return Ok(default.unwrap_or(kinds[0].1));
        };
        let value = self.reader.text(&text)?;
        if let Some((_, kind)) = kinds.iter().find(|(name, _)| *name == value) {
            return Ok(*kind);
        }
        let nearest = nearest_of(&value, kinds.iter().map(|(name, _)| *name));
        let list = kinds.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = format!("unknown kind `{value}`, there are {list}");
        Err(Located { span: text.span(), problem: EnvironmentProblem::Shape { message, nearest } })
    }

    /// A text that has to be there.
    pub(super) fn needed(&mut self, key: &'static str) -> Checked<Text> {
        let (span, message) = (self.span(), format!("`{key}` is missing"));
        self.text(key)?.ok_or(Located { span, problem: EnvironmentProblem::Shape { message, nearest: None } })
    }

    /// A whole number within a range, if it is there.
    pub(super) fn number<T: TryFrom<i64>>(&mut self, key: &'static str) -> Checked<Option<T>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = value.get_ref().as_integer().and_then(|number| T::try_from(number).ok());
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_type(key, value.get_ref(), "a number that can be", value.span())),
        }
    }

    /// A whole number that has to be there.
    pub(super) fn needed_number<T: TryFrom<i64>>(&mut self, key: &'static str) -> Checked<T> {
        let (span, message) = (self.span(), format!("`{key}` is missing"));
        self.number(key)?.ok_or(Located { span, problem: EnvironmentProblem::Shape { message, nearest: None } })
    }

    /// A table, if it is there.
    pub(super) fn table(&mut self, key: &'static str) -> Checked<Option<toml::Table>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.get_ref() {
            Value::Table(table) => Ok(Some(table.clone())),
            other => Err(wrong_type(key, other, "a table", value.span())),
        }
    }

    /// A time, or its default.
    pub(super) fn time(&mut self, key: &'static str, default: Duration) -> Checked<Duration> {
        let text = self.text(key)?;
        self.reader.time(text.as_ref(), default)
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Checked<()> {
        let Some((key, value)) = self.rest.into_iter().next() else { return Ok(()) };
        let nearest = nearest_of(&key, self.asked.iter().copied());
        let list = self.asked.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let message = format!("unknown field `{key}` for this `kind`, which has {list}");
        Err(Located { span: value.span(), problem: EnvironmentProblem::Shape { message, nearest } })
    }
}

fn wrong_type(key: &str, value: &Value, wanted: &str, span: Range<usize>) -> Located {
    let message = format!("`{key}` is `{value}`, not {wanted}");
    Located { span, problem: EnvironmentProblem::Shape { message, nearest: None } }
}
