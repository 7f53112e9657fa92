//! Plans a package's layout.

use crate::SourceDate;
use crate::contents::Contents;
use crate::spec::PackageSpec;

use super::placed::merge;
use super::{About, Dependencies, Entry, LayoutError, PackageLayout, Scriptlet, system, tomcat};

/// Below the 4 GiB at which rpm's size tags and cpio's headers end, with room for those headers.
pub(super) const SIZE_LIMIT: u64 = 4_000_000_000;

/// Lays out a package.
pub(crate) fn plan(
    spec: &PackageSpec,
    contents: &Contents,
    source_date: SourceDate,
) -> Result<PackageLayout, LayoutError> {
    let mut placed = contents.placed.clone();
    placed.extend(system::entries(spec, source_date));
    let mut generated = system::scriptlets(spec);
    if let Some(application) = &spec.tomcat {
        placed.extend(tomcat::entries(spec, application, contents, source_date)?);
        generated.extend(tomcat::scriptlets(spec, application));
    }
    let entries = merge(placed)?;
    check_size(&entries)?;
    let mut dependencies = spec.dependencies.clone();
    dependencies.requires.extend(system::requires(spec));
    if entries.is_empty() && dependencies == Dependencies::default() {
        return Err(LayoutError::Nothing(spec.location.to_string(), spec.name().to_string()));
    }
    Ok(PackageLayout {
        about: about(spec),
        target: spec.target,
        compression: spec.compression,
        source_date,
        dependencies,
        entries,
        scriptlets: join(spec, generated)?,
        triggers: spec.triggers.clone(),
        changelog: spec.changelog.clone(),
    })
}

fn about(spec: &PackageSpec) -> About {
    About {
        nevra: spec.nevra(),
        summary: spec.summary.clone(),
        description: spec.description.clone(),
        license: spec.license.clone(),
        url: spec.url.clone(),
        vendor: spec.vendor.clone(),
        group: spec.group.clone(),
        packager: spec.packager.clone(),
        build_host: None,
        vcs: None,
        bug_url: spec.bug_url.clone(),
    }
}

fn check_size(entries: &[Entry]) -> Result<(), LayoutError> {
    let total = entries.iter().map(Entry::size).fold(0, u64::saturating_add);
    if total > SIZE_LIMIT { Err(LayoutError::TooLarge(total)) } else { Ok(()) }
}

/// Joins the scriptlets that were generated with the spec's own, which come after them, to one of each kind.
fn join(spec: &PackageSpec, generated: Vec<Scriptlet>) -> Result<Vec<Scriptlet>, LayoutError> {
    let mut joined: Vec<Scriptlet> = Vec::new();
    for scriptlet in generated.into_iter().chain(spec.scripts.iter().cloned()) {
        match joined.iter_mut().find(|other| other.kind == scriptlet.kind) {
            None => joined.push(scriptlet),
            Some(first) if first.interpreter == scriptlet.interpreter => {
                first.body = format!("{}\n{}", first.body, scriptlet.body);
            }
            Some(_) => {
                let interpreter = scriptlet.interpreter.join(" ");
                return Err(LayoutError::Interpreter(spec.location.to_string(), interpreter));
            }
        }
    }
    joined.sort_by_key(|scriptlet| scriptlet.kind);
    Ok(joined)
}
