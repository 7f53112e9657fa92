//! From a spec as it is written to one that holds.

use std::path::{Path, PathBuf};

use nevra::{Evr, Name};

use super::raw_spec::{RawTomcat, Text};
use super::value::{account, build_number, line, paragraphs};
use super::{ContextPath, Location, PackageSpec, SpecError, SpecFile, TomcatApplication};
use super::{ValueError, Variables};
use crate::Compression;

/// Values that win over the spec's.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The version, in place of the key `version`.
    pub version: Option<String>,
    /// The release, in place of the key `release`.
    pub release: Option<String>,
}

impl SpecFile {
    /// Resolves every variable and validates every value.
    ///
    /// # Errors
    /// [`SpecError`] for the first key that is missing, undefined, empty or wrong.
    pub fn resolve(&self, variables: &mut Variables, overrides: &Overrides) -> Result<PackageSpec, SpecError> {
        let raw = &self.raw;
        let mut resolver = Resolver { file: self, variables };
        let name: Name = resolver.required("name", raw.name.as_ref(), "name = \"shop\"")?.read(str::parse)?;
        let summary = resolver.required("summary", raw.summary.as_ref(), "summary = \"The shop\"")?.read(line)?;
        let description = match resolver.optional("description", raw.description.as_ref())? {
            Some(value) => value.read(paragraphs)?,
            None => summary.clone(),
        };
        let license = resolver.required("license", raw.license.as_ref(), "license = \"Apache-2.0\"")?.read(line)?;
        let url = resolver.optional("url", raw.url.as_ref())?.map(|value| value.read(line)).transpose()?;
        let (evr, build_number) = resolver.evr(overrides)?;
        let requires = raw.requires.iter().map(|text| resolver.resolved("requires", text)?.read(str::parse));
        let requires = requires.collect::<Result<_, _>>()?;
        let compression = match resolver.optional("compression", raw.compression.as_ref())? {
            Some(value) => value.read(str::parse)?,
            None => Compression::default(),
        };
        Ok(PackageSpec {
            tomcat: resolver.tomcat(&name, raw.tomcat.as_ref())?,
            configuration: resolver.configuration()?,
            directory: self.directory().to_owned(),
            requires,
            name,
            evr,
            build_number,
            summary,
            description,
            license,
            url,
            compression,
        })
    }

    fn directory(&self) -> &Path {
        self.path().parent().unwrap_or(Path::new(""))
    }
}

/// A value with its variables resolved, its key and where it was written.
struct Resolved {
    key: &'static str,
    location: Location,
    value: String,
}

impl Resolved {
    /// Reads the value into its type.
    fn read<T, E: Into<ValueError>>(&self, reader: impl FnOnce(&str) -> Result<T, E>) -> Result<T, SpecError> {
        reader(&self.value).map_err(|error| self.refused(error))
    }

    fn refused(&self, error: impl Into<ValueError>) -> SpecError {
        SpecError::Value { location: self.location.clone(), key: self.key, reason: error.into() }
    }
}

/// Resolves the values of one spec.
struct Resolver<'a> {
    file: &'a SpecFile,
    variables: &'a mut Variables,
}

impl Resolver<'_> {
    fn required(
        &mut self,
        key: &'static str,
        text: Option<&Text>,
        example: &'static str,
    ) -> Result<Resolved, SpecError> {
        let missing = || SpecError::Missing { file: self.file.path().to_owned(), key, example };
        let text = text.ok_or_else(missing)?;
        self.resolved(key, text)
    }

    fn optional(&mut self, key: &'static str, text: Option<&Text>) -> Result<Option<Resolved>, SpecError> {
        text.map(|text| self.resolved(key, text)).transpose()
    }

    fn resolved(&mut self, key: &'static str, text: &Text) -> Result<Resolved, SpecError> {
        let location = self.file.location(text);
        match self.variables.expand(text.get_ref()) {
            Ok(value) => not_empty(Resolved { key, location, value }),
            Err(reason) => Err(SpecError::Variable { location, key, reason }),
        }
    }

    /// Reads version and release; a missing one is an error, never a default.
    fn evr(&mut self, overrides: &Overrides) -> Result<(Evr, u64), SpecError> {
        let raw = &self.file.raw;
        let version = match &overrides.version {
            Some(value) => from_flag("version", "--version", value)?,
            None => self.required("version", raw.version.as_ref(), "version = \"${VERSION}\"")?,
        };
        let release = match &overrides.release {
            Some(value) => from_flag("release", "--release", value)?,
            None => self.required("release", raw.release.as_ref(), "release = \"${BUILD_NUMBER}\"")?,
        };
        version.read(|version| Evr::new(0, version, "1"))?;
        let evr = release.read(|release| Evr::new(0, &version.value, release))?;
        let number = release.read(build_number)?;
        Ok((evr, number))
    }

    fn tomcat(&mut self, name: &Name, raw: Option<&RawTomcat>) -> Result<TomcatApplication, SpecError> {
        let field = |choose: fn(&RawTomcat) -> Option<&Text>| raw.and_then(choose);
        let war = self.required("tomcat.war", field(|raw| raw.war.as_ref()), "war = \"target/shop.war\"")?;
        let context = match self.optional("tomcat.context", field(|raw| raw.context.as_ref()))? {
            Some(context) => context.read(str::parse)?,
            None => format!("/{name}").parse::<ContextPath>().map_err(|error| war.refused(error))?,
        };
        let instance = match self.optional("tomcat.instance", field(|raw| raw.instance.as_ref()))? {
            Some(instance) => instance.read(|text| instance_name(text, name))?,
            None => instance_name("tomcat", name).map_err(|error| war.refused(error))?,
        };
        let group = match self.optional("tomcat.group", field(|raw| raw.group.as_ref()))? {
            Some(group) => group.read(|text| account(text, "group"))?,
            None => "tomcat".to_owned(),
        };
        Ok(TomcatApplication { war: self.file.directory().join(&war.value), context, instance, group })
    }

    fn configuration(&mut self) -> Result<Option<PathBuf>, SpecError> {
        let Some(raw) = &self.file.raw.configuration else { return Ok(None) };
        let directory = self.required("configuration.directory", raw.directory.as_ref(), "directory = \"config\"")?;
        Ok(Some(self.file.directory().join(&directory.value)))
    }
}

