//! Adds to a package that is laid out what it says of itself: provenance, SBOM, `bundled(…)` provides, release notes.

use std::collections::BTreeSet;

use rpm_header::Dependency;

use super::provenance::Build;
use super::{Coordinates, Provenance, ReleaseNotes, WebArchive, WebArchiveError, sbom};
use crate::version::MappedVersion;
use crate::{Entry, EntryKind, PackageLayout, PackageSpec, Role, Source, Target};

/// The build host where it is not to be told: what openSUSE's reproducible builds write.
const NO_BUILD_HOST: &str = "reproducible";

/// What is known of a package besides its files.
#[derive(Debug, Clone)]
pub(crate) struct Described<'a> {
    provenance: &'a Provenance,
    /// The version as the sources write it, where rpm has another.
    upstream: Option<&'a str>,
    notes: Option<&'a ReleaseNotes>,
}

impl<'a> Described<'a> {
    /// What a spec says of its package.
    pub(crate) fn of(spec: &'a PackageSpec) -> Self {
        let upstream = Some(spec.version.text.trim()).filter(|text| *text != spec.evr().version());
        Self { provenance: &spec.provenance, upstream, notes: spec.notes.as_ref() }
    }
}

/// Adds it all, and gives the WARs that were looked into, by their path on the host.
///
/// The files are for packages with a WAR: `build.properties` and `sbom.cdx.json` in `/usr/share/<name>`. The tags, and
/// the release notes, are for all.
pub(crate) fn describe(
    layout: &mut PackageLayout,
    described: &Described<'_>,
) -> Result<Vec<(String, WebArchive)>, WebArchiveError> {
    let provenance = described.provenance;
    layout.about.dist_url = layout.about.dist_url.take().or_else(|| provenance.build_url.clone());
    layout.about.vcs = layout.about.vcs.take().or_else(|| provenance.vcs());
    let builder = || provenance.builder.clone().or_else(|| Some(NO_BUILD_HOST.to_owned()));
    layout.about.build_host = layout.about.build_host.take().or_else(builder);
    let mut provides: BTreeSet<Dependency> = layout.dependencies.provides.drain(..).collect();
    provides.extend(provenance.provides());
    let wars = read_wars(layout)?;
    provides.extend(wars.iter().flat_map(|(_, war)| bundled(war, layout.target)));
    layout.dependencies.provides = provides.into_iter().collect();
    if !wars.is_empty() {
        let digests: Vec<_> = wars.iter().map(|(path, war)| (path.clone(), war.sha256.clone())).collect();
        let (date, nevra) = (layout.source_date, &layout.about.nevra);
        let build = Build { nevra, upstream: described.upstream, date, wars: &digests };
        let texts = [
            ("build.properties", provenance.properties(&build)),
            ("sbom.cdx.json", sbom::render(&layout.about, date, provenance, &wars)),
        ];
        let directory = format!("/usr/share/{}", layout.about.nevra.name);
        for (name, text) in texts {
            add_file(layout, &directory, name, (text, Role::Plain));
        }
    }
    if let Some(notes) = described.notes {
        let directory = format!("/usr/share/doc/{}", layout.about.nevra.name);
        add_file(layout, &directory, notes.file_name(), (notes.text().to_owned(), Role::Documentation));
        let author = layout.about.packager.as_deref().or(provenance.author.as_deref()).unwrap_or("unknown");
        let entry = notes.changelog_entry(author, &layout.about.nevra, layout.source_date);
        layout.changelog.insert(0, entry);
    }
    Ok(wars)
}

fn read_wars(layout: &PackageLayout) -> Result<Vec<(String, WebArchive)>, WebArchiveError> {
    let wars = layout.entries.iter().filter_map(|entry| match entry.source() {
        Some(Source::File(source, _)) if entry.path.ends_with(".war") => Some((entry, source)),
        _ => None,
    });
    wars.map(|(entry, source)| Ok((entry.path.clone(), WebArchive::read(source)?))).collect()
}

/// Adds a file that root owns, unless there is one; and its directory, unless the package has that already.
fn add_file(layout: &mut PackageLayout, directory: &str, name: &str, (text, role): (String, Role)) {
    let mtime = layout.source_date.seconds();
    let path = format!("{directory}/{name}");
    let file = Entry { role, ..Entry::new(path, EntryKind::File(Source::Text(text)), 0o644, mtime) };
    for entry in [Entry::new(directory.to_owned(), EntryKind::Directory, 0o755, mtime), file] {
        if let Err(index) = layout.entries.binary_search_by(|other| other.path.cmp(&entry.path)) {
            layout.entries.insert(index, entry);
        }
    }
}

/// What the package bundles: each jar whose group and version are known, and what was unpacked into jars.
fn bundled(war: &WebArchive, target: Target) -> impl Iterator<Item = Dependency> {
    let all = war.jars.iter().flat_map(|jar| std::iter::once(&jar.coordinates).chain(&jar.shaded));
    all.filter_map(move |coordinates| match coordinates {
        Coordinates { group: Some(group), artifact, version: Some(version) } => Some(Dependency {
            name: format!("bundled(maven:{group}:{artifact})"),
            flags: Dependency::EQUAL,
            version: MappedVersion::of_library(version, target),
        }),
        _ => None,
    })
}
