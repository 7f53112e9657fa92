//! The main header: the tags that rpmbuild 4.18 would set, as far as rpm, dnf and createrepo_c read them.

use crate::{Compression, PackageLayout};

use super::payload::PayloadDigests;
use super::section::{Section, Value};
use super::{dependency_tags, file_tags, script_tags, tag};

/// PGPHASHALGO_SHA256 (RFC 9580, section 9.5), for files and payload alike.
pub(super) const SHA256: u32 = 8;

/// Makes the header, all but the digests of what is in the payload. Digests as long as real ones stand in, so that the
/// header's length is right.
pub(super) fn build(layout: &PackageLayout) -> Section {
    let mut header = Section::default();
    put_identity(&mut header, layout);
    put_changelog(&mut header, layout);
    dependency_tags::put(&mut header, layout);
    script_tags::put(&mut header, layout);
    file_tags::put(&mut header, layout);
    put_payload(&mut header, layout.compression);
    put_digests(&mut header, &PayloadDigests::unknown(layout));
    header
}

/// Puts in the digests of a payload that is written.
pub(super) fn put_digests(header: &mut Section, digests: &PayloadDigests) {
    header.put(tag::FILEDIGESTS, Value::texts(digests.files.iter().map(String::as_str)));
    // Lists of one, as rpm has them.
    header.put(tag::PAYLOADDIGEST, Value::texts([digests.compressed.sha256.as_str()]));
    header.put(tag::PAYLOADDIGESTALT, Value::texts(digests.archive_sha256.as_deref()));
}

fn put_identity(header: &mut Section, layout: &PackageLayout) {
    let about = &layout.about;
    let (name, evr, arch) = (&about.nevra.name, &about.nevra.evr, &about.nevra.arch);
    header.put(tag::HEADERI18NTABLE, Value::texts(["C"]));
    header.put(tag::NAME, Value::text(name.as_str()));
    header.put(tag::VERSION, Value::text(evr.version()));
    header.put(tag::RELEASE, Value::text(evr.release()));
    if evr.epoch() > 0 {
        header.put(tag::EPOCH, Value::number(evr.epoch()));
    }
    header.put(tag::SUMMARY, Value::Translated(about.summary.clone()));
    header.put(tag::DESCRIPTION, Value::Translated(about.description.clone()));
    header.put(tag::BUILDTIME, Value::number(layout.source_date.seconds()));
    header.put(tag::LICENSE, Value::text(&about.license));
    header.put(tag::GROUP, Value::Translated(about.group.clone().unwrap_or_else(|| "Unspecified".to_owned())));
    header.put(tag::OS, Value::text("linux"));
    header.put(tag::ARCH, Value::text(arch.as_str()));
    header.put(tag::PLATFORM, Value::text(format!("{arch}-linux")));
    header.put(tag::ENCODING, Value::text("utf-8"));
    header.put(tag::RPMVERSION, Value::text(concat!("pkg-", env!("CARGO_PKG_VERSION"))));
    // Without it rpm takes a package for a source package.
    header.put(tag::SOURCERPM, Value::text(format!("{name}-{}-{}.src.rpm", evr.version(), evr.release())));
    let optional = [
        (tag::URL, &about.url),
        (tag::VENDOR, &about.vendor),
        (tag::PACKAGER, &about.packager),
        (tag::BUILDHOST, &about.build_host),
        (tag::DISTURL, &about.dist_url),
        (tag::VCS, &about.vcs),
        (tag::BUGURL, &about.bug_url),
    ];
    for (tag, text) in optional {
        if let Some(text) = text {
            header.put(tag, Value::text(text));
        }
    }
}

fn put_changelog(header: &mut Section, layout: &PackageLayout) {
    let entries = &layout.changelog;
    let times = entries.iter().map(|entry| u32::try_from(entry.time).unwrap_or(u32::MAX));
    header.put(tag::CHANGELOGTIME, Value::Int32(times.collect()));
    header.put(tag::CHANGELOGNAME, Value::texts(entries.iter().map(|entry| entry.author.as_str())));
    header.put(tag::CHANGELOGTEXT, Value::texts(entries.iter().map(|entry| entry.text.as_str())));
}

fn put_payload(header: &mut Section, compression: Compression) {
    header.put(tag::PAYLOADFORMAT, Value::text("cpio"));
    header.put(tag::PAYLOADFLAGS, Value::text(compression.flags()));
    header.put(tag::PAYLOADDIGESTALGO, Value::number(SHA256));
    if let Some(compressor) = compression.compressor() {
        header.put(tag::PAYLOADCOMPRESSOR, Value::text(compressor));
    }
}
