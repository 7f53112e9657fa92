//! From a spec as it is written to packages that hold.

use std::collections::BTreeSet;

use nevra::{Arch, Name};
use rpm_header::Dependency;

use super::dependency::{capability, package, provision, version};
use super::located::Text;
use super::raw_spec::{RawLint, RawSpec};
use super::resolve_contents::{content, filter};
use super::resolve_scripts::{changelog, scripts, trigger};
use super::resolve_version::{Versioned, versioned};
use super::resolver::{Expand, Resolver};
use super::value::{account, line, paragraphs};
use super::{Choice, environments, subpackages, system, tomcat};
use super::{
    ConfigurationFolder, Location, PackageSpec, Sbom, SpecError, SpecFile, TomcatApplication, ValueError, Variables,
};
use crate::inside::{NotesSource, Provenance, ReleaseNotes};
use crate::layout::Dependencies;
use crate::lint::{Lint, LintPolicy};
use crate::version::Surroundings;

/// What is asked for besides the spec.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The version, in place of the key `version`.
    pub version: Option<String>,
    /// The release, in place of the key `release`.
    pub release: Option<String>,
    /// Release notes, in place of the key `notes`.
    pub notes: Option<NotesSource>,
    /// The environments whose configuration packages are made; all of the spec's where there is none.
    pub environments: Vec<String>,
}

impl SpecFile {
    /// Resolves every variable and validates every value: the package, the configuration package of each environment,
    /// and the further packages.
    ///
    /// # Errors
    /// [`SpecError`] for the first key that is missing, undefined, empty or wrong.
    pub fn resolve(&self, variables: &Variables, overrides: &Overrides) -> Result<Vec<PackageSpec>, SpecError> {
        self.check_environments(&overrides.environments)?;
        let mut specs = Vec::new();
        if self.raw.name.is_some() || self.raw.packages.is_empty() {
            let location = Location::File(self.path().to_owned());
            specs = self.application(&self.raw, location, variables, overrides)?;
        }
        for further in &self.raw.packages {
            let raw = subpackages::inherit(self, further)?;
            specs.extend(self.application(&raw, self.location(further.span()), variables, overrides)?);
        }
        let mut names = BTreeSet::new();
        if let Some(spec) = specs.iter().find(|spec| !names.insert(spec.name.as_str().to_owned())) {
            return Err(SpecError::SameName { location: spec.location.clone(), name: spec.name.to_string() });
        }
        Ok(specs)
    }

    fn check_environments(&self, wanted: &[String]) -> Result<(), SpecError> {
        let Some(name) = wanted.iter().find(|name| !self.raw.environments.contains_key(*name)) else { return Ok(()) };
        let known: Vec<_> = self.raw.environments.keys().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(SpecError::NoEnvironment { file: self.path().to_owned(), name: name.clone(), known })
    }

    /// Resolves one package with the configuration packages of its environments.
    fn application(
        &self,
        raw: &RawSpec,
        location: Location,
        variables: &Variables,
        overrides: &Overrides,
    ) -> Result<Vec<PackageSpec>, SpecError> {
        let mut resolver = Resolver { file: self, location, variables: variables.clone() };
        let name: Name = resolver.required("name", raw.name.as_ref(), "name = \"shop\"")?.read(str::parse)?;
        let surroundings = Surroundings::find(self.directory(), |name| variables.get(name));
        let versioned = versioned(&resolver, raw, overrides, &surroundings)?;
        let evr = &versioned.evr;
        resolver.variables = variables.with_package([
            ("PKG_NAME", name.to_string()),
            ("PKG_VERSION", evr.version().to_owned()),
            ("PKG_RELEASE", evr.release().to_owned()),
            ("PKG_EVR", evr.to_string()),
        ]);
        let mut main = described(&resolver, raw, name, versioned)?;
        main.provenance = Provenance::of(&surroundings);
        main.notes = notes(&resolver, raw, overrides)?;
        fill(&resolver, raw, &mut main)?;
        let mut specs = Vec::new();
        for (name, environment) in &raw.environments {
            let spec = environments::package(&resolver, &main, name, environment)?;
            if overrides.environments.is_empty() || overrides.environments.contains(name) {
                specs.push(spec);
            }
        }
        if !raw.environments.is_empty() {
            let none = environments::none(&main)?;
            main.dependencies.requires.push(environments::capability(&main));
            main.dependencies.suggests.push(environments::itself(&none));
            specs.push(none);
        }
        specs.insert(0, main);
        Ok(specs)
    }
}

