//! What a build finds around its spec: the checkout, the CI system, the date of the sources.

use std::path::{Path, PathBuf};

use super::{Checkout, CiBuild, VersionError};
use crate::SourceDate;

/// Everything besides the spec that a version can be found by.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The spec's directory; empty for the current one.
    pub directory: PathBuf,
    /// The checkout that the spec is in.
    pub checkout: Option<Checkout>,
    /// What git says where it refuses to read the checkout.
    pub git_refusal: Option<String>,
    /// The build in a CI system.
    pub ci: CiBuild,
    /// The date of the sources.
    pub source_date: SourceDate,
}

impl Surroundings {
    /// Asks git and the environment. Without a date in `SOURCE_DATE_EPOCH` the commit's is taken, else the clock's.
    #[must_use]
    pub fn find(directory: &Path, variable: impl Fn(&str) -> Option<String>) -> Self {
        let (checkout, git_refusal) = match Checkout::read(directory) {
            Ok(checkout) => (checkout, None),
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        let of_commit = || checkout.as_ref().and_then(|checkout| SourceDate::from_seconds(checkout.time));
        let written = variable("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.trim().parse().ok());
        let source_date = written.and_then(SourceDate::from_seconds).or_else(of_commit).unwrap_or_else(SourceDate::now);
        let ci = CiBuild::read(variable);
        Self { directory: directory.to_owned(), ci, checkout, git_refusal, source_date }
    }

    /// The commit: what is checked out, else what the CI system says.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        self.checkout.as_ref().map(|checkout| checkout.commit.as_str()).or(self.ci.commit.as_deref())
    }

    /// The branch: what the CI system says (its checkouts are detached), else what is checked out.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        let checked_out = || self.checkout.as_ref().and_then(|checkout| checkout.branch.as_deref());
        self.ci.branch.as_deref().or_else(checked_out)
    }

    /// Finds a file of this name beside the spec or above it, within the checkout; outside of one, up to the directory
    /// above.
    pub(super) fn file_above(&self, name: &'static str) -> Result<PathBuf, VersionError> {
        let start = std::path::absolute(self.directory.join(".")).map_err(VersionError::Read)?;
        let levels = if self.checkout.is_some() { usize::MAX } else { 2 };
        for directory in start.ancestors().take(levels) {
            let file = directory.join(name);
            if file.is_file() {
                return Ok(shortened(&file));
            }
            if directory.join(".git").exists() {
                break;
            }
        }
        Err(VersionError::NoFile(name))
    }
}

/// Leaves the current directory out of a path.
fn shortened(path: &Path) -> PathBuf {
    let current = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&current).unwrap_or(path).to_owned()
}
