//! Where a version is taken from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{MappedVersion, Surroundings, VersionError, gradle, pom, war};

/// Where the spec says that the version is: `version = "auto"`, or `version = { from = "pom", file = "../pom.xml" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSource {
    /// The first of all the others that says one, in the order war, pom, gradle, git.
    Auto,
    /// The WAR: its pom.properties, else its manifest.
    War,
    /// A pom.xml; without a path the nearest above the spec.
    Pom(Option<PathBuf>),
    /// A gradle.properties, or a version written out in a build.gradle; without a path the nearest above the spec.
    Gradle(Option<PathBuf>),
    /// The nearest tag of git that fits a pattern, `*` without one.
    Git(Option<String>),
}

/// A version with where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVersion {
    /// As it is written there.
    pub text: String,
    /// As rpm is to have it.
    pub mapped: MappedVersion,
    /// Whether it was written for this package, and not found elsewhere.
    pub is_written: bool,
    /// Where it was found, such as ``pom.properties in `target/shop.war` ``.
    pub place: String,
}

impl FromStr for VersionSource {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "war" => Ok(Self::War),
            "pom" => Ok(Self::Pom(None)),
            "gradle" => Ok(Self::Gradle(None)),
            "git" => Ok(Self::Git(None)),
            _ => Err(VersionError::Source(text.to_owned())),
        }
    }
}

impl VersionSource {
    /// Finds the version; `war` is the package's WAR, packed or a directory.
    ///
    /// # Errors
    /// [`VersionError`] where none is found, or where its source can't be read.
    pub fn find(&self, war: Option<&Path>, surroundings: &Surroundings) -> Result<FoundVersion, VersionError> {
        let (text, place) = match self {
            Self::Auto => return first(war, surroundings),
            Self::War => self::war::version(war.ok_or(VersionError::NoWar)?)?,
            Self::Pom(file) => {
                let file = file_or_above(file.as_ref(), "pom.xml", surroundings)?;
                (pom::version(&file)?, format!("`{}`", file.display()))
            }
            Self::Gradle(Some(file)) => {
                let file = surroundings.directory.join(file);
                (gradle::version(&file)?, format!("`{}`", file.display()))
            }
            Self::Gradle(None) => of_gradle(surroundings)?,
            Self::Git(tags) => described(tags.as_deref().unwrap_or("*"), surroundings)?,
        };
        Ok(FoundVersion { is_written: false, ..FoundVersion::written(text, place, surroundings) })
    }
}

impl FoundVersion {
    /// Takes a version as it is written, and maps it.
    #[must_use]
    pub fn written(text: String, place: String, surroundings: &Surroundings) -> Self {
        Self { mapped: MappedVersion::map(&text, surroundings.source_date), text, place, is_written: true }
    }
}

/// The first source that says a version. One that is there and can't be read is an error, never passed over.
fn first(war: Option<&Path>, surroundings: &Surroundings) -> Result<FoundVersion, VersionError> {
    for source in [VersionSource::War, VersionSource::Pom(None), VersionSource::Gradle(None), VersionSource::Git(None)]
    {
        match source.find(war, surroundings) {
            Err(
                VersionError::NoWar
                | VersionError::NotInWar(_)
                | VersionError::NoFile(_)
                | VersionError::NotInFile(_)
                | VersionError::NoCheckout
                | VersionError::Git(_),
            ) => {}
            found => return found,
        }
    }
    Err(VersionError::Nowhere)
}

