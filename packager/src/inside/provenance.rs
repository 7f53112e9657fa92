//! Where a package came from: readable on the host, from a file and from the RPM's tags, and out of the package.

use std::path::Path;

use chrono::DateTime;
use nevra::Nevra;
use rpm_header::{Dependency, PackageHeader};

use super::java_properties;
use crate::rpm_file::{PayloadError, Wanted, read_file};
use crate::{SourceDate, Surroundings};

/// Where a package came from. What is not known is left out, never guessed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The commit, hexadecimal.
    pub commit: Option<String>,
    /// When it was committed.
    pub committed: Option<SourceDate>,
    /// Whether files that git follows differed from the commit.
    pub is_modified: bool,
    /// The branch, or the tag.
    pub branch: Option<String>,
    /// The URL of the sources.
    pub sources: Option<String>,
    /// The build's number.
    pub build_number: Option<String>,
    /// The build's page.
    pub build_url: Option<String>,
    /// The CI system and its machine.
    pub builder: Option<String>,
    /// What git says where it refuses to read the checkout.
    pub git_refusal: Option<String>,
    /// The commit's author, else who set the build off: `Name <mail>`.
    pub author: Option<String>,
}

/// The capability that names the commit, such as `build(commit) = 0123…`: what `dnf repoquery --whatprovides` finds.
const COMMIT_CAPABILITY: &str = "build(commit)";

/// A build.properties is no longer than this, bytes.
const FILE_LIMIT: u64 = 64 * 1024;
/// As much of a payload is unpacked to find it: configuration comes before it, the WAR after it.
const ARCHIVE_LIMIT: u64 = 64 << 20;

impl Provenance {
    /// Takes it from what a build found around its spec.
    #[must_use]
    pub fn of(surroundings: &Surroundings) -> Self {
        let checkout = surroundings.checkout.as_ref();
        let ci = &surroundings.ci;
        Self {
            commit: surroundings.commit().map(str::to_owned),
            committed: checkout.and_then(|checkout| SourceDate::from_seconds(checkout.time)),
            is_modified: checkout.is_some_and(|checkout| checkout.is_modified),
            branch: surroundings.branch().map(str::to_owned),
            sources: checkout.and_then(|checkout| checkout.origin.clone()),
            build_number: ci.number.clone(),
            build_url: ci.url.clone(),
            builder: ci.builder.clone(),
            git_refusal: surroundings.git_refusal.clone(),
            author: checkout.map(|checkout| checkout.author.clone()).or_else(|| ci.user.clone()),
        }
    }

    /// The VCS tag: the sources' URL and the commit as SPDX writes download locations (SPDX 2.3, section 7.7), such as
    /// `git+https://git.example.org/shop.git@0123…`.
    #[must_use]
    pub fn vcs(&self) -> Option<String> {
        let sources = self.sources.as_deref()?;
        let prefix = if sources.starts_with("git") { "" } else { "git+" };
        match &self.commit {
            Some(commit) => Some(format!("{prefix}{sources}@{commit}")),
            None => Some(format!("{prefix}{sources}")),
        }
    }

    /// Reads what a package that `pkg` built says of itself in its build.properties: keys and values, in their order.
    /// There is nothing to read in any other, nor where the file does not come early in the payload.
    ///
    /// # Errors
    /// [`PayloadError`] where the payload can't be read as far as the file.
    pub fn embedded(package: &Path, header: &PackageHeader) -> Result<Vec<(String, String)>, PayloadError> {
        let path = format!("/usr/share/{}/build.properties", header.nevra.name);
        let before = header.files.iter().take_while(|file| file.path != path).map(|file| file.size);
        if before.fold(0, u64::saturating_add) > ARCHIVE_LIMIT / 2 {
            return Ok(Vec::new());
        }
        let wanted = Wanted { path: &path, size_limit: FILE_LIMIT, archive_limit: ARCHIVE_LIMIT };
        let file = read_file(package, header, wanted)?.unwrap_or_default();
        Ok(java_properties::entries(&String::from_utf8_lossy(&file)))
    }