/// Resolves what a package says of itself, and leaves the rest empty.
fn described(
    resolver: &Resolver<'_>,
    raw: &RawSpec,
    name: Name,
    versioned: Versioned,
) -> Result<PackageSpec, SpecError> {
    let summary = resolver.required("summary", raw.summary.as_ref(), "summary = \"The shop\"")?.read(line)?;
    let license = resolver.required("license", raw.license.as_ref(), "license = \"Apache-2.0\"")?.read(line)?;
    let description = resolver.optional_as("description", raw.description.as_ref(), paragraphs)?;
    let text = |key, text: &Option<Text>| resolver.optional_as(key, text.as_ref(), line);
    let target: crate::Target = resolver.optional_as("target", raw.target.as_ref(), str::parse)?.unwrap_or_default();
    Ok(PackageSpec {
        arch: resolver.optional_as("arch", raw.arch.as_ref(), str::parse)?.unwrap_or_else(Arch::noarch),
        description: description.unwrap_or_else(|| summary.clone()),
        summary,
        license,
        url: text("url", &raw.url)?,
        vendor: text("vendor", &raw.vendor)?,
        group: text("group", &raw.group)?,
        packager: text("packager", &raw.packager)?,
        bug_url: text("bug_url", &raw.bug_url)?,
        target,
        compression: resolver
            .optional_as("compression", raw.compression.as_ref(), str::parse)?
            .unwrap_or_else(|| target.compression()),
        sbom: if raw.sbom == Some(false) { Sbom::LeftOut } else { Sbom::Written },
        environments: raw.environments.keys().cloned().collect(),
        choice: (!raw.environments.is_empty()).then_some(Choice::Asked),
        lint: lint_policy(resolver, raw.lint.as_ref())?,
        directory: resolver.file.directory().to_owned(),
        location: resolver.location.clone(),
        variables: resolver.variables.clone(),
        build_number: versioned.build_number,
        version: versioned.version,
        release_place: versioned.release_place,
        provenance: Provenance::default(),
        notes: None,
        dependencies: Dependencies::default(),
        tomcat: None,
        configuration: None,
        contents: Vec::new(),
        units: Vec::new(),
        users: Vec::new(),
        tmpfiles: Vec::new(),
        scripts: Vec::new(),
        triggers: Vec::new(),
        changelog: Vec::new(),
        name,
        evr: versioned.evr,
    })
}

/// Reads the release notes; those given win over the spec's.
fn notes(resolver: &Resolver<'_>, raw: &RawSpec, overrides: &Overrides) -> Result<Option<ReleaseNotes>, SpecError> {
    let written = resolver.optional("notes", raw.notes.as_ref())?;
    let (path, location) = match (&overrides.notes, written) {
        (Some(NotesSource::Collected(notes)), _) => return Ok(Some(ReleaseNotes::of(notes.clone()))),
        (Some(NotesSource::File(path)), _) => (path.clone(), Location::Flag("--notes")),
        (None, Some(written)) => (resolver.path(&written), written.location),
        (None, None) => return Ok(None),
    };
    ReleaseNotes::read(&path).map(Some).map_err(|source| SpecError::Notes { location, source })
}

fn lint_policy(resolver: &Resolver<'_>, raw: Option<&RawLint>) -> Result<LintPolicy, SpecError> {
    let Some(raw) = raw else { return Ok(LintPolicy::default()) };
    let lints = |key, texts| Ok(resolver.list(key, texts, str::parse::<Lint>)?.into_iter().collect());
    Ok(LintPolicy { allow: lints("lint.allow", &raw.allow)?, deny: lints("lint.deny", &raw.deny)? })
}

