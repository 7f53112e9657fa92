//! Resolves `[environments]`: a configuration package for each.

use std::collections::BTreeMap;

use nevra::{Arch, Name};
use rpm_header::Dependency;

use super::located::{Located, Text};
use super::raw_contents::RawEnvironment;
use super::resolve_contents::filter;
use super::resolver::{Expand, Resolver};
use super::value::environment;
use super::variables::is_name;
use super::{ConfigurationFolder, InstallPath, PackageSpec, SpecError, ValueError, dependency};
use crate::layout::{Dependencies, Scriptlet, ScriptletKind};

/// How packages make sure that an environment is named, never picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The application, which is installed together with one of its configuration packages.
    Asked,
    /// What a package manager prefers where none of them was named: it cannot be installed beside the application.
    Unmade {
        /// The application.
        application: Name,
    },
}

/// The name that no environment can have: `<application>-config-none` stands for the choice that nobody made.
const NONE: &str = "none";

/// What every configuration package of an application provides, and each conflicts with.
pub(super) fn capability(application: &PackageSpec) -> Dependency {
    Dependency {
        name: format!("{}-config", application.name),
        flags: Dependency::EQUAL,
        version: application.evr.to_string(),
    }
}

/// Where an application's configuration is installed, of whichever environment.
pub(super) fn directory(package: &Name) -> Result<InstallPath, ValueError> {
    format!("/etc/{package}").parse()
}

/// Makes the configuration package of one environment. It needs what the application needs, so that rpm installs it
/// after what makes its group.
pub(super) fn package(
    resolver: &Resolver<'_>,
    application: &PackageSpec,
    name: &str,
    raw: &Located<RawEnvironment>,
) -> Result<PackageSpec, SpecError> {
    let location = resolver.file.location(raw.span());
    let refused = |reason| SpecError::Value { location: location.clone(), key: "environments", reason };
    environment(name).map_err(refused)?;
    if name == NONE {
        return Err(refused(ValueError::EnvironmentNone));
    }
    let written = raw.value();
    let example = "directory = \"config/dev\"";
    let source = resolver.required_in(raw.span(), "environments.directory", written.directory.as_ref(), example)?;
    let package_name: Name =
        format!("{}-config-{name}", application.name).parse().map_err(|error| refused(ValueError::from(error)))?;
    let own = [("PKG_NAME", package_name.to_string()), ("PKG_ENVIRONMENT", name.to_owned())];
    let variables = resolver.variables.with_spec(variables(resolver, &written.variables)?).with_package(own);
    let provided = capability(application);
    let mut requires = application.dependencies.requires.clone();
    requires.extend(resolver.list("environments.requires", &written.requires, dependency::capability)?);
    let excluded = Dependency { flags: 0, version: String::new(), ..provided.clone() };
    Ok(PackageSpec {
        name: package_name,
        arch: Arch::noarch(),
        summary: format!("{}: configuration for {name}", application.summary),
        description: format!("The configuration of {} in the environment {name}.", application.name),
        dependencies: Dependencies {
            requires,
            provides: vec![provided],
            conflicts: vec![excluded],
            ..Dependencies::default()
        },
        tomcat: None,
        configuration: Some(ConfigurationFolder {
            source: resolver.path(&source),
            destination: directory(&application.name).map_err(refused)?,
            group: group(application),
            filter: filter(resolver, None, written.exclude.as_deref())?,
            expand: Expand::of(written.expand.as_ref()),
            location: source.location,
        }),
        environments: Vec::new(),
        choice: None,
        contents: Vec::new(),
        units: Vec::new(),
        users: Vec::new(),
        tmpfiles: Vec::new(),
        scripts: vec![announcement(&application.name, name)],
        triggers: Vec::new(),
        location,
        variables,
        ..application.clone()
    })
}

/// Makes the package that stands for no environment: what an application suggests, so that package managers prefer it to
/// the others, and what cannot be installed beside it.
pub(super) fn none(application: &PackageSpec) -> Result<PackageSpec, SpecError> {
    let refused = |reason| SpecError::Value { location: application.location.clone(), key: "environments", reason };
    let name: Name =
        format!("{}-config-{NONE}", application.name).parse().map_err(|error| refused(ValueError::from(error)))?;
    let packages: Vec<_> = application
        .environments
        .iter()
        .map(|environment| format!("{}-config-{environment}", application.name))
        .collect();
    let provided = capability(application);
    let excluded = Dependency { flags: 0, version: String::new(), ..provided.clone() };
    Ok(PackageSpec {
        name,
        arch: Arch::noarch(),
        summary: format!("No environment of {} was named", application.name),
        description: format!(
            "Package managers choose this package where no environment of the\napplication is named, and can't install \
             it. One of these has to be named:\n  {}",
            packages.join("\n  ")
        ),
        dependencies: Dependencies { provides: vec![provided], conflicts: vec![excluded], ..Dependencies::default() },
        tomcat: None,
        configuration: None,
        choice: Some(Choice::Unmade { application: application.name.clone() }),
        contents: Vec::new(),
        units: Vec::new(),
        users: Vec::new(),
        tmpfiles: Vec::new(),
        scripts: Vec::new(),
        triggers: Vec::new(),
        notes: None,
        ..application.clone()
    })
}

/// A package at its own version.
pub(super) fn itself(package: &PackageSpec) -> Dependency {
    Dependency { name: package.name.to_string(), flags: Dependency::EQUAL, version: package.evr.to_string() }
}

/// Says which configuration a host gets: yum of EL 7, which knows no suggestions, picks one by itself.
fn announcement(application: &Name, environment: &str) -> Scriptlet {
    let body = format!(
        "if [ \"$1\" -eq 1 ]; then\n    echo '{application}: this host has the configuration of the environment \
         {environment}'\nfi"
    );
    Scriptlet::shell(ScriptletKind::PostInstall, body)
}

fn group(application: &PackageSpec) -> Option<String> {
    let of_folder = application.configuration.as_ref().and_then(|folder| folder.group.clone());
    of_folder.or_else(|| application.tomcat.as_ref().map(|tomcat| tomcat.group.clone()))
}

fn variables(resolver: &Resolver<'_>, raw: &BTreeMap<String, Text>) -> Result<BTreeMap<String, String>, SpecError> {
    let key = "environments.variables";
    let one = |(name, text): (&String, &Text)| {
        let value = resolver.resolved(key, text)?;
        let refused = || value.refused(ValueError::Variable(name.clone()));
        is_name(name).then(|| (name.clone(), value.value.clone())).ok_or_else(refused)
    };
    raw.iter().map(one).collect()
}
