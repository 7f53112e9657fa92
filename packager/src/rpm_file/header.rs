//! The main header: the tags that rpmbuild 4.18 would set, as far as rpm, dnf and createrepo_c read them.

use std::collections::BTreeSet;

use rpm::{Header, HeaderEntry, IndexData, IndexTag as Tag};

use rpm_header::{Dependency, FileEntry};

use crate::{Compression, Entry, EntryKind, PackageLayout, Role, Scriptlet, ScriptletKind};

use super::payload::PayloadDigests;

/// RPMSENSE flags (rpm's `include/rpm/rpmds.h`).
const INTERPRETER: u32 = 1 << 8;
const CONFIG: u32 = 1 << 28;

/// PGPHASHALGO_SHA256 (RFC 9580, section 9.5), for files and payload alike.
const SHA256: u32 = 8;

/// Makes the header. Its length depends on the layout alone.
pub(super) fn build(layout: &PackageLayout, digests: &PayloadDigests) -> Header<Tag> {
    let tags =
        [identity(layout), dependencies(layout), files(layout, digests), file_paths(layout), payload(layout, digests)];
    let entries = tags.into_iter().flatten().map(|(tag, data)| HeaderEntry::new(tag as u32, data));
    Header::from_entries(entries, Tag::RPMTAG_HEADERIMMUTABLE)
}

fn identity(layout: &PackageLayout) -> Vec<(Tag, IndexData)> {
    let about = &layout.about;
    let (name, evr, arch) = (&about.nevra.name, &about.nevra.evr, &about.nevra.arch);
    let mut tags = vec![
        (Tag::RPMTAG_HEADERI18NTABLE, strings(["C"])),
        (Tag::RPMTAG_NAME, text(name.as_str())),
        (Tag::RPMTAG_VERSION, text(evr.version())),
        (Tag::RPMTAG_RELEASE, text(evr.release())),
        (Tag::RPMTAG_SUMMARY, translated(&about.summary)),
        (Tag::RPMTAG_DESCRIPTION, translated(&about.description)),
        (Tag::RPMTAG_BUILDTIME, number(layout.source_date.seconds())),
        (Tag::RPMTAG_LICENSE, text(&about.license)),
        (Tag::RPMTAG_GROUP, translated(about.group.as_deref().unwrap_or("Unspecified"))),
        (Tag::RPMTAG_OS, text("linux")),
        (Tag::RPMTAG_ARCH, text(arch.as_str())),
        (Tag::RPMTAG_PLATFORM, text(&format!("{arch}-linux"))),
        (Tag::RPMTAG_ENCODING, text("utf-8")),
        (Tag::RPMTAG_RPMVERSION, text(concat!("pkg-", env!("CARGO_PKG_VERSION")))),
        // Without it rpm takes a package for a source package.
        (Tag::RPMTAG_SOURCERPM, text(&format!("{name}-{}-{}.src.rpm", evr.version(), evr.release()))),
    ];
    if evr.epoch() > 0 {
        tags.push((Tag::RPMTAG_EPOCH, number(evr.epoch())));
    }
    let optional = [
        (Tag::RPMTAG_URL, &about.url),
        (Tag::RPMTAG_VENDOR, &about.vendor),
        (Tag::RPMTAG_PACKAGER, &about.packager),
        (Tag::RPMTAG_BUILDHOST, &about.build_host),
        (Tag::RPMTAG_VCS, &about.vcs),
        (Tag::RPMTAG_BUGURL, &about.bug_url),
    ];
    tags.extend(optional.into_iter().filter_map(|(tag, value)| value.as_ref().map(|value| (tag, text(value)))));
    tags.extend(layout.scriptlets.iter().flat_map(scriptlet));
    tags
}

fn scriptlet(scriptlet: &Scriptlet) -> [(Tag, IndexData); 2] {
    let (body, interpreter, _) = scriptlet_tags(scriptlet.kind);
    let program = match scriptlet.interpreter.as_slice() {
        [program] => text(program),
        programs => strings(programs.iter().map(String::as_str)),
    };
    [(body, text(&scriptlet.body)), (interpreter, program)]
}

/// A scriptlet's tags, and the flag of what it requires.
fn scriptlet_tags(kind: ScriptletKind) -> (Tag, Tag, u32) {
    match kind {
        ScriptletKind::PreTransaction => (Tag::RPMTAG_PRETRANS, Tag::RPMTAG_PRETRANSPROG, 1 << 7),
        ScriptletKind::PreInstall => (Tag::RPMTAG_PREIN, Tag::RPMTAG_PREINPROG, 1 << 9),
        ScriptletKind::PostInstall => (Tag::RPMTAG_POSTIN, Tag::RPMTAG_POSTINPROG, 1 << 10),
        ScriptletKind::PreUninstall => (Tag::RPMTAG_PREUN, Tag::RPMTAG_PREUNPROG, 1 << 11),
        ScriptletKind::PostUninstall => (Tag::RPMTAG_POSTUN, Tag::RPMTAG_POSTUNPROG, 1 << 12),
        ScriptletKind::PostTransaction => (Tag::RPMTAG_POSTTRANS, Tag::RPMTAG_POSTTRANSPROG, 1 << 5),
        ScriptletKind::Verify => (Tag::RPMTAG_VERIFYSCRIPT, Tag::RPMTAG_VERIFYSCRIPTPROG, 1 << 13),
    }
}