/// Resolves what is in a package, what it needs and what it runs.
fn fill(resolver: &Resolver<'_>, raw: &RawSpec, spec: &mut PackageSpec) -> Result<(), SpecError> {
    spec.dependencies = dependencies(resolver, raw)?;
    if let Some(oldest) = resolver.optional_as("oldest_rollback", raw.oldest_rollback.as_ref(), version)? {
        let name = format!("oldest-rollback({})", spec.name);
        let flags = Dependency::EQUAL;
        spec.dependencies.provides.push(Dependency { name, flags, version: oldest });
    }
    spec.tomcat = profile(resolver, raw, &spec.name)?;
    spec.configuration = configuration(resolver, raw, spec)?;
    for entry in &raw.contents {
        spec.contents.extend(content(resolver, entry, spec.name.as_str())?);
    }
    for entry in &raw.systemd {
        let (unit, contents) = system::systemd(resolver, entry)?;
        spec.units.push(unit);
        spec.contents.extend(contents);
    }
    spec.users = raw.users.iter().map(|user| system::user(resolver, user)).collect::<Result<_, _>>()?;
    spec.tmpfiles = resolver.list("tmpfiles", &raw.tmpfiles, line)?;
    spec.scripts = scripts(resolver, raw.scripts.as_ref())?;
    spec.triggers = raw.triggers.iter().map(|entry| trigger(resolver, entry)).collect::<Result<_, _>>()?;
    spec.changelog = changelog(resolver, &raw.changelog)?;
    Ok(())
}

fn dependencies(resolver: &Resolver<'_>, raw: &RawSpec) -> Result<Dependencies, SpecError> {
    let mut requires = resolver.list("requires", &raw.requires, capability)?;
    // RPMSENSE flags of what a scriptlet needs (rpm's `include/rpm/rpmds.h`).
    let scriptlets = [
        ("requires_pre", &raw.requires_pre, 1 << 9),
        ("requires_post", &raw.requires_post, 1 << 10),
        ("requires_preun", &raw.requires_preun, 1 << 11),
        ("requires_postun", &raw.requires_postun, 1 << 12),
    ];
    for (key, texts, sense) in scriptlets {
        let needed = resolver.list(key, texts, package)?;
        requires.extend(needed.into_iter().map(|needed| Dependency { flags: needed.flags | sense, ..needed }));
    }
    Ok(Dependencies {
        requires,
        provides: resolver.list("provides", &raw.provides, provision)?,
        conflicts: resolver.list("conflicts", &raw.conflicts, capability)?,
        obsoletes: resolver.list("obsoletes", &raw.obsoletes, package)?,
        recommends: resolver.list("recommends", &raw.recommends, capability)?,
        suggests: resolver.list("suggests", &raw.suggests, capability)?,
        supplements: resolver.list("supplements", &raw.supplements, capability)?,
        enhances: resolver.list("enhances", &raw.enhances, capability)?,
    })
}

fn profile(resolver: &Resolver<'_>, raw: &RawSpec, name: &Name) -> Result<Option<TomcatApplication>, SpecError> {
    let profile = resolver.optional("profile", raw.profile.as_ref())?;
    let is_tomcat = match profile.as_ref().map(|profile| (profile, profile.value.as_str())) {
        None => raw.tomcat.is_some(),
        Some((_, "tomcat")) => true,
        Some((profile, "plain")) if raw.tomcat.is_some() => return Err(profile.refused(ValueError::PlainTomcat)),
        Some((_, "plain")) => false,
        Some((profile, other)) => return Err(profile.refused(ValueError::Profile(other.to_owned()))),
    };
    is_tomcat.then(|| tomcat::tomcat(resolver, raw.tomcat.as_ref(), name)).transpose()
}

