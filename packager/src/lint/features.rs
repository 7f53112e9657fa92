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

fn used(header: &PackageHeader) -> Vec<&'static str> {
    let evr = &header.nevra.evr;
    let kinds = [
        &header.requires,
        &header.provides,
        &header.conflicts,
        &header.obsoletes,
        &header.recommends,
        &header.suggests,
        &header.supplements,
        &header.enhances,
    ];
    let dependencies = || kinds.iter().flat_map(|kind| kind.iter());
    let versions = || dependencies().map(|one| one.version.as_str()).chain([evr.version(), evr.release()]);
    let compressor = header.payload_compressor.as_deref();
    let interpreters = || header.scriptlets.iter().map(|scriptlet| &scriptlet.interpreter);
    let is_lua = interpreters().any(|words| words.first().is_some_and(|word| word == "<lua>"))
        || header.triggers.iter().any(|trigger| trigger.interpreter == "<lua>");
    let features = [
        ("PayloadIsZstd", compressor == Some("zstd")),
        ("PayloadIsXz", compressor == Some("xz")),
        ("PayloadIsLzma", compressor == Some("lzma")),
        ("PayloadIsBzip2", compressor == Some("bzip2")),
        ("FileDigests", header.files.iter().any(|file| file.digest.len() > 32)),
        ("FileCaps", header.files.iter().any(|file| !file.capabilities.is_empty())),
        ("LargeFiles", header.files.iter().any(|file| file.size > u64::from(u32::MAX))),
        ("RichDependencies", dependencies().any(|one| one.name.starts_with('('))),
        ("TildeInVersions", versions().any(|version| version.contains('~'))),
        ("CaretInVersions", versions().any(|version| version.contains('^'))),
        ("BuiltinLuaScripts", is_lua),
        ("ScriptletInterpreterArgs", interpreters().any(|words| words.len() > 1)),
    ];
    features.into_iter().filter(|(_, used)| *used).map(|(feature, _)| feature).collect()
}
