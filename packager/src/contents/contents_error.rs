//! What can be wrong with a package's contents.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::spec::{Location, VariableError};
use crate::war::WarError;

/// Says which content could not be gathered, and why.
#[derive(Debug)]
pub struct ContentsError {
    /// Where the spec asks for it.
    pub location: Location,
    /// What is wrong.
    pub problem: ContentsProblem,
}

/// Says why a content could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum ContentsProblem {
    /// The WAR.
    #[error(transparent)]
    War(#[from] WarError),
    /// There is nothing at the path.
    #[error("there is nothing at `{}`; paths are relative to the spec", .0.display())]
    Missing(PathBuf),
    /// No file.
    #[error("`{}` is not a file", .0.display())]
    NotFile(PathBuf),
    /// No directory.
    #[error("`{}` is not a directory", .0.display())]
    NotDirectory(PathBuf),
    /// A file or a directory could not be read.
    #[error("could not read the contents")]
    Read(#[source] io::Error),
    /// A name cannot stand in a package.
    #[error("{0:?} has a name that is not UTF-8 or holds control characters")]
    Name(PathBuf),
    /// Something other than files, directories and links.
    #[error("`{}` is neither a file nor a directory{}", .0.display(), links_too(*.1))]
    Kind(PathBuf, Links),
    /// Nothing matches.
    #[error("nothing matches `{}`", .0.display())]
    NoMatch(PathBuf),
    /// A variable in a file's text could not be resolved.
    #[error("{}:{line}: {reason}", path.display())]
    Variable {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: usize,
        /// What is wrong.
        reason: VariableError,
    },
    /// The archive's name tells no format.
    #[error("`{}` is not an archive; allowed are .tar, .tar.gz, .tgz, .tar.xz, .txz, .tar.zst and .zip", .0.display())]
    Format(PathBuf),
    /// The archive could not be unpacked.
    #[error("could not unpack `{}`", path.display())]
    Unpack {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive holds what would be installed elsewhere, or cannot be installed at all.
    #[error("`{}` holds {name:?}, which {why}", path.display())]
    Member {
        /// The archive.
        path: PathBuf,
        /// The member's name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Whether symbolic links may be among the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// They are kept as they are.
    Allowed,
    /// They are kept where they are relative and stay inside.
    Inside,
}

fn links_too(links: Links) -> &'static str {
    match links {
        Links::Allowed => ", nor a symbolic link",
        Links::Inside => ", nor a relative link that stays inside",
    }
}

impl ContentsProblem {
    /// Says where the spec asks for what is wrong.
    pub(super) fn at(self, location: &Location) -> ContentsError {
        ContentsError { location: location.clone(), problem: self }
    }
}

impl fmt::Display for ContentsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.location, self.problem)
    }
}

impl Error for ContentsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}
