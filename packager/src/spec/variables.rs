//! `${VARIABLE}` in a spec's values and in expanded files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::spec_file::line_of;

/// The variables that specs may use: the package's own, those set by hand, a spec's own for an environment, then the
/// process environment's. Clones share the memory of what was used.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    package: BTreeMap<&'static str, String>,
    set: Arc<BTreeMap<String, String>>,
    spec: BTreeMap<String, String>,
    environment: Arc<BTreeMap<String, String>>,
    used: Arc<Mutex<BTreeSet<String>>>,
}

/// Says why a text's variables could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// Neither set by hand nor in the environment.
    #[error("the variable `{0}` is not defined; set it in the environment or with `--set {0}=VALUE`")]
    Undefined(String),
    /// Defined, but empty.
    #[error("the variable `{0}` is empty")]
    Empty(String),
    /// `${` that does not begin a variable.
    #[error(
        "`{0}` does not begin a variable `${{NAME}}`; names are letters, digits and `_`, not beginning with a digit, \
         and `$${{` stands for `${{` itself"
    )]
    Syntax(String),
}

impl Variables {
    /// Makes them from what was set by hand, which wins, and the environment.
    #[must_use]
    pub fn new(set: BTreeMap<String, String>, environment: BTreeMap<String, String>) -> Self {
        Self { set: Arc::new(set), environment: Arc::new(environment), ..Self::default() }
    }

    /// Adds what a package says of itself, as `PKG_…`; it wins over everything.
    pub(super) fn with_package(&self, package: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let mut variables = self.clone();
        variables.package.extend(package);
        variables
    }

    /// Adds what a spec defines; what is set by hand wins over it, and it wins over the process environment.
    pub(super) fn with_spec(&self, spec: BTreeMap<String, String>) -> Self {
        Self { spec, ..self.clone() }
    }

    /// Replaces every `${NAME}` in a text. `$${` is a `${` that stands for itself, and so does a `$` without `{`; values
    /// are not expanded again.
    ///
    /// # Errors
    /// [`VariableError`] for a variable that is undefined, empty or misspelt.
    pub fn expand(&self, text: &str) -> Result<String, VariableError> {
        self.expand_at(text).map_err(|(_, error)| error)
    }

    /// Replaces the variables of a file's text. An error comes with its line.
    pub(crate) fn expand_file(&self, text: &str) -> Result<String, (usize, VariableError)> {
        self.expand_at(text).map_err(|(offset, error)| (line_of(text, offset), error))
    }

    /// Looks a variable up, whatever it holds; none where it is not defined.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.value(name).ok().map(str::to_owned)
    }

    /// Lists what was set by hand and used by no text so far: likely misspelt.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.set.keys().filter(|name| !used.contains(*name)).cloned().collect()
    }

    fn expand_at(&self, text: &str) -> Result<String, (usize, VariableError)> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                expanded.push_str(before);
                expanded.push_str("${");
                rest = after;
                continue;
            }
            expanded.push_str(before);
            let here = text.len() - after.len() - "${".len();
            let name = after.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
            let name = name.ok_or_else(|| (here, VariableError::Syntax(excerpt(&text[here..]))))?;
            expanded.push_str(self.value(name).map_err(|error| (here, error))?);
            rest = &after[name.len() + 1..];
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn value(&self, name: &str) -> Result<&str, VariableError> {
        let by_hand = self.set.get(name);
        if by_hand.is_some() {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        }
        let value = self.package.get(name).or(by_hand).or_else(|| self.spec.get(name));
        match value.or_else(|| self.environment.get(name)).map(String::as_str) {
            None => Err(VariableError::Undefined(name.to_owned())),
            Some("") => Err(VariableError::Empty(name.to_owned())),
            Some(value) => Ok(value),
        }
    }
}

/// Tells whether a text can name a variable: letters, digits and `_`, not beginning with a digit.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn excerpt(text: &str) -> String {
    text.chars().take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Variables::new(map(&[("A", "set"), ("UNUSED", "x")]), map(&[("A", "environment"), ("B_2", "b${A}"), ("E", "")]))
    }

    #[test]
    fn expands() {
        for (text, expected) in [
            ("plain", "plain"),
            ("${A}", "set"),
            ("x${A}${B_2}y", "xsetb${A}y"),
            ("costs $5 or $A", "costs $5 or $A"),
            ("$${A} $$ $$${A}", "${A} $$ $${A}"),
            ("$${A:-b}${A}", "${A:-b}set"),
            ("", ""),
        ] {
            assert_eq!(variables().expand(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn layers() {
        let own = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let spec = variables().with_spec(own(&[("A", "spec"), ("B_2", "spec"), ("PKG_NAME", "spec")]));
        let package = spec.with_package([("PKG_NAME", "shop".to_owned())]);
        assert_eq!(package.expand("${A} ${B_2} ${PKG_NAME}").unwrap(), "set spec shop");
    }

    #[test]
    fn refuses() {
        let undefined = |name: &str| VariableError::Undefined(name.to_owned());
        let syntax = |text: &str| VariableError::Syntax(text.to_owned());
        for (text, expected) in [
            ("${NOPE}", undefined("NOPE")),
            ("${E}", VariableError::Empty("E".to_owned())),
            ("a ${A", syntax("${A")),
            ("${}", syntax("${}")),
            ("${1}", syntax("${1}")),
            ("${A:-b}", syntax("${A:-b}")),
            ("${A ${A}", syntax("${A ${A}")),
        ] {
            assert_eq!(variables().expand(text), Err(expected), "{text}");
        }
        let (line, error) = variables().expand_file("a\n${A}\n  ${NOPE}\n").unwrap_err();
        assert_eq!((line, error), (3, undefined("NOPE")));
    }

    #[test]
    fn tells_what_nobody_used() {
        let variables = variables();
        assert_eq!(variables.unused(), ["A", "UNUSED"]);
        variables.clone().expand("${A}").unwrap();
        assert_eq!(variables.unused(), ["UNUSED"]);
    }
}