    /// What the package provides by it.
    pub(super) fn provides(&self) -> Option<Dependency> {
        let commit = self.commit.as_ref()?;
        let name = COMMIT_CAPABILITY.to_owned();
        Some(Dependency { name, flags: Dependency::EQUAL, version: commit.clone() })
    }

    /// The file on the host, a Java .properties file: what is known, one line each.
    pub(super) fn properties(&self, build: &Build<'_>) -> String {
        let Build { nevra, upstream, date, wars } = build;
        let mut text = String::new();
        let mut put = |key: &str, value: Option<&str>| {
            text.extend(value.map(|value| java_properties::line(key, value)));
        };
        put("name", Some(nevra.name.as_str()));
        put("version", Some(nevra.evr.version()));
        put("release", Some(nevra.evr.release()));
        put("upstream.version", *upstream);
        put("commit", self.commit.as_deref());
        put("commit.modified", self.is_modified.then_some("true"));
        put("branch", self.branch.as_deref());
        put("sources", self.sources.as_deref());
        put("build.number", self.build_number.as_deref());
        put("build.url", self.build_url.as_deref());
        put("builder", self.builder.as_deref());
        put("source.date", Some(&iso_8601(*date)));
        for (path, sha256) in *wars {
            put("war", Some(path));
            put("war.sha256", Some(sha256));
        }
        text
    }
}

/// What else a package's file of provenance says.
pub(super) struct Build<'a> {
    pub(super) nevra: &'a Nevra,
    /// The version as the sources write it, where rpm has another.
    pub(super) upstream: Option<&'a str>,
    pub(super) date: SourceDate,
    /// Path on the host and sha256 of the WARs.
    pub(super) wars: &'a [(String, String)],
}

/// A time such as `2023-11-14T22:13:20Z`.
pub(super) fn iso_8601(date: SourceDate) -> String {
    let time = DateTime::from_timestamp(i64::from(date.seconds()), 0).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_known() {
        let build = Build {
            nevra: &"shop-1.1~rc1-57.gabc.noarch".parse().unwrap(),
            upstream: Some("1.1-RC1"),
            date: SourceDate::from_seconds(1_700_000_000).unwrap(),
            wars: &[("/usr/share/shop/shop.war".to_owned(), "00ff".to_owned())],
        };
        let head = "name=shop\nversion=1.1~rc1\nrelease=57.gabc\nupstream.version=1.1-RC1\n";
        let tail = "source.date=2023-11-14T22:13:20Z\nwar=/usr/share/shop/shop.war\nwar.sha256=00ff\n";
        assert_eq!(Provenance::default().properties(&build), format!("{head}{tail}"));
        let known = Provenance {
            commit: Some("0123".to_owned()),
            is_modified: true,
            branch: Some("fix/ü".to_owned()),
            build_url: Some("https://ci/57".to_owned()),
            ..Provenance::default()
        };
        let lines = "commit=0123\ncommit.modified=true\nbranch=fix/\\u00fc\nbuild.url=https://ci/57\n";
        assert_eq!(known.properties(&build), format!("{head}{lines}{tail}"));
    }

    #[test]
    fn addresses_of_sources() {
        for (sources, expected) in [
            ("https://host/a.git", "git+https://host/a.git@0123"),
            ("ssh://git@host/a.git", "git+ssh://git@host/a.git@0123"),
            ("git://host/a.git", "git://host/a.git@0123"),
        ] {
            let (sources, commit) = (Some(sources.to_owned()), Some("0123".to_owned()));
            assert_eq!(Provenance { sources, commit, ..Provenance::default() }.vcs().as_deref(), Some(expected));
        }
        assert_eq!(Provenance::default().vcs(), None);
    }
}
