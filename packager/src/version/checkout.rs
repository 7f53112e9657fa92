//! The git checkout that a spec stands in: commit, branch, author, where it came from.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::VersionError;

/// What git knows of a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    directory: PathBuf,
    /// The commit, 40 hexadecimal digits (64 in a repository of sha256).
    pub commit: String,
    /// When it was committed, seconds since 1970.
    pub time: u32,
    /// Its author, as `Name <mail>`.
    pub author: String,
    /// The branch; none where HEAD is detached, as CI systems do.
    pub branch: Option<String>,
    /// The URL that `origin` is fetched from, without names and passwords.
    pub origin: Option<String>,
    /// Whether files that git follows differ from the commit.
    pub is_modified: bool,
}

impl Checkout {
    /// Asks git about the checkout that a directory is in.
    ///
    /// `None` outside of a checkout, without git, and before the first commit.
    ///
    /// # Errors
    /// [`VersionError::Git`] when git refuses, as it does where the directory belongs to somebody else.
    pub fn read(directory: &Path) -> Result<Option<Self>, VersionError> {
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        if !may_be_checkout(here) {
            return Ok(None);
        }
        // Contents count: a checkout that was copied has other times than git remembers.
        let status = ["--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=no"];
        // All at once: each takes longer to start than to answer.
        let head = start(here, &["log", "-1", "--no-show-signature", "--format=%H%n%ct%n%an <%ae>"]);
        let (status, origin) = (start(here, &status), start(here, &["remote", "get-url", "origin"]));
        let (head, status, origin) = (answer(head), answer(status).ok(), answer(origin).ok());
        let head = match head {
            Ok(head) => head,
            Err(refusal) if refusal.contains("dubious ownership") => return Err(VersionError::Git(refusal)),
            Err(_) => return Ok(None),
        };
        let mut lines = head.lines();
        let (Some(commit), Some(time), Some(author)) = (lines.next(), lines.next(), lines.next()) else {
            return Ok(None);
        };
        let Ok(time) = time.parse() else { return Ok(None) };
        Ok(Some(Self {
            directory: here.to_owned(),
            commit: commit.to_owned(),
            time,
            author: author.to_owned(),
            branch: status.as_deref().and_then(branch),
            origin: origin.as_deref().and_then(location),
            is_modified: status.is_none_or(|status| status.lines().any(|line| !line.starts_with('#'))),
        }))
    }

    /// Describes the commit by the nearest tag that fits a pattern such as `v*`, as `TAG-COUNT-gCOMMIT`.
    ///
    /// # Errors
    /// [`VersionError::Git`] where there is no such tag.
    pub(super) fn describe(&self, tags: &str) -> Result<String, VersionError> {
        git(&self.directory, &["describe", "--tags", "--long", "--abbrev=7", "--match", tags])
            .map_err(VersionError::Git)
    }
}

/// Whether git could find a checkout there: it looks for `.git` in the directory and in those above it, unless the
/// environment names one. To start it in order to hear that there is none takes longer.
fn may_be_checkout(directory: &Path) -> bool {
    let Ok(directory) = fs_err::canonicalize(directory) else { return true };
    let is_repository = |directory: &Path| directory.join(".git").exists() || directory.join("HEAD").exists();
    std::env::var_os("GIT_DIR").is_some() || directory.ancestors().any(is_repository)
}

/// Runs git and gives its stdout, or what it says when it fails.
fn git(directory: &Path, arguments: &[&str]) -> Result<String, String> {
    answer(start(directory, arguments))
}

fn start(directory: &Path, arguments: &[&str]) -> io::Result<Child> {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn answer(git: io::Result<Child>) -> Result<String, String> {
    let output = git.and_then(Child::wait_with_output).map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(first_line(&text(&output.stderr))) }
}

/// Reads the branch from the headers of `git status` (git-status(1), "Branch Headers").
fn branch(status: &str) -> Option<String> {
    let head = status.lines().find_map(|line| line.strip_prefix("# branch.head "))?;
    (head != "(detached)").then(|| head.to_owned())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned()
}

