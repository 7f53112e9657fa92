//! The main header: the tags that rpmbuild 4.18 would set, as far as rpm, dnf and createrepo_c read them.

use std::collections::BTreeSet;

use rpm::{Header, HeaderEntry, IndexData, IndexTag as Tag};

use crate::layout::{Entry, EntryKind};
use crate::spec::{Comparison, Requirement};
use crate::{Compression, PackageLayout};

use super::payload::PayloadDigests;

/// RPMSENSE flags (rpm's `include/rpm/rpmds.h`).
const LESS: u32 = 1 << 1;
const GREATER: u32 = 1 << 2;
const EQUAL: u32 = 1 << 3;
const INTERPRETER: u32 = 1 << 8;
const SCRIPT_POSTUN: u32 = 1 << 12;
const RPMLIB: u32 = 1 << 24;
const CONFIG: u32 = 1 << 28;

/// RPMFILE flags (rpm's `include/rpm/rpmfiles.h`).
const FILE_CONFIG: u32 = 1;
const FILE_NO_REPLACE: u32 = 1 << 4;

/// PGPHASHALGO_SHA256 (RFC 9580, section 9.5), for files and payload alike.
const SHA256: u32 = 8;

const SHELL: &str = "/bin/sh";

/// A dependency as the header has it: name, RPMSENSE flags, version.
type Dependency = (String, u32, String);

/// Makes the header. Its length depends on the layout alone.
pub(super) fn build(layout: &PackageLayout, digests: &PayloadDigests) -> Header<Tag> {
    let tags =
        [identity(layout), dependencies(layout), files(layout, digests), file_paths(layout), payload(layout, digests)];
    let entries = tags.into_iter().flatten().map(|(tag, data)| HeaderEntry::new(tag as u32, data));
    Header::from_entries(entries, Tag::RPMTAG_HEADERIMMUTABLE)
}

fn identity(layout: &PackageLayout) -> Vec<(Tag, IndexData)> {
    let spec = &layout.spec;
    let evr = spec.evr();
    let mut tags = vec![
        (Tag::RPMTAG_HEADERI18NTABLE, strings(["C"])),
        (Tag::RPMTAG_NAME, text(spec.name().as_str())),
        (Tag::RPMTAG_VERSION, text(evr.version())),
        (Tag::RPMTAG_RELEASE, text(evr.release())),
        (Tag::RPMTAG_SUMMARY, translated(&spec.summary)),
        (Tag::RPMTAG_DESCRIPTION, translated(&spec.description)),
        (Tag::RPMTAG_BUILDTIME, number(layout.source_date.seconds())),
        (Tag::RPMTAG_LICENSE, text(&spec.license)),
        (Tag::RPMTAG_GROUP, translated("Unspecified")),
        (Tag::RPMTAG_OS, text("linux")),
        (Tag::RPMTAG_ARCH, text("noarch")),
        (Tag::RPMTAG_PLATFORM, text("noarch-linux")),
        (Tag::RPMTAG_ENCODING, text("utf-8")),
        (Tag::RPMTAG_RPMVERSION, text(concat!("pkg-", env!("CARGO_PKG_VERSION")))),
        // Without it rpm takes a package for a source package.
        (Tag::RPMTAG_SOURCERPM, text(&format!("{}-{}-{}.src.rpm", spec.name(), evr.version(), evr.release()))),
        (Tag::RPMTAG_POSTUN, text(&layout.scriptlet.postun)),
        (Tag::RPMTAG_POSTUNPROG, text(SHELL)),
    ];
    if evr.epoch() > 0 {
        tags.push((Tag::RPMTAG_EPOCH, number(evr.epoch())));
    }
    if let Some(url) = &spec.url {
        tags.push((Tag::RPMTAG_URL, text(url)));
    }
    tags
}

fn dependencies(layout: &PackageLayout) -> Vec<(Tag, IndexData)> {
    let (provides, requires) = (provides(layout), requires(layout));
    let names = |list: &[Dependency]| strings(list.iter().map(|(name, _, _)| name.as_str()));
    let flags = |list: &[Dependency]| IndexData::Int32(list.iter().map(|(_, flags, _)| *flags).collect());
    let versions = |list: &[Dependency]| strings(list.iter().map(|(_, _, version)| version.as_str()));
    vec![
        (Tag::RPMTAG_PROVIDENAME, names(&provides)),
        (Tag::RPMTAG_PROVIDEFLAGS, flags(&provides)),
        (Tag::RPMTAG_PROVIDEVERSION, versions(&provides)),
        (Tag::RPMTAG_REQUIRENAME, names(&requires)),
        (Tag::RPMTAG_REQUIREFLAGS, flags(&requires)),
        (Tag::RPMTAG_REQUIREVERSION, versions(&requires)),
    ]
}

