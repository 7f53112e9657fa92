//! Resolves version and release, which may be written, given, or found.

use std::path::PathBuf;

use nevra::Evr;

use super::located::Located;
use super::raw_spec::RawSpec;
use super::raw_version::{RawVersion, RawVersionSource};
use super::resolver::{Resolved, Resolver, from_flag};
use super::value::build_number;
use super::{Overrides, SpecError, ValueError};
use crate::Target;
use crate::version::{FoundVersion, Surroundings, VersionError, VersionSource};

/// A package's version and release, and where they come from.
#[derive(Debug, Clone)]
pub(super) struct Versioned {
    pub(super) evr: Evr,
    pub(super) build_number: u64,
    pub(super) version: FoundVersion,
    /// Where a release was found that the spec leaves open.
    pub(super) release_place: Option<String>,
}

/// What leaves a version or a release to be found.
const AUTO: &str = "auto";

/// Reads epoch, version and release; a missing one is an error, never a default.
pub(super) fn versioned(
    resolver: &Resolver<'_>,
    raw: &RawSpec,
    overrides: &Overrides,
    surroundings: &Surroundings,
) -> Result<Versioned, SpecError> {
    let target: Target = resolver.optional_as("target", raw.target.as_ref(), str::parse)?.unwrap_or_default();
    let mut version = version(resolver, raw, overrides, surroundings)?;
    let written = resolver.optional("prerelease", raw.prerelease.as_ref())?;
    if let Some(prerelease) = written {
        version.mapped = prerelease.read(|text| match version.mapped.clone().with_prerelease(text) {
            Some(mapped) => Ok(mapped),
            None => Err(ValueError::Prerelease(version.text.clone())),
        })?;
    }
    let text = version.mapped.version(target);
    let refused = |error: nevra::ParseEvrError| match &overrides.version {
        Some(_) => {
            SpecError::Value { location: super::Location::Flag("--version"), key: "version", reason: error.into() }
        }
        None => {
            let location =
                raw.version.as_ref().map_or(resolver.location.clone(), |raw| resolver.file.location(raw.span()));
            SpecError::Value { location, key: "version", reason: error.into() }
        }
    };
    Evr::new(0, &text, "1").map_err(refused)?;
    let release = match &overrides.release {
        Some(value) => from_flag("release", "--release", value)?,
        None => resolver.required("release", raw.release.as_ref(), "release = \"${BUILD_NUMBER}\"")?,
    };
    let (release, release_place) = self::release(release, surroundings)?;
    let full = format!("{}{}", release.value, version.mapped.release_suffix(target));
    let evr = release.read(|_| Evr::new(raw.epoch.unwrap_or(0), &text, &full))?;
    Ok(Versioned { evr, build_number: release.read(build_number)?, version, release_place })
}

fn version(
    resolver: &Resolver<'_>,
    raw: &RawSpec,
    overrides: &Overrides,
    surroundings: &Surroundings,
) -> Result<FoundVersion, SpecError> {
    let (written, source) = match (&overrides.version, &raw.version) {
        (Some(flag), _) => (from_flag("version", "--version", flag)?, None),
        (None, Some(written)) => match written.value() {
            RawVersion::Text(text) => (resolver.resolved_at("version", text, written.span())?, None),
            RawVersion::Found(found) => source(resolver, written, found)?,
        },
        (None, None) => {
            let example = "version = \"${VERSION}\"` or `version = { from = \"war\" }";
            let location = resolver.location.clone();
            return Err(SpecError::Missing { location, key: "version", example });
        }
    };
    let source = source.or_else(|| (written.value.trim() == AUTO).then_some(VersionSource::Auto));
    match source {
        None => Ok(FoundVersion::written(written.value, written.location.to_string(), surroundings)),
        Some(source) => {
            let war = war(resolver, raw, &source)?;
            source.find(war.as_deref(), surroundings).map_err(|reason| not_found(&written, reason))
        }
    }
}

/// The WAR, where the version may be found in it.
fn war(resolver: &Resolver<'_>, raw: &RawSpec, source: &VersionSource) -> Result<Option<PathBuf>, SpecError> {
    if !matches!(source, VersionSource::War | VersionSource::Auto) {
        return Ok(None);
    }
    let war = raw.tomcat.as_ref().and_then(|tomcat| tomcat.war.as_ref());
    let war = resolver.optional("tomcat.war", war)?;
    war.map(|war| resolver.one_path(&war)).transpose()
}

fn source(
    resolver: &Resolver<'_>,
    written: &Located<RawVersion>,
    raw: &RawVersionSource,
) -> Result<(Resolved, Option<VersionSource>), SpecError> {
    let resolved = |key, text: &String| resolver.resolved_at(key, text, written.span());
    let from = resolved("version.from", &raw.from)?;
    let file = raw.file.as_ref().map(|file| resolved("version.file", file)).transpose()?;
    let tags = raw.tags.as_ref().map(|tags| resolved("version.tags", tags)).transpose()?;
    let source = from.value.parse().map_err(|reason| not_found(&from, reason))?;
    let source = match (source, file, tags) {
        (VersionSource::Pom(_), Some(file), None) => VersionSource::Pom(Some(file.value.into())),
        (VersionSource::Gradle(_), Some(file), None) => VersionSource::Gradle(Some(file.value.into())),
        (VersionSource::Git(_), None, Some(tags)) => VersionSource::Git(Some(tags.value)),
        (source, None, None) => source,
        (_, Some(file), _) => return Err(file.refused(ValueError::NotOfSource("file", "`pom` or `gradle`"))),
        (_, _, Some(tags)) => return Err(tags.refused(ValueError::NotOfSource("tags", "`git`"))),
    };
    Ok((from, Some(source)))
}

