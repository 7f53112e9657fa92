//! What a package needs, gives and excludes: what its layout says, and what follows from the rest.

use std::borrow::Borrow;

use nevra::Arch;
use rpm_header::Dependency;

use crate::{Compression, Entry, PackageLayout};

use super::section::{Section, Value};
use super::tag::{self, DependencyTags};
use super::{file_tags, script_tags};

/// RPMSENSE_CONFIG (rpm's `include/rpm/rpmds.h`).
const CONFIG: u32 = 1 << 28;

/// Puts in the dependencies of every kind.
pub(super) fn put(header: &mut Section, layout: &PackageLayout) {
    let given = &layout.dependencies;
    put_list(header, tag::PROVIDES, provides(layout));
    put_list(header, tag::REQUIRES, requires(layout));
    put_list(header, tag::CONFLICTS, given.conflicts.clone());
    put_list(header, tag::OBSOLETES, given.obsoletes.clone());
    put_list(header, tag::RECOMMENDS, given.recommends.clone());
    put_list(header, tag::SUGGESTS, given.suggests.clone());
    put_list(header, tag::SUPPLEMENTS, given.supplements.clone());
    put_list(header, tag::ENHANCES, given.enhances.clone());
}

fn put_list(header: &mut Section, tags: DependencyTags, mut list: Vec<Dependency>) {
    // The order of rpm's `rpmdsFind`, which finds by it.
    list.sort_by(|left, right| order(left).cmp(&order(right)));
    list.dedup();
    put_sorted(header, tags, &list);
}

/// What rpm sorts dependencies by.
pub(super) fn order(dependency: &Dependency) -> (&str, &str, u32) {
    (&dependency.name, &dependency.version, dependency.flags)
}

/// Puts in a list of dependencies as it is.
pub(super) fn put_sorted<D: Borrow<Dependency>>(header: &mut Section, tags: DependencyTags, list: &[D]) {
    let [names, flags, versions] = tags;
    header.put(names, Value::texts(list.iter().map(|one| one.borrow().name.as_str())));
    header.put(flags, Value::Int32(list.iter().map(|one| one.borrow().flags).collect()));
    header.put(versions, Value::texts(list.iter().map(|one| one.borrow().version.as_str())));
}

pub(super) fn dependency(name: &str, flags: u32, version: &str) -> Dependency {
    Dependency { name: name.to_owned(), flags, version: version.to_owned() }
}

fn provides(layout: &PackageLayout) -> Vec<Dependency> {
    let nevra = &layout.about.nevra;
    let mut provides = layout.dependencies.provides.clone();
    provides.push(dependency(nevra.name.as_str(), Dependency::EQUAL, &nevra.evr.to_string()));
    if let Some(isa) = isa(&nevra.arch) {
        let name = format!("{}({isa})", nevra.name);
        provides.push(dependency(&name, Dependency::EQUAL, &nevra.evr.to_string()));
    }
    provides.extend(config_dependency(layout));
    provides
}

/// rpm's `%{_isa}`: the architecture as it stands in dependencies.
fn isa(arch: &Arch) -> Option<&'static str> {
    match arch.as_str() {
        "x86_64" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" => Some("x86-64"),
        "i386" | "i486" | "i586" | "i686" => Some("x86-32"),
        "aarch64" => Some("aarch-64"),
        "armv7hl" => Some("armv7hl-32"),
        "ppc64" | "ppc64le" => Some("ppc-64"),
        "riscv64" => Some("riscv-64"),
        "s390x" => Some("s390-64"),
        "loongarch64" => Some("loongarch-64"),
        _ => None,
    }
}

/// `config(name) = evr`, which rpmbuild generates for a package that has configuration.
fn config_dependency(layout: &PackageLayout) -> Option<Dependency> {
    let nevra = &layout.about.nevra;
    let has_config = layout.entries.iter().any(Entry::is_config);
    let name = format!("config({})", nevra.name);
    has_config.then(|| dependency(&name, Dependency::EQUAL | CONFIG, &nevra.evr.to_string()))
}

