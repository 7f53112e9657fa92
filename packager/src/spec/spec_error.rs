//! What can be wrong with a spec.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{ValueError, VariableError};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A line of a file, counted from 1.
    Line(PathBuf, usize),
    /// A flag of the command line.
    Flag(&'static str),
}

/// Says why a spec could not be read or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file could not be read.
    #[error("could not read the spec")]
    Read(#[source] io::Error),
    /// It is no TOML, or a value has the wrong type.
    #[error("{location}: {message}")]
    Syntax {
        /// Where.
        location: Location,
        /// What the TOML reader says.
        message: String,
    },
    /// A key that no spec has.
    #[error("{location}: unknown key `{key}`{}", did_you_mean(.nearest.as_deref()))]
    UnknownKey {
        /// Where.
        location: Location,
        /// The key.
        key: String,
        /// The known key that is written most alike.
        nearest: Option<String>,
    },
    /// A key that every spec must have is missing.
    #[error("{}: the key `{key}` is missing, for example `{example}`", file.display())]
    Missing {
        /// The spec.
        file: PathBuf,
        /// The key, with its table.
        key: &'static str,
        /// How it could be written.
        example: &'static str,
    },
    /// A value's variables could not be resolved.
    #[error("{location}: `{key}`: {reason}")]
    Variable {
        /// Where.
        location: Location,
        /// The key, with its table.
        key: &'static str,
        /// What is wrong.
        reason: VariableError,
    },
    /// A value does not hold.
    #[error("{location}: `{key}`: {reason}")]
    Value {
        /// Where.
        location: Location,
        /// The key, with its table.
        key: &'static str,
        /// What is wrong.
        reason: ValueError,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default()
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(formatter, "{}:{line}", file.display()),
            Self::Flag(flag) => formatter.write_str(flag),
        }
    }
}