fn instance_name(text: &str, package: &Name) -> Result<String, ValueError> {
    if text == package.as_str() {
        return Err(ValueError::InstanceIsPackage(text.to_owned()));
    }
    account(text, "Tomcat instance")
}

fn from_flag(key: &'static str, flag: &'static str, value: &str) -> Result<Resolved, SpecError> {
    not_empty(Resolved { key, location: Location::Flag(flag), value: value.to_owned() })
}

fn not_empty(resolved: Resolved) -> Result<Resolved, SpecError> {
    if resolved.value.trim().is_empty() { Err(resolved.refused(ValueError::Empty)) } else { Ok(resolved) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"name = "shop"
summary = "The ${WHAT}"
license = "MIT"
version = "${VERSION}"
release = "57.gabc"
requires = ["tomcat", "java-headless >= 1:17"]
[tomcat]
war = "build/shop.war"
[configuration]
directory = "config"
"#;

    fn resolve(text: &str, set: &[(&str, &str)], overrides: &Overrides) -> Result<PackageSpec, SpecError> {
        let set = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let file = SpecFile::parse(Path::new("specs/shop.toml"), text.to_owned())?;
        file.resolve(&mut Variables::new(set, [].into()), overrides)
    }

    #[test]
    fn resolves() {
        let spec = resolve(SPEC, &[("WHAT", "shop"), ("VERSION", "1.4.0~rc1")], &Overrides::default()).unwrap();
        assert_eq!(spec.nevra().to_string(), "shop-1.4.0~rc1-57.gabc.noarch");
        assert_eq!((spec.build_number, spec.summary.as_str(), spec.description.as_str()), (57, "The shop", "The shop"));
        assert_eq!(spec.tomcat.war, Path::new("specs/build/shop.war"));
        assert_eq!(spec.tomcat.context.to_string(), "/shop");
        assert_eq!((spec.tomcat.instance.as_str(), spec.tomcat.group.as_str()), ("tomcat", "tomcat"));
        assert_eq!(spec.configuration.as_deref(), Some(Path::new("specs/config")));
        assert_eq!(spec.requires.len(), 2);
    }

    #[test]
    fn flags_win() {
        let overrides = Overrides { version: Some("2".to_owned()), release: Some("3".to_owned()) };
        let spec = resolve(SPEC, &[("WHAT", "shop")], &overrides).unwrap();
        assert_eq!(spec.evr().to_string(), "2-3");
    }

    #[test]
    fn errors_say_what_and_where() {
        let both: &[_] = &[("WHAT", "shop"), ("VERSION", "1")];
        for (from, to, set, expected) in [
            ("", "", &both[..1], "specs/shop.toml:4: `version`: the variable `VERSION` is not defined"),
            ("", "", &[("WHAT", ""), ("VERSION", "1")], "specs/shop.toml:2: `summary`: the variable `WHAT` is empty"),
            ("version = \"${VERSION}\"", "", both, "specs/shop.toml: the key `version` is missing"),
            ("release = \"57.gabc\"", "", both, "specs/shop.toml: the key `release` is missing"),
            ("name = \"shop\"", "", both, "specs/shop.toml: the key `name` is missing"),
            ("name = \"shop\"", "name = \"a b\"", both, "specs/shop.toml:1: `name`: `a b` is not a package name"),
            ("name = \"shop\"", "name = \"tomcat\"", both, "specs/shop.toml:8: `tomcat.war`: `tomcat` is also"),
            ("${VERSION}", "1-2", both, "specs/shop.toml:4: `version`: version `1-2` holds `-`"),
            ("57.gabc", "rc", both, "specs/shop.toml:5: `release`: the release `rc` does not begin"),
            ("57.gabc", " ", both, "specs/shop.toml:5: `release`: is empty"),
            ("\"MIT\"", "\"\\u0000\"", both, "specs/shop.toml:3: `license`: holds the control character"),
            ("java-headless >= 1:17", "a b", both, "specs/shop.toml:6: `requires`: `a b` is not a requirement"),
            ("war = \"build/shop.war\"", "", both, "specs/shop.toml: the key `tomcat.war` is missing"),
            ("directory = \"config\"", "", both, "specs/shop.toml: the key `configuration.directory` is missing"),
        ] {
            let error = resolve(&SPEC.replacen(from, to, 1), set, &Overrides::default()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
