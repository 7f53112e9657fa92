//! One finding.

use std::fmt;

use super::Lint;

/// Something that a check found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Which check it is.
    pub lint: Lint,
    /// What it is about: a path, a scriptlet, a key with its line; never a secret itself.
    pub place: String,
}

impl Finding {
    pub(super) fn new(lint: Lint, place: impl Into<String>) -> Self {
        Self { lint, place: place.into() }
    }
}

/// Name, place, reason and mend in one line.
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lint, place } = self;
        write!(formatter, "{lint}: {place}: {}; {}", lint.reason(), lint.mend())
    }
}