/// Makes a remote's address one that may be shown: without user and password, which CI systems put there.
///
/// `git@host:path` becomes `ssh://git@host/path`; a path of this machine means nothing elsewhere.
fn location(remote: &str) -> Option<String> {
    if let Some((scheme, rest)) = remote.split_once("://") {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        let known = matches!(scheme, "https" | "http" | "ssh" | "git" | "git+ssh");
        let user = if scheme.ends_with("ssh") && !user.is_empty() && !user.contains(':') {
            format!("{user}@")
        } else {
            String::new()
        };
        return (known && !host.is_empty()).then(|| format!("{scheme}://{user}{host}/{path}"));
    }
    let (host, path) = remote.split_once(':')?;
    let is_host = !host.is_empty() && !host.contains('/');
    is_host.then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Makes a checkout of one commit, from 2023-11-14T22:13:20Z.
    pub(in crate::version) fn repository(directory: &Path) {
        let commands: &[&[&str]] = &[
            &["init", "--quiet", "--initial-branch", "trunk"],
            &["remote", "add", "origin", "https://ci:secret@git.example.org/team/shop.git"],
            &["add", "--all"],
            &["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", "first"],
        ];
        for arguments in commands {
            run(directory, arguments);
        }
    }

    pub(in crate::version) fn run(directory: &Path, arguments: &[&str]) {
        let date = "1700000000 +0000";
        let mut command = Command::new("git");
        command.arg("-C").arg(directory).args(["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]);
        command.args(arguments).env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date);
        assert!(command.status().unwrap().success(), "{arguments:?}");
    }

    #[test]
    fn knows_commit_branch_and_origin() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Checkout::read(directory.path()).unwrap(), None);
        fs_err::write(directory.path().join("a"), "a").unwrap();
        repository(directory.path());
        let checkout = Checkout::read(directory.path()).unwrap().unwrap();
        assert_eq!((checkout.commit.len(), checkout.time), (40, 1_700_000_000));
        assert_eq!(checkout.author, "Ana <ana@example.org>");
        assert_eq!(checkout.branch.as_deref(), Some("trunk"));
        assert_eq!(checkout.origin.as_deref(), Some("https://git.example.org/team/shop.git"));
        assert!(!checkout.is_modified);
        fs_err::remove_file(directory.path().join("a")).unwrap();
        fs_err::write(directory.path().join("a"), "a").unwrap();
        assert!(!Checkout::read(directory.path()).unwrap().unwrap().is_modified, "the same content in another file");
        fs_err::write(directory.path().join("a"), "b").unwrap();
        assert!(Checkout::read(directory.path()).unwrap().unwrap().is_modified);
        run(directory.path(), &["checkout", "--quiet", "--detach"]);
        assert_eq!(Checkout::read(directory.path()).unwrap().unwrap().branch, None);
    }

    #[test]
    fn describes() {
        let directory = tempfile::tempdir().unwrap();
        repository(directory.path());
        let checkout = Checkout::read(directory.path()).unwrap().unwrap();
        assert!(matches!(checkout.describe("v*"), Err(VersionError::Git(_))));
        run(directory.path(), &["tag", "v1.1"]);
        run(directory.path(), &["tag", "other-7"]);
        run(directory.path(), &["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", "second"]);
        let checkout = Checkout::read(directory.path()).unwrap().unwrap();
        assert_eq!(checkout.describe("v*").unwrap(), format!("v1.1-1-g{}", &checkout.commit[..7]));
        assert!(checkout.describe("other-*").unwrap().starts_with("other-7-1-g"));
    }

    #[test]
    fn addresses_hold_no_secrets() {
        for (remote, expected) in [
            ("https://token:x@host/a/b.git", Some("https://host/a/b.git")),
            ("https://token@host:8443/a", Some("https://host:8443/a")),
            ("git@host:a/b.git", Some("ssh://git@host/a/b.git")),
            ("ssh://git@host/a", Some("ssh://git@host/a")),
            ("ssh://git:secret@host/a", Some("ssh://host/a")),
            ("/srv/git/a.git", None),
            ("file:///srv/a", None),
            ("../a", None),
            ("", None),
        ] {
            assert_eq!(location(remote).as_deref(), expected, "{remote}");
        }
    }
}
