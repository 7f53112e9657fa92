//! `[tomcat]`: a web application and the Tomcat that it is for.

use std::path::PathBuf;

use nevra::Name;

use super::raw_system::RawTomcat;
use super::resolver::{Expand, Resolver};
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
    /// A context descriptor of the spec's own, where it names one.
    pub descriptor: Option<Descriptor>,
}

/// A context descriptor that the spec brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// Whether it is installed as it is; otherwise the package adds to it.
    pub is_complete: bool,
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
    Ok(TomcatApplication {
        war: resolver.one_path(&war)?,
        context,
        group: group.unwrap_or_else(|| "tomcat".to_owned()),
        app_base: directory("tomcat.app_base", app_base, format!("/var/lib/{instance}/webapps"))?,
        descriptors: directory("tomcat.descriptors", descriptors, format!("/etc/{instance}/Catalina/localhost"))?,
        work: directory("tomcat.work", work, format!("/var/cache/{instance}"))?,
        descriptor: raw.map(|raw| descriptor(resolver, raw)).transpose()?.flatten(),
        instance,
        location: war.location,
    })
}

fn descriptor(resolver: &Resolver<'_>, raw: &RawTomcat) -> Result<Option<Descriptor>, SpecError> {
    let Some(value) = resolver.optional("tomcat.descriptor", raw.descriptor.as_ref())? else {
        let flags = [
            ("tomcat.expand_descriptor", &raw.expand_descriptor),
            ("tomcat.replace_descriptor", &raw.replace_descriptor),
        ];
        return match flags.into_iter().find_map(|(key, flag)| Some((key, flag.as_ref()?))) {
            None => Ok(None),
            Some((key, flag)) => {
                let location = resolver.file.location(flag.span());
                Err(SpecError::Value { location, key, reason: ValueError::NoDescriptor })
            }
        };
    };
    let text = resolver.file_text(&value, Expand::of(raw.expand_descriptor.as_ref()))?;
    let is_complete = raw.replace_descriptor.as_ref().is_some_and(|flag| *flag.value());
    Ok(Some(Descriptor { path: resolver.path(&value), text, is_complete }))
}

fn instance_name(text: &str, package: &Name) -> Result<String, ValueError> {
    if text == package.as_str() {
        return Err(ValueError::InstanceIsPackage(text.to_owned()));
    }
    account(text, "Tomcat instance")
}