fn requires(layout: &PackageLayout) -> Vec<Dependency> {
    let mut requires = layout.dependencies.requires.clone();
    requires.extend(config_dependency(layout));
    requires.extend(script_tags::interpreters(layout));
    requires.extend(features(layout).into_iter().map(|(name, since)| {
        let flags = Dependency::LESS | Dependency::EQUAL | Dependency::RPMLIB;
        dependency(&format!("rpmlib({name})"), flags, since)
    }));
    requires
}

/// The features that rpm must have to read the package, each with the version that brought it (rpm's `rpmlib(…)`
/// dependencies, `lib/rpmds.c`): an older rpm then refuses the package and does not misread it.
fn features(layout: &PackageLayout) -> Vec<(&'static str, &'static str)> {
    let has_capabilities = layout.entries.iter().any(|entry| entry.capabilities.is_some());
    let mut features =
        vec![("CompressedFileNames", "3.0.4-1"), ("FileDigests", "4.6.0-1"), ("PayloadFilesHavePrefix", "4.0-1")];
    let conditional = [
        (matches!(layout.compression, Compression::Zstd(_)), "PayloadIsZstd", "5.4.18-1"),
        (matches!(layout.compression, Compression::Xz(_)), "PayloadIsXz", "5.2-1"),
        (in_versions(layout, '~'), "TildeInVersions", "4.10.0-1"),
        (in_versions(layout, '^'), "CaretInVersions", "4.15.0-1"),
        (has_rich_dependencies(layout), "RichDependencies", "4.12.0-1"),
        (file_tags::has_large_files(&layout.entries), "LargeFiles", "4.12.0-1"),
        (has_capabilities, "FileCaps", "4.6.1-1"),
        (script_tags::has_lua(layout), "BuiltinLuaScripts", "4.2.2-1"),
        (script_tags::has_interpreter_arguments(layout), "ScriptletInterpreterArgs", "4.0.3-1"),
    ];
    features.extend(conditional.into_iter().filter(|(needed, ..)| *needed).map(|(_, name, since)| (name, since)));
    features
}

/// All dependencies that the layout names.
fn given(layout: &PackageLayout) -> impl Iterator<Item = &Dependency> {
    let kinds = &layout.dependencies;
    [
        &kinds.provides,
        &kinds.requires,
        &kinds.conflicts,
        &kinds.obsoletes,
        &kinds.recommends,
        &kinds.suggests,
        &kinds.supplements,
        &kinds.enhances,
    ]
    .into_iter()
    .flatten()
    .chain(layout.triggers.iter().flat_map(|trigger| &trigger.watches))
}

/// Tells whether a character is in the package's version or in one that it names.
pub(super) fn in_versions(layout: &PackageLayout, character: char) -> bool {
    let evr = &layout.about.nevra.evr;
    let is_in = |one: &Dependency| {
        one.version.contains(character)
            || (is_rich(one) && words_after_comparisons(&one.name).any(|word| word.contains(character)))
    };
    evr.version().contains(character) || evr.release().contains(character) || given(layout).any(is_in)
}

fn words_after_comparisons(text: &str) -> impl Iterator<Item = &str> {
    let words: Vec<_> = text.split_whitespace().collect();
    words
        .into_iter()
        .scan("", |before, word| {
            let is_version = before.contains(['<', '>', '=']);
            *before = word;
            Some(is_version.then_some(word))
        })
        .flatten()
}

/// Tells whether any dependency is a rich one, `(a or b)` and the like.
pub(super) fn has_rich_dependencies(layout: &PackageLayout) -> bool {
    given(layout).any(is_rich)
}

fn is_rich(dependency: &Dependency) -> bool {
    dependency.name.starts_with('(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_rich_dependencies_are_found() {
        let words: Vec<_> = words_after_comparisons("(a >= 1~rc1 or (b~c and d <2^x))").collect();
        assert_eq!(words, ["1~rc1"]);
        let words: Vec<_> = words_after_comparisons("(a and b < 2^x)").collect();
        assert_eq!(words, ["2^x)"]);
    }
}
