//! What can be wrong with a spec.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{ValueError, VariableError};
use crate::inside::NotesError;
use crate::version::VersionError;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A line of a file, counted from 1.
    Line(PathBuf, usize),
    /// A file as a whole.
    File(PathBuf),
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
    #[error("{location}: unknown key `{key}`; {}", did_you_mean(.nearest.as_deref(), .known))]
    UnknownKey {
        /// Where.
        location: Location,
        /// The key.
        key: String,
        /// The known key that is meant, as it seems.
        nearest: Option<String>,
        /// All that may stand there.
        known: Vec<String>,
    },
    /// A key that must be there is missing.
    #[error("{location}: the key `{key}` is missing, for example `{example}`")]
    Missing {
        /// The spec, or the table.
        location: Location,
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
    /// A file that a value names could not be read.
    #[error("{location}: `{key}`: could not read the file")]
    File {
        /// Where.
        location: Location,
        /// The key, with its table.
        key: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A version or a release is not where the spec says.
    #[error("{location}: `{key}`: could not be found")]
    NotFound {
        /// Where.
        location: Location,
        /// The key, with its table.
        key: &'static str,
        /// Why.
        source: VersionError,
    },
    /// The release notes.
    #[error("{location}: `notes`: cannot be the package's release notes")]
    Notes {
        /// Where.
        location: Location,
        /// Why.
        source: NotesError,
    },
    /// An environment that was asked for is in no spec.
    #[error("{}: there is no environment `{name}`; the spec has {known}", file.display())]
    NoEnvironment {
        /// The spec.
        file: PathBuf,
        /// What was asked for.
        name: String,
        /// Those that it has.
        known: String,
    },
    /// Two packages of the same name.
    #[error("{location}: another package of this spec is named `{name}` as well")]
    SameName {
        /// Where the second is.
        location: Location,
        /// Their name.
        name: String,
    },
}

fn did_you_mean(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(key) => format!("did you mean `{key}`?"),
        None => format!("allowed are `{}`", known.join("`, `")),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(formatter, "{}:{line}", file.display()),
            Self::File(file) => write!(formatter, "{}", file.display()),
            Self::Flag(flag) => formatter.write_str(flag),
        }
    }
}
