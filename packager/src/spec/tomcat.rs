//! `[tomcat]`: a web application and the Tomcat that it is for.

use std::path::PathBuf;

use nevra::Name;

use super::raw_system::RawTomcat;
use super::resolver::{Resolver, read_text};
use super::value::account;
use super::{ContextPath, InstallPath, Location, SpecError, ValueError};

/// A web application and the Tomcat that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomcatApplication {
    /// Where the spec names the WAR.
    pub location: Location,
    /// The WAR, or a directory to be packed as one.
    pub war: PathBuf,
    /// Where it is served.
    pub context: ContextPath,
    /// The name of Tomcat's service, of its folder under `/etc` and of that under `/var/lib`.
    pub instance: String,
    /// The group that Tomcat runs as, which may read the configuration.
    pub group: String,
    /// Where Tomcat unpacks the WAR.
    pub app_base: InstallPath,
    /// The directory of context descriptors.
    pub descriptors: InstallPath,
    /// Where Tomcat keeps what it compiles.
    pub work: InstallPath,
    /// A context descriptor's text that the package adds to, where the spec names one.
    pub descriptor: Option<Descriptor>,
}

/// A context descriptor that the spec brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// Resolves the table, of a package of that name.
pub(super) fn tomcat(
    resolver: &Resolver<'_>,
    raw: Option<&RawTomcat>,
    package: &Name,
) -> Result<TomcatApplication, SpecError> {
    let field = |choose: fn(&RawTomcat) -> Option<&super::located::Text>| raw.and_then(choose);
    let war = resolver.required("tomcat.war", field(|raw| raw.war.as_ref()), "war = \"target/shop.war\"")?;
    let context = match resolver.optional_as("tomcat.context", field(|raw| raw.context.as_ref()), str::parse)? {
        Some(context) => context,
        None => format!("/{package}").parse::<ContextPath>().map_err(|error| war.refused(error))?,
    };
    let instance = field(|raw| raw.instance.as_ref());
    let instance = match resolver.optional_as("tomcat.instance", instance, |text| instance_name(text, package))? {
        Some(instance) => instance,
        None => instance_name("tomcat", package).map_err(|error| war.refused(error))?,
    };
    let group = field(|raw| raw.group.as_ref());
    let group = resolver.optional_as("tomcat.group", group, |text| account(text, "group"))?;
    let directory = |key, text, default: String| match resolver.optional_as(key, text, str::parse)? {
        Some(path) => Ok(path),
        None => default.parse::<InstallPath>().map_err(|error| war.refused(error)),
    };
    let app_base = field(|raw| raw.app_base.as_ref());
    let descriptors = field(|raw| raw.descriptors.as_ref());
    let work = field(|raw| raw.work.as_ref());
    let descriptor = resolver.optional("tomcat.descriptor", field(|raw| raw.descriptor.as_ref()))?;
    let descriptor = descriptor.map(|value| {
        let path = resolver.path(&value);
        let refused = |source| SpecError::File { location: value.location.clone(), key: value.key, source };
        Ok(Descriptor { text: read_text(&path).map_err(refused)?, path })
    });
    Ok(TomcatApplication {
        war: resolver.one_path(&war)?,
        context,
        group: group.unwrap_or_else(|| "tomcat".to_owned()),
        app_base: directory("tomcat.app_base", app_base, format!("/var/lib/{instance}/webapps"))?,
        descriptors: directory("tomcat.descriptors", descriptors, format!("/etc/{instance}/Catalina/localhost"))?,
        work: directory("tomcat.work", work, format!("/var/cache/{instance}"))?,
        descriptor: descriptor.transpose()?,
        instance,
        location: war.location,
    })
}

fn instance_name(text: &str, package: &Name) -> Result<String, ValueError> {
    if text == package.as_str() {
        return Err(ValueError::InstanceIsPackage(text.to_owned()));
    }
    account(text, "Tomcat instance")
}