fn dependencies(layout: &PackageLayout) -> Vec<(Tag, IndexData)> {
    let (provides, requires) = (provides(layout), requires(layout));
    let names = |list: &[Dependency]| strings(list.iter().map(|dependency| dependency.name.as_str()));
    let flags = |list: &[Dependency]| IndexData::Int32(list.iter().map(|dependency| dependency.flags).collect());
    let versions = |list: &[Dependency]| strings(list.iter().map(|dependency| dependency.version.as_str()));
    vec![
        (Tag::RPMTAG_PROVIDENAME, names(&provides)),
        (Tag::RPMTAG_PROVIDEFLAGS, flags(&provides)),
        (Tag::RPMTAG_PROVIDEVERSION, versions(&provides)),
        (Tag::RPMTAG_REQUIRENAME, names(&requires)),
        (Tag::RPMTAG_REQUIREFLAGS, flags(&requires)),
        (Tag::RPMTAG_REQUIREVERSION, versions(&requires)),
    ]
}

fn dependency(name: &str, flags: u32, version: &str) -> Dependency {
    Dependency { name: name.to_owned(), flags, version: version.to_owned() }
}

fn provides(layout: &PackageLayout) -> Vec<Dependency> {
    let nevra = &layout.about.nevra;
    let mut provides = layout.dependencies.provides.clone();
    provides.push(dependency(nevra.name.as_str(), Dependency::EQUAL, &nevra.evr.to_string()));
    provides.extend(config_dependency(layout));
    provides.sort();
    provides
}

/// `config(name) = evr`, which rpmbuild generates for a package that has configuration.
fn config_dependency(layout: &PackageLayout) -> Option<Dependency> {
    let nevra = &layout.about.nevra;
    let has_config = layout.entries.iter().any(Entry::is_config);
    let name = format!("config({})", nevra.name);
    has_config.then(|| dependency(&name, Dependency::EQUAL | CONFIG, &nevra.evr.to_string()))
}

fn requires(layout: &PackageLayout) -> Vec<Dependency> {
    let mut requires: BTreeSet<Dependency> = layout.dependencies.requires.iter().cloned().collect();
    requires.extend(config_dependency(layout));
    for scriptlet in &layout.scriptlets {
        let (_, _, sense) = scriptlet_tags(scriptlet.kind);
        requires.extend(scriptlet.interpreter.first().map(|program| dependency(program, INTERPRETER | sense, "")));
    }
    let versions: Vec<String> = requires.iter().map(|needed| needed.version.clone()).collect();
    let versions = || versions.iter().map(String::as_str).chain([layout.about.nevra.evr.version()]);
    let mut feature = |name: &str, since: &str| {
        let flags = Dependency::LESS | Dependency::EQUAL | Dependency::RPMLIB;
        requires.insert(dependency(&format!("rpmlib({name})"), flags, since));
    };
    feature("CompressedFileNames", "3.0.4-1");
    feature("FileDigests", "4.6.0-1");
    feature("PayloadFilesHavePrefix", "4.0-1");
    match layout.compression {
        Compression::Zstd(_) => feature("PayloadIsZstd", "5.4.18-1"),
        Compression::Xz(_) => feature("PayloadIsXz", "5.2-1"),
        Compression::Gzip(_) | Compression::None => {}
    }
    if versions().any(|version| version.contains('~')) || layout.about.nevra.evr.release().contains('~') {
        feature("TildeInVersions", "4.10.0-1");
    }
    if versions().any(|version| version.contains('^')) || layout.about.nevra.evr.release().contains('^') {
        feature("CaretInVersions", "4.15.0-1");
    }
    requires.into_iter().collect()
}

