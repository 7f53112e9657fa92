//! Why contents cannot be laid out.

use std::path::PathBuf;

/// Says why contents cannot be laid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Two things would be installed at the same path.
    #[error("{second}: `{path}` is also installed by {first}")]
    Duplicate {
        /// The path.
        path: String,
        /// What installs it first.
        first: String,
        /// What installs it again.
        second: String,
    },
    /// Something would be installed below a file or a link.
    #[error("{origin}: `{path}` would lie below `{parent}`, which is no directory")]
    NoDirectory {
        /// The path.
        path: String,
        /// What installs it.
        origin: String,
        /// The file or link.
        parent: String,
    },
    /// Two packages that are installed together would install the same path.
    #[error("`{path}` would be installed by `{first}` and by `{second}`, which are installed together")]
    Shared {
        /// The path.
        path: String,
        /// The package that requires the other.
        first: String,
        /// The other.
        second: String,
    },
    /// There is nothing to package.
    #[error("{0}: the package `{1}` has no contents, and nothing that it requires")]
    Nothing(String, String),
    /// Two scripts of one kind for different interpreters.
    #[error("{0}: a script of the package's own would have to be joined with one for `{1}`; allowed is `/bin/sh`")]
    Interpreter(String, String),
    /// The context descriptor that the spec brings along.
    #[error("{}: {reason}", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: DescriptorError,
    },
}

/// Says why a context descriptor cannot be added to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// It is no XML.
    #[error("is not well-formed XML: {0}")]
    Syntax(String),
    /// It is something else.
    #[error("is not a context descriptor: its root is `{0}` instead of `Context`")]
    Root(String),
    /// It sets what the package sets.
    #[error("sets `{0}`, which the package sets itself")]
    Attribute(String),
}
