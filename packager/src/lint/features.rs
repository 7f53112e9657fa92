//! Features of rpm that a package uses and has to require (rpm's `lib/rpmds.c`, `rpmlibProvides`).

use rpm_header::PackageHeader;

use super::{Finding, Lint, Subject};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(header) = subject.header else { return Vec::new() };
    let required = |feature: &str| {
        let name = format!("rpmlib({feature})");
        header.requires.iter().any(|required| required.name == name)
    };
    let missing = used(header).into_iter().filter(|feature| !required(feature));
    missing.map(|feature| Finding::new(Lint::MissingRpmlib, format!("`rpmlib({feature})`"))).collect()
}

/// Only features that came with rpm 4.10 or later: every rpm in use has the older ones, and newer rpmbuilds no longer
/// ask for them. Weak dependencies are not counted: an rpm that can't read them passes them over.
fn used(header: &PackageHeader) -> Vec<&'static str> {
    let evr = &header.nevra.evr;
    let kinds = [&header.requires, &header.conflicts];
    let dependencies = || kinds.iter().flat_map(|kind| kind.iter());
    let versions = || dependencies().map(|one| one.version.as_str()).chain([evr.version(), evr.release()]);
    let features = [
        ("PayloadIsZstd", header.payload_compressor.as_deref() == Some("zstd")),
        ("LargeFiles", header.files.iter().any(|file| file.size > u64::from(u32::MAX))),
        ("RichDependencies", dependencies().any(|one| one.name.starts_with('('))),
        ("TildeInVersions", versions().any(|version| version.contains('~'))),
        ("CaretInVersions", versions().any(|version| version.contains('^'))),
    ];
    features.into_iter().filter(|(_, used)| *used).map(|(feature, _)| feature).collect()
}