fn files(layout: &PackageLayout, digests: &PayloadDigests) -> Vec<(Tag, IndexData)> {
    let entries = &layout.entries;
    let zeros = || IndexData::Int16(vec![0; entries.len()]);
    let same = |value: u32| IndexData::Int32(vec![value; entries.len()]);
    let size = |entry: &Entry| u32::try_from(entry.size()).unwrap_or(u32::MAX);
    let numbers = |read: fn(&Entry) -> u32| IndexData::Int32(entries.iter().map(read).collect());
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    vec![
        (Tag::RPMTAG_SIZE, number(entries.iter().map(size).fold(0, u32::saturating_add))),
        (Tag::RPMTAG_FILESIZES, IndexData::Int32(entries.iter().map(size).collect())),
        (Tag::RPMTAG_FILEMODES, IndexData::Int16(entries.iter().map(Entry::mode).collect())),
        (Tag::RPMTAG_FILERDEVS, zeros()),
        (Tag::RPMTAG_FILEMTIMES, numbers(|entry| entry.mtime)),
        (Tag::RPMTAG_FILEDIGESTS, strings(digests.files.iter().map(String::as_str))),
        (Tag::RPMTAG_FILEDIGESTALGO, number(SHA256)),
        (Tag::RPMTAG_FILELINKTOS, strings(entries.iter().map(link_target))),
        (Tag::RPMTAG_FILEFLAGS, numbers(file_flags)),
        (Tag::RPMTAG_FILEUSERNAME, strings(entries.iter().map(|entry| entry.user.as_str()))),
        (Tag::RPMTAG_FILEGROUPNAME, strings(entries.iter().map(|entry| entry.group.as_str()))),
        (Tag::RPMTAG_FILEVERIFYFLAGS, same(u32::MAX)),
        (Tag::RPMTAG_FILEDEVICES, same(1)),
        // All different: the same device and inode would mean a hard link.
        (Tag::RPMTAG_FILEINODES, IndexData::Int32((1..=count).collect())),
        (Tag::RPMTAG_FILELANGS, strings(entries.iter().map(|_| ""))),
    ]
}

fn link_target(entry: &Entry) -> &str {
    match &entry.kind {
        EntryKind::Symlink(target) => target,
        _ => "",
    }
}

fn file_flags(entry: &Entry) -> u32 {
    let role = match entry.role {
        Role::Plain => 0,
        Role::Config => FileEntry::CONFIG,
        Role::ConfigNoReplace => FileEntry::CONFIG | FileEntry::NO_REPLACE,
        Role::ConfigMissingOk => FileEntry::CONFIG | FileEntry::MISSING_OK,
        Role::ConfigNoReplaceMissingOk => FileEntry::CONFIG | FileEntry::NO_REPLACE | FileEntry::MISSING_OK,
        Role::Documentation => FileEntry::DOC,
        Role::License => FileEntry::LICENSE,
    };
    if entry.is_shipped() { role } else { role | FileEntry::GHOST }
}

/// Paths are stored as base names with indexes into a sorted list of directories.
fn file_paths(layout: &PackageLayout) -> Vec<(Tag, IndexData)> {
    let split = |entry: &Entry| {
        let name = entry.path.rfind('/').map_or(0, |slash| slash + 1);
        (entry.path[..name].to_owned(), entry.path[name..].to_owned())
    };
    let (directories, names): (Vec<_>, Vec<_>) = layout.entries.iter().map(split).unzip();
    let distinct: Vec<_> = directories.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let index = |directory| distinct.partition_point(|other| *other < directory);
    let indexes = directories.iter().map(|directory| u32::try_from(index(directory)).unwrap_or(u32::MAX));
    vec![
        (Tag::RPMTAG_DIRINDEXES, IndexData::Int32(indexes.collect())),
        (Tag::RPMTAG_BASENAMES, strings(names.iter().map(String::as_str))),
        (Tag::RPMTAG_DIRNAMES, strings(distinct.iter().map(|directory| directory.as_str()))),
    ]
}

fn payload(layout: &PackageLayout, digests: &PayloadDigests) -> Vec<(Tag, IndexData)> {
    let compression = layout.compression;
    let mut tags = vec![
        (Tag::RPMTAG_PAYLOADFORMAT, text("cpio")),
        (Tag::RPMTAG_PAYLOADFLAGS, text(&compression.flags())),
        (Tag::RPMTAG_PAYLOADSHA256, strings([digests.compressed.sha256.as_str()])),
        (Tag::RPMTAG_PAYLOADSHA256ALGO, number(SHA256)),
        (Tag::RPMTAG_PAYLOADSHA256ALT, strings([digests.archive.sha256.as_str()])),
    ];
    if let Some(compressor) = compression.compressor() {
        tags.push((Tag::RPMTAG_PAYLOADCOMPRESSOR, text(compressor)));
    }
    tags
}

fn text(value: &str) -> IndexData {
    IndexData::StringTag(value.to_owned())
}

fn translated(value: &str) -> IndexData {
    IndexData::I18NString(vec![value.to_owned()])
}

fn strings<'a>(values: impl IntoIterator<Item = &'a str>) -> IndexData {
    IndexData::StringArray(values.into_iter().map(str::to_owned).collect())
}

fn number(value: u32) -> IndexData {
    IndexData::Int32(vec![value])
}