fn configuration(
    resolver: &Resolver<'_>,
    raw: &RawSpec,
    spec: &PackageSpec,
) -> Result<Option<ConfigurationFolder>, SpecError> {
    let Some(raw) = &raw.configuration else { return Ok(None) };
    let example = "directory = \"config\"";
    let source = resolver.required("configuration.directory", raw.directory.as_ref(), example)?;
    let group = resolver.optional_as("configuration.group", raw.group.as_ref(), |text| account(text, "group"))?;
    Ok(Some(ConfigurationFolder {
        source: resolver.path(&source),
        destination: source.read(|_| environments::directory(&spec.name))?,
        group: group.or_else(|| spec.tomcat.as_ref().map(|tomcat| tomcat.group.clone())),
        filter: filter(resolver, None, raw.exclude.as_deref())?,
        expand: Expand::of(raw.expand.as_ref()),
        location: source.location,
    }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        Ok(resolve_all(text, set, overrides)?.remove(0))
    }

    fn resolve_all(text: &str, set: &[(&str, &str)], overrides: &Overrides) -> Result<Vec<PackageSpec>, SpecError> {
        let set = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let file = SpecFile::parse(Path::new("specs/shop.toml"), text.to_owned())?;
        file.resolve(&Variables::new(set, [].into()), overrides)
    }

    #[test]
    fn resolves() {
        let spec = resolve(SPEC, &[("WHAT", "shop"), ("VERSION", "1.4.0~rc1")], &Overrides::default()).unwrap();
        assert_eq!(spec.nevra().to_string(), "shop-1.4.0~rc1-57.gabc.noarch");
        assert_eq!((spec.build_number, spec.summary.as_str(), spec.description.as_str()), (57, "The shop", "The shop"));
        let tomcat = spec.tomcat.unwrap();
        assert_eq!(tomcat.war, Path::new("specs/build/shop.war"));
        assert_eq!(tomcat.context.to_string(), "/shop");
        assert_eq!((tomcat.instance.as_str(), tomcat.group.as_str()), ("tomcat", "tomcat"));
        let configuration = spec.configuration.unwrap();
        assert_eq!(configuration.source, Path::new("specs/config"));
        assert_eq!((configuration.destination.as_str(), configuration.group.as_deref()), ("/etc/shop", Some("tomcat")));
        assert_eq!(spec.dependencies.requires.len(), 2);
    }

    #[test]
    fn the_oldest_rollback_is_among_what_it_provides() {
        let with = |oldest: &str| SPEC.replace("[tomcat]", &format!("oldest_rollback = \"{oldest}\"\n[tomcat]"));
        let set: &[_] = &[("WHAT", "shop"), ("VERSION", "5")];
        let spec = resolve(&with("4.0.0"), set, &Overrides::default()).unwrap();
        let provided = &spec.dependencies.provides[0];
        assert_eq!((provided.name.as_str(), provided.version.as_str()), ("oldest-rollback(shop)", "4.0.0"));
        assert_eq!(provided.flags, Dependency::EQUAL);
        let error = resolve(&with("4 0"), set, &Overrides::default()).unwrap_err().to_string();
        assert!(error.contains(":7: `oldest_rollback`: `4 0` is not a version"), "{error}");
    }

    #[test]
    fn flags_win() {
        let overrides =
            Overrides { version: Some("2".to_owned()), release: Some("3".to_owned()), ..Overrides::default() };
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
            ("${VERSION}", "1/2", both, "specs/shop.toml:4: `version`: version `1/2` holds `/`"),
            ("57.gabc", "rc", both, "specs/shop.toml:5: `release`: the release `rc` does not begin"),
            ("57.gabc", " ", both, "specs/shop.toml:5: `release`: is empty"),
            ("\"MIT\"", "\"\\u0000\"", both, "specs/shop.toml:3: `license`: holds the control character"),
            ("java-headless >= 1:17", "a b", both, "specs/shop.toml:6: `requires`: `a b` is not a requirement"),
            ("war = \"build/shop.war\"", "", both, "specs/shop.toml: the key `tomcat.war` is missing"),
            (
                "[tomcat]",
                "[lint]\nallow = [\"x\"]\n[tomcat]",
                both,
                "specs/shop.toml:8: `lint.allow`: `x` is not a lint",
            ),
            ("directory = \"config\"", "", both, "specs/shop.toml: the key `configuration.directory` is missing"),
        ] {
            let error = resolve(&SPEC.replacen(from, to, 1), set, &Overrides::default()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