fn release(written: Resolved, surroundings: &Surroundings) -> Result<(Resolved, Option<String>), SpecError> {
    if written.value.trim() != AUTO {
        return Ok((written, None));
    }
    let (value, place) = surroundings.release().map_err(|reason| not_found(&written, reason))?;
    Ok((Resolved { value, ..written }, Some(place)))
}

fn not_found(written: &Resolved, source: VersionError) -> SpecError {
    SpecError::NotFound { location: written.location.clone(), key: written.key, source }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{PackageSpec, SpecFile, Variables};
    use super::*;

    fn resolve(directory: &Path, keys: &str, environment: &[(&str, &str)]) -> Result<PackageSpec, String> {
        fs_err::create_dir_all(directory.join("shop.war")).unwrap();
        let text = format!("name='shop'\nsummary='s'\nlicense='MIT'\n{keys}\n[tomcat]\nwar='shop.war'\n");
        let file = SpecFile::parse(&directory.join("shop.toml"), text).map_err(|error| error.to_string())?;
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let specs = file.resolve(&Variables::new([].into(), environment), &Overrides::default());
        specs.map(|mut specs| specs.remove(0)).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        })
    }

    #[test]
    fn finds_and_maps() {
        let directory = tempfile::tempdir().unwrap();
        let pom = "<project><version>1.4.0-RC1</version></project>";
        fs_err::write(directory.path().join("pom.xml"), pom).unwrap();
        fs_err::write(directory.path().join("my.properties"), "version=1.5-SNAPSHOT").unwrap();
        let ci = [("GITLAB_CI", "true"), ("CI_PIPELINE_IID", "57"), ("CI_COMMIT_SHA", "0123456789abcdef")];
        let ci = [&ci[..], &[("SOURCE_DATE_EPOCH", "1700000000"), ("V", "2.0.Final")]].concat();
        for (keys, expected) in [
            ("version='auto'\nrelease='auto'", "shop-1.4.0~rc1-57.g0123456.noarch"),
            ("version={from='pom'}\nrelease='1'", "shop-1.4.0~rc1-1.noarch"),
            (
                "version={from='gradle',file='my.properties'}\nrelease='${CI_PIPELINE_IID}'",
                "shop-1.5~SNAPSHOT.20231114221320-57.noarch",
            ),
            ("version='${V}'\nrelease='1'", "shop-2.0-1.noarch"),
            ("version='1.1-9-gabc1234'\nrelease='1'", "shop-1.1^9.gabc1234-1.noarch"),
            ("version='1.1-9-gabc1234'\nrelease='1'\ntarget='el7'", "shop-1.1-1.9.gabc1234.noarch"),
            ("version='1.1'\nprerelease='RC.2'\nrelease='1'", "shop-1.1~rc2-1.noarch"),
            ("version='1.1'\nprerelease='nightly.5'\nrelease='1'", "shop-1.1~nightly.5-1.noarch"),
        ] {
            let spec = resolve(directory.path(), keys, &ci).unwrap();
            assert_eq!(spec.nevra().to_string(), expected, "{keys}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let directory = tempfile::tempdir().unwrap();
        for (keys, expected) in [
            ("version='auto'\nrelease='1'", ":4: `version`: could not be found: no version was found: neither"),
            ("version={from='pom'}\nrelease='1'", ":4: `version.from`: could not be found: there is no `pom.xml`"),
            ("version={from='war'}\nrelease='1'", ":4: `version.from`: could not be found: the WAR `/"),
            ("version={from='git'}\nrelease='1'", ":4: `version.from`: could not be found: there is no git checkout"),
            ("version={from='svn'}\nrelease='1'", ":4: `version.from`: could not be found: `svn` is no source"),
            ("version={from='war',file='x'}\nrelease='1'", ":4: `version.file`: is for `pom` or `gradle`"),
            ("version={from='pom',tags='x'}\nrelease='1'", ":4: `version.tags`: is for `git`"),
            ("version={form='pom'}\nrelease='1'", ":4: unknown key `form`; did you mean `from`?"),
            ("version=1.4\nrelease='1'", ":4: invalid type: floating point `1.4`, expected a version in quotes"),
            ("version='1 4'\nrelease='1'", ":4: `version`: version `1 4` holds ` `"),
            ("version='1.1-rc1'\nprerelease='rc1'\nrelease='1'", ":5: `prerelease`: `1.1-rc1` is a prerelease"),
            ("version='1'\nrelease='auto'", ":5: `release`: could not be found: no number of a build"),
            ("release='1'", ": the key `version` is missing, for example `version = \"${VERSION}\"` or"),
        ] {
            let error = resolve(directory.path(), keys, &[]).unwrap_err();
            let path = directory.path().join("shop.toml").display().to_string();
            assert!(error.starts_with(&format!("{path}{expected}")), "{keys}\n{error}");
        }
    }
}