fn provides(layout: &PackageLayout) -> Vec<Dependency> {
    let (name, evr) = (layout.spec.name(), layout.spec.evr().to_string());
    let mut provides = vec![(name.to_string(), EQUAL, evr)];
    provides.extend(config_dependency(layout));
    provides.sort();
    provides
}

/// `config(name) = evr`, which rpmbuild generates for a package that has configuration.
fn config_dependency(layout: &PackageLayout) -> Option<Dependency> {
    let has_config = layout.entries.iter().any(Entry::is_config);
    has_config.then(|| (format!("config({})", layout.spec.name()), EQUAL | CONFIG, layout.spec.evr().to_string()))
}

fn requires(layout: &PackageLayout) -> Vec<Dependency> {
    let spec = &layout.spec;
    let mut requires: BTreeSet<Dependency> = spec.requires.iter().map(requirement).collect();
    requires.extend(config_dependency(layout));
    requires.insert((SHELL.to_owned(), INTERPRETER | SCRIPT_POSTUN, String::new()));
    let mut feature = |name: &str, since: &str| {
        requires.insert((format!("rpmlib({name})"), LESS | EQUAL | RPMLIB, since.to_owned()));
    };
    feature("CompressedFileNames", "3.0.4-1");
    feature("FileDigests", "4.6.0-1");
    feature("PayloadFilesHavePrefix", "4.0-1");
    if spec.compression == Compression::Zstd {
        feature("PayloadIsZstd", "5.4.18-1");
    }
    let versions = spec.requires.iter().filter_map(|requirement| requirement.version.as_ref().map(|(_, v)| v.clone()));
    let versions: Vec<_> = versions.chain([spec.evr().to_string()]).collect();
    if versions.iter().any(|version| version.contains('~')) {
        feature("TildeInVersions", "4.10.0-1");
    }
    if versions.iter().any(|version| version.contains('^')) {
        feature("CaretInVersions", "4.15.0-1");
    }
    requires.into_iter().collect()
}

fn requirement(requirement: &Requirement) -> Dependency {
    let (flags, version) = match &requirement.version {
        None => (0, String::new()),
        Some((comparison, version)) => {
            let flags = match comparison {
                Comparison::Less => LESS,
                Comparison::LessOrEqual => LESS | EQUAL,
                Comparison::Equal => EQUAL,
                Comparison::GreaterOrEqual => GREATER | EQUAL,
                Comparison::Greater => GREATER,
            };
            (flags, version.clone())
        }
    };
    (requirement.name.clone(), flags, version)
}

fn files(layout: &PackageLayout, digests: &PayloadDigests) -> Vec<(Tag, IndexData)> {
    let entries = &layout.entries;
    let zeros = || IndexData::Int16(vec![0; entries.len()]);
    let same = |value: u32| IndexData::Int32(vec![value; entries.len()]);
    let numbers = |read: fn(&Entry) -> u32| IndexData::Int32(entries.iter().map(read).collect());
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    vec![
        (Tag::RPMTAG_SIZE, number(entries.iter().map(Entry::size).fold(0, u32::saturating_add))),
        (Tag::RPMTAG_FILESIZES, numbers(Entry::size)),
        (Tag::RPMTAG_FILEMODES, IndexData::Int16(entries.iter().map(Entry::mode).collect())),
        (Tag::RPMTAG_FILERDEVS, zeros()),
        (Tag::RPMTAG_FILEMTIMES, numbers(|entry| entry.mtime)),
        (Tag::RPMTAG_FILEDIGESTS, strings(digests.files.iter().map(String::as_str))),
        (Tag::RPMTAG_FILEDIGESTALGO, number(SHA256)),
        (Tag::RPMTAG_FILELINKTOS, strings(entries.iter().map(|_| ""))),
        (Tag::RPMTAG_FILEFLAGS, numbers(file_flags)),
        (Tag::RPMTAG_FILEUSERNAME, strings(entries.iter().map(|_| "root"))),
        (Tag::RPMTAG_FILEGROUPNAME, strings(entries.iter().map(|entry| entry.group.as_str()))),
        (Tag::RPMTAG_FILEVERIFYFLAGS, same(u32::MAX)),
        (Tag::RPMTAG_FILEDEVICES, same(1)),
        // All different: the same device and inode would mean a hard link.
        (Tag::RPMTAG_FILEINODES, IndexData::Int32((1..=count).collect())),
        (Tag::RPMTAG_FILELANGS, strings(entries.iter().map(|_| ""))),
    ]
}

fn file_flags(entry: &Entry) -> u32 {
    match entry.kind {
        EntryKind::Directory | EntryKind::File(_) => 0,
        EntryKind::Config(_) => FILE_CONFIG,
        EntryKind::ConfigNoReplace(_) => FILE_CONFIG | FILE_NO_REPLACE,
    }
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
    let compression = layout.spec.compression;
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