/// The first of Gradle's files that says a version, each the nearest above the spec.
fn of_gradle(surroundings: &Surroundings) -> Result<(String, String), VersionError> {
    let mut refused = VersionError::NoFile(gradle::FILES[0]);
    for name in gradle::FILES {
        let version = surroundings.file_above(name).and_then(|file| Ok((gradle::version(&file)?, file)));
        match version {
            Ok((version, file)) => return Ok((version, format!("`{}`", file.display()))),
            Err(VersionError::NoFile(_)) => {}
            Err(error @ VersionError::NotInFile(_)) => refused = error,
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}

fn file_or_above(
    file: Option<&PathBuf>,
    name: &'static str,
    surroundings: &Surroundings,
) -> Result<PathBuf, VersionError> {
    match file {
        Some(file) => Ok(surroundings.directory.join(file)),
        None => surroundings.file_above(name),
    }
}

/// Asks git, and takes what comes before the version off the tag: `v1.1` and `shop-1.1` are both 1.1.
fn described(tags: &str, surroundings: &Surroundings) -> Result<(String, String), VersionError> {
    let checkout = match (&surroundings.checkout, &surroundings.git_refusal) {
        (Some(checkout), _) => checkout,
        (None, Some(refusal)) => return Err(VersionError::Git(refusal.clone())),
        (None, None) => return Err(VersionError::NoCheckout),
    };
    let description = checkout.describe(tags)?;
    let place = format!("git describe (`{description}`)");
    let prefix = tags.split_once('*').map_or("", |(prefix, _)| prefix);
    let version = description.strip_prefix(prefix).unwrap_or(&description);
    Ok((version[version_start(version)..].to_owned(), place))
}

/// Where the version begins in a tag: at the first digit that begins it, or follows `v`, `-`, `_` or `/`.
fn version_start(tag: &str) -> usize {
    let begins = |(index, character): (usize, char)| {
        let before = tag[..index].chars().next_back();
        character.is_ascii_digit() && before.is_none_or(|before| "vV-_/".contains(before))
    };
    tag.char_indices().find(|item| begins(*item)).map_or(0, |(index, _)| index)
}

/// As the user is told: ``1.1~rc1, from `1.1-RC1` of pom.properties in `shop.war` ``.
impl fmt::Display for FoundVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` of {}", self.text, self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkout::tests::{repository, run};
    use super::*;
    use crate::Target;

    fn surroundings(directory: &Path) -> Surroundings {
        Surroundings::find(directory, |_| None)
    }

    #[test]
    fn versions_in_tags() {
        for (tag, version) in
            [("v1.1", "1.1"), ("1.1", "1.1"), ("shop2-1.1", "1.1"), ("release/v1.1-rc1", "1.1-rc1"), ("shop", "shop")]
        {
            assert_eq!(&tag[version_start(tag)..], version, "{tag}");
        }
    }

    #[test]
    fn the_first_source_that_says_one() {
        let directory = tempfile::tempdir().unwrap();
        let find = |war: Option<&Path>| VersionSource::Auto.find(war, &surroundings(&directory.path().join("specs")));
        fs_err::create_dir_all(directory.path().join("specs")).unwrap();
        repository(directory.path());
        assert!(matches!(find(None), Err(VersionError::Nowhere)));
        run(directory.path(), &["tag", "v1.1-rc1"]);
        let found = find(None).unwrap();
        assert_eq!(found.mapped.version(Target::El9), "1.1~rc1");
        assert!(found.to_string().contains("of git describe (`v1.1-rc1-0-g"), "{found}");
        fs_err::write(directory.path().join("gradle.properties"), "version=1.2-SNAPSHOT\n").unwrap();
        let found = find(None).unwrap();
        assert_eq!(found.mapped.version(Target::El9), "1.2~SNAPSHOT.20231114221320");
        assert!(found.place.ends_with("gradle.properties`"), "{found}");
        fs_err::write(directory.path().join("pom.xml"), "<project><version>1.3</version></project>").unwrap();
        assert_eq!(find(None).unwrap().text, "1.3");
        let war = directory.path().join("war/META-INF");
        fs_err::create_dir_all(&war).unwrap();
        fs_err::write(war.join("MANIFEST.MF"), "Implementation-Version: 1.4\r\n").unwrap();
        assert_eq!(find(Some(&directory.path().join("war"))).unwrap().text, "1.4");
        fs_err::write(directory.path().join("pom.xml"), "<project>").unwrap();
        assert!(matches!(find(None), Err(VersionError::Xml { .. })));
    }
}
