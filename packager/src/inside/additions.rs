//! Adds to a package that is laid out what it says of itself: provenance, SBOM, `bundled(…)` provides, release notes.

mod archives;

use std::collections::BTreeSet;

use rpm_header::Dependency;

use super::java_properties::is_coordinate;
use super::provenance::Build;
use super::release_notes::changelog_entry;
use super::{Coordinates, Jar, NotesError, Provenance, ReleaseNotes, WebArchiveError, sbom};
use crate::version::MappedVersion;
use crate::{Entry, EntryKind, PackageLayout, PackageSpec, Role, Sbom, Source, Target};

pub(crate) use archives::Archives;

/// The build host where it is not to be told: what openSUSE's reproducible builds write.
const NO_BUILD_HOST: &str = "reproducible";

/// What is known of a package besides its files.
#[derive(Debug, Clone)]
pub(crate) struct Described<'a> {
    provenance: &'a Provenance,
    /// The version as the sources write it, where rpm has another.
    upstream: Option<&'a str>,
    notes: Option<&'a ReleaseNotes>,
    sbom: Sbom,
}

impl<'a> Described<'a> {
    /// What a spec says of its package.
    pub(crate) fn of(spec: &'a PackageSpec) -> Self {
        let upstream = Some(spec.version.text.trim()).filter(|text| *text != spec.evr().version());
        Self { provenance: &spec.provenance, upstream, notes: spec.notes.as_ref(), sbom: spec.sbom }
    }
}

/// Adds it all, and gives the archives that were looked into.
///
/// The files are for packages with a WAR, an EAR or jars: `build.properties` and `sbom.cdx.json` in `/usr/share/<name>`. The tags, and
/// the build host, are for all.
pub(crate) fn describe(layout: &mut PackageLayout, described: &Described<'_>) -> Result<Archives, WebArchiveError> {
    let provenance = described.provenance;
    layout.about.dist_url = layout.about.dist_url.take().or_else(|| provenance.build_url.clone());
    layout.about.vcs = layout.about.vcs.take().or_else(|| provenance.vcs());
    let builder = || provenance.builder.clone().or_else(|| Some(NO_BUILD_HOST.to_owned()));
    layout.about.build_host = layout.about.build_host.take().or_else(builder);
    let mut provides: BTreeSet<Dependency> = layout.dependencies.provides.drain(..).collect();
    provides.extend(provenance.provides());
    let archives = match described.sbom {
        Sbom::Written => Archives::read(layout)?,
        Sbom::LeftOut => Archives::unread(layout)?,
    };
    provides.extend(archives.all_jars().flat_map(|jar| bundled(jar, layout.target)));
    layout.dependencies.provides = provides.into_iter().collect();
    if !archives.holders.is_empty() || !archives.jars.is_empty() {
        let digests: Vec<_> = archives.holders.iter().map(|(path, war)| (path.clone(), war.sha256.clone())).collect();
        let (date, nevra) = (layout.source_date, &layout.about.nevra);
        let build = Build { nevra, upstream: described.upstream, date, wars: &digests };
        let mut texts = vec![("build.properties", provenance.properties(&build))];
        if described.sbom == Sbom::Written {
            texts.push(("sbom.cdx.json", sbom::render(&layout.about, date, provenance, &archives)));
        }
        let directory = format!("/usr/share/{}", layout.about.nevra.name);
        for (name, text) in texts {
            add_file(layout, &directory, name, (text, Role::Plain));
        }
    }
    Ok(archives)
}

/// Adds the release notes: as documentation, for people and for programs, and as the newest entry of the changelog.
pub(crate) fn add_notes(layout: &mut PackageLayout, described: &Described<'_>) -> Result<(), NotesError> {
    let Some(notes) = described.notes else { return Ok(()) };
    let notes = notes.of_package(&layout.about.nevra, layout.source_date)?;
    let directory = format!("/usr/share/doc/{}", layout.about.nevra.name);
    for (name, text) in notes.files {
        add_file(layout, &directory, name, (text, Role::Documentation));
    }
    let author = layout.about.packager.as_deref().or(described.provenance.author.as_deref()).unwrap_or("unknown");
    let entry = changelog_entry(author, &layout.about.nevra, (layout.source_date, notes.changelog));
    layout.changelog.insert(0, entry);
    Ok(())
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

/// What the package bundles by a jar: `bundled(maven:group:artifact) = version`, also for what was unpacked into it.
///
/// A jar whose group is not known is `bundled(jar:artifact)` with its version or, where that is not known either, its sha1:
/// two packages' jars can be compared by what they provide.
fn bundled(jar: &Jar, target: Target) -> Vec<Dependency> {
    let equal = |name: String, version: String| Dependency { name, flags: Dependency::EQUAL, version };
    let all = std::iter::once(&jar.coordinates).chain(&jar.shaded);
    let mut provides: Vec<Dependency> = all
        .filter_map(|coordinates| match coordinates {
            Coordinates { group: Some(group), artifact, version: Some(version) } => {
                Some(equal(format!("bundled(maven:{group}:{artifact})"), MappedVersion::of_library(version, target)))
            }
            _ => None,
        })
        .collect();
    let Coordinates { group, artifact, version } = &jar.coordinates;
    if (group.is_none() || version.is_none()) && is_coordinate(artifact) {
        let version = version.as_ref().map(|version| MappedVersion::of_library(version, target));
        let version = version.or_else(|| jar.sha1.as_ref().map(|sha1| format!("sha1.{sha1}")));
        provides.extend(version.map(|version| equal(format!("bundled(jar:{artifact})"), version)));
    }
    provides
}
