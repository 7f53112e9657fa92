//! Runs git, without a shell: one `git log` for all commits of a range.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Range;
use crate::Line;

/// A checkout.
#[derive(Debug, Clone)]
pub struct Repository {
    directory: PathBuf,
}

/// A commit as git tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id, 40 hexadecimal digits (64 in a repository of sha256).
    pub id: String,
    /// Its parents' ids.
    pub parents: Vec<String>,
    /// When it was committed, seconds since 1970.
    pub time: i64,
    /// Its author's name.
    pub author: Line,
    /// Its whole message.
    pub message: String,
}

/// Says why git did not tell.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It could not be run.
    #[error("could not run git")]
    Run(#[source] std::io::Error),
    /// It refused.
    #[error("git can't tell `{range}` in `{}`: {said}", directory.display())]
    Refused {
        /// What was asked for.
        range: String,
        /// Where.
        directory: PathBuf,
        /// What it said, one line.
        said: Line,
    },
    /// What it wrote is not what was asked for.
    #[error("git's log of `{0}` can't be read")]
    Log(String),
}

const FIELDS: usize = 5;

impl Repository {
    /// The checkout that a directory is in. Nothing is asked yet.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        Self { directory: directory.to_owned() }
    }

    /// The commits of a range, newest first, as git orders them.
    ///
    /// # Errors
    /// [`GitError`]
    pub fn commits(&self, range: &Range) -> Result<Vec<Commit>, GitError> {
        let shown = range.to_string();
        let arguments = [
            "-c",
            "log.showSignature=false",
            "log",
            "-z",
            "--no-color",
            "--encoding=UTF-8",
            "--format=tformat:%H%x00%P%x00%ct%x00%aN%x00%B",
            "--end-of-options",
            &shown,
            "--",
        ];
        let log = self.git(&arguments, &shown)?;
        let log = String::from_utf8_lossy(&log);
        let mut fields: Vec<&str> = log.split('\0').collect();
        if fields.pop() != Some("") || !fields.len().is_multiple_of(FIELDS) {
            return if log.is_empty() { Ok(Vec::new()) } else { Err(GitError::Log(shown)) };
        }
        let commits = fields.chunks_exact(FIELDS).map(|fields| {
            Some(Commit {
                id: fields[0].to_owned(),
                parents: fields[1].split_whitespace().map(str::to_owned).collect(),
                time: fields[2].parse().ok()?,
                author: Line::new(fields[3]),
                message: fields[4].to_owned(),
            })
        });
        commits.collect::<Option<_>>().ok_or(GitError::Log(shown))
    }

    /// The nearest tag that fits a pattern, such as `v*`, before what is checked out: the version before, also where HEAD
    /// has a tag itself.
    #[must_use]
    pub fn tag_before_head(&self, pattern: Option<&str>) -> Option<String> {
        let pattern = format!("--match={}", pattern.unwrap_or("*"));
        self.line(&["describe", "--tags", "--abbrev=0", &pattern, "HEAD^"])
    }

    /// The tag that fits a pattern at what is checked out.
    #[must_use]
    pub fn tag_at_head(&self, pattern: Option<&str>) -> Option<String> {
        let pattern = format!("--match={}", pattern.unwrap_or("*"));
        self.line(&["describe", "--tags", "--exact-match", &pattern, "HEAD"])
    }

    /// The top directory of the checkout.
    #[must_use]
    pub fn top(&self) -> Option<PathBuf> {
        self.line(&["rev-parse", "--show-toplevel"]).map(PathBuf::from)
    }

    /// The address that `origin` is fetched from.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        self.line(&["remote", "get-url", "origin"])
    }

    /// The files directly in a folder of a revision, by name; none where there is no such folder or revision.
    #[must_use]
    pub fn files(&self, revision: &str, folder: &Path) -> Vec<String> {
        let mut folder = folder.as_os_str().to_owned();
        folder.push("/");
        let Ok(listed) = self.git(
            &[
                "ls-tree".as_ref(),
                "-z".as_ref(),
                "--name-only".as_ref(),
                "--end-of-options".as_ref(),
                revision.as_ref(),
                "--".as_ref(),
                folder.as_os_str(),
            ],
            revision,
        ) else {
            return Vec::new();
        };
        let paths = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        paths
            .map(|path| {
                String::from_utf8_lossy(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).into_owned()
            })
            .collect()
    }

    fn line(&self, arguments: &[&str]) -> Option<String> {
        let said = self.git(arguments, "").ok()?;
        let line = String::from_utf8_lossy(&said).trim().to_owned();
        (!line.is_empty()).then_some(line)
    }

    fn git<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S], range: &str) -> Result<Vec<u8>, GitError> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.directory).args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
        let output = git.output().map_err(GitError::Run)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
        Err(GitError::Refused { range: range.to_owned(), directory: self.directory.clone(), said: Line::new(said) })
    }
}
