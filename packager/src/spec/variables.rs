//! `${VARIABLE}` in a spec's values.

use std::collections::{BTreeMap, BTreeSet};

/// The variables that specs may use: those set by hand, then the environment's.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    set: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    used: BTreeSet<String>,
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
        "`{0}` does not begin a variable `${{NAME}}`; names are letters, digits and `_`, not beginning with a digit"
    )]
    Syntax(String),
}

impl Variables {
    /// Makes them from what was set by hand, which wins, and the environment.
    #[must_use]
    pub fn new(set: BTreeMap<String, String>, environment: BTreeMap<String, String>) -> Self {
        Self { set, environment, used: BTreeSet::new() }
    }

    /// Replaces every `${NAME}` in a text. A `$` without `{` stands for itself; values are not expanded again.
    ///
    /// # Errors
    /// [`VariableError`] for a variable that is undefined, empty or misspelt.
    pub fn expand(&mut self, text: &str) -> Result<String, VariableError> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            expanded.push_str(before);
            let name = after.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
            let name = name.ok_or_else(|| VariableError::Syntax(excerpt(&rest[before.len()..])))?;
            expanded.push_str(self.value(name)?);
            self.used.insert(name.to_owned());
            rest = &after[name.len() + 1..];
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// Lists what was set by hand and used by no text so far: likely misspelt.
    #[must_use]
    pub fn unused(&self) -> Vec<&str> {
        self.set.keys().filter(|name| !self.used.contains(*name)).map(String::as_str).collect()
    }

    fn value(&self, name: &str) -> Result<&str, VariableError> {
        let value = self.set.get(name).or_else(|| self.environment.get(name));
        match value.map(String::as_str) {
            None => Err(VariableError::Undefined(name.to_owned())),
            Some("") => Err(VariableError::Empty(name.to_owned())),
            Some(value) => Ok(value),
        }
    }
}

fn is_name(name: &str) -> bool {
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
            ("", ""),
        ] {
            assert_eq!(variables().expand(text).unwrap(), expected, "{text}");
        }
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
    }

    #[test]
    fn tells_what_nobody_used() {
        let mut variables = variables();
        assert_eq!(variables.unused(), ["A", "UNUSED"]);
        variables.expand("${A}").unwrap();
        assert_eq!(variables.unused(), ["UNUSED"]);
    }
}
