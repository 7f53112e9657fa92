//! Makes a [`PackageHeader`] of the two headers' values.

use std::io::{BufReader, Read};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use nevra::{Arch, Evr, Name, Nevra};

use crate::error::ReadHeaderError;
use crate::files;
use crate::section::{Section, Slice, Source, Stream, read_lead};
use crate::tags::Tag;
use crate::triggers;
use crate::{ChangelogEntry, Dependency, PackageHeader, Scriptlet, Signature};

impl PackageHeader {
    /// Reads the lead and both headers; the reader is left where the payload begins.
    ///
    /// Nothing is read beyond the headers, and no more memory is taken than bytes arrive and values need.
    ///
    /// # Errors
    /// [`ReadHeaderError`] for what is no RPM, is damaged, or breaks a limit.
    pub fn read<R: Read>(reader: &mut R) -> Result<Self, ReadHeaderError> {
        read(&mut Stream::new(reader), Extent::Whole)
    }

    /// Reads what repodata says of a package, in less time: of files their paths, modes and flags alone, and neither
    /// scriptlets, triggers nor signatures.
    ///
    /// # Errors
    /// As for [`PackageHeader::read`].
    pub fn read_for_repodata<R: Read>(reader: &mut R) -> Result<Self, ReadHeaderError> {
        read(&mut Stream::new(reader), Extent::Repodata)
    }

    /// The same of a file whose bytes, or the first of them, are in memory.
    ///
    /// # Errors
    /// As for [`PackageHeader::read`]; [`ReadHeaderError::Truncated`] where the bytes end before the headers do.
    pub fn parse_for_repodata(bytes: &[u8]) -> Result<Self, ReadHeaderError> {
        read(&mut Slice::new(bytes), Extent::Repodata)
    }

    /// Reads the headers of a file.
    ///
    /// # Errors
    /// [`ReadHeaderError`] as for [`PackageHeader::read`], or when the file can't be opened.
    pub fn read_file(path: &Path) -> Result<Self, ReadHeaderError> {
        let file =
            std::fs::File::open(path).map_err(|source| ReadHeaderError::Open { path: path.to_owned(), source })?;
        Self::read(&mut BufReader::new(file))
    }
}

/// How much of a header is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// What repodata says.
    Repodata,
}

fn read<'a>(source: &mut impl Source<'a>, extent: Extent) -> Result<PackageHeader, ReadHeaderError> {
    read_lead(source)?;
    let signature = Section::read_signature(source)?;
    let main = Section::read_main(source)?;
    assemble(&signature, &main, extent)
}

fn assemble(signature: &Section, main: &Section, extent: Extent) -> Result<PackageHeader, ReadHeaderError> {
    let is_whole = extent == Extent::Whole;
    let is_source = is_source(main)?;
    let nevra = nevra(main, is_source)?;
    Ok(PackageHeader {
        is_source,
        summary: main.text(Tag::SUMMARY)?.unwrap_or_default(),
        description: main.text(Tag::DESCRIPTION)?.unwrap_or_default(),
        license: main.text(Tag::LICENSE)?.unwrap_or_default(),
        vendor: main.text(Tag::VENDOR)?,
        group: main.text(Tag::GROUP)?,
        url: main.text(Tag::URL)?,
        packager: main.text(Tag::PACKAGER)?,
        distribution: main.text(Tag::DISTRIBUTION)?,
        dist_url: main.text(Tag::DISTURL)?,
        vcs: main.text(Tag::VCS)?,
        bug_url: main.text(Tag::BUGURL)?,
        rpm_version: main.text(Tag::RPMVERSION)?,
        build_host: main.text(Tag::BUILDHOST)?,
        build_time: main.number(Tag::BUILDTIME)?,
        source_rpm: main.text(Tag::SOURCERPM)?,
        installed_size: first_number(&[(main, Tag::LONGSIZE), (main, Tag::SIZE)])?,
        archive_size: archive_size(signature, main)?,
        payload_compressor: main.text(Tag::PAYLOADCOMPRESSOR)?,
        header_sha256: signature.text(Tag::SHA256HEADER)?,
        payload_sha256: payload_sha256(main)?,
        header_start: main.start,
        header_end: main.end,
        provides: provides(main, &nevra, is_source)?,
        requires: dependencies(main, [Tag::REQUIRENAME, Tag::REQUIREFLAGS, Tag::REQUIREVERSION])?,
        conflicts: dependencies(main, [Tag::CONFLICTNAME, Tag::CONFLICTFLAGS, Tag::CONFLICTVERSION])?,
        obsoletes: dependencies(main, [Tag::OBSOLETENAME, Tag::OBSOLETEFLAGS, Tag::OBSOLETEVERSION])?,
        recommends: dependencies(main, [Tag::RECOMMENDNAME, Tag::RECOMMENDFLAGS, Tag::RECOMMENDVERSION])?,
        suggests: dependencies(main, [Tag::SUGGESTNAME, Tag::SUGGESTFLAGS, Tag::SUGGESTVERSION])?,
        supplements: dependencies(main, [Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTFLAGS, Tag::SUPPLEMENTVERSION])?,
        enhances: dependencies(main, [Tag::ENHANCENAME, Tag::ENHANCEFLAGS, Tag::ENHANCEVERSION])?,
        old_suggests: dependencies(main, [Tag::OLDSUGGESTSNAME, Tag::OLDSUGGESTSFLAGS, Tag::OLDSUGGESTSVERSION])?,
        old_enhances: dependencies(main, [Tag::OLDENHANCESNAME, Tag::OLDENHANCESFLAGS, Tag::OLDENHANCESVERSION])?,
        files: files::read(main, extent)?,
        changelog: changelog(main)?,
        scriptlets: if is_whole { scriptlets(main)? } else { Vec::new() },
        triggers: if is_whole { triggers::read(main)? } else { Vec::new() },
        signatures: if is_whole { signatures(signature)? } else { Vec::new() },
        nevra,
    })
}

/// The payload's digest, if it is one of SHA-256 (RFC 4880, section 9.4).
fn payload_sha256(main: &Section) -> Result<Option<String>, ReadHeaderError> {
    const SHA256: u64 = 8;
    let digest = main.text(Tag::PAYLOADDIGEST)?;
    Ok(digest.filter(|_| main.number(Tag::PAYLOADDIGESTALGO).is_ok_and(|algorithm| algorithm == Some(SHA256))))
}

/// A source package has no source package. Packages before rpm 4.0 don't say more; their source packages have files
/// without directories (rpm's `lib/package.c`, `applyRetrofits`).
fn is_source(main: &Section) -> Result<bool, ReadHeaderError> {
    if main.has(Tag::SOURCERPM) || main.has(Tag::SOURCEPACKAGE) {
        return Ok(!main.has(Tag::SOURCERPM));
    }
    if let Some(directories) = main.raw_texts(Tag::DIRNAMES)? {
        return Ok(directories == [b""]);
    }
    let names = main.raw_texts(Tag::OLDFILENAMES)?.unwrap_or_default();
    Ok(names.first().is_some_and(|name| !name.starts_with(b"/")))
}

fn nevra(main: &Section, is_source: bool) -> Result<Nevra, ReadHeaderError> {
    let required = |tag: Tag| main.text(tag)?.ok_or(ReadHeaderError::MissingTag { tag: tag.name });
    let arch = if !is_source {
        required(Tag::ARCH)?
    } else if main.has(Tag::NOSOURCE) || main.has(Tag::NOPATCH) {
        "nosrc".to_owned()
    } else {
        "src".to_owned()
    };
    let epoch = main.number(Tag::EPOCH)?.unwrap_or(0) & u64::from(u32::MAX);
    Ok(Nevra {
        name: Name::from_header(required(Tag::NAME)?),
        evr: Evr::from_header(epoch as u32, required(Tag::VERSION)?, required(Tag::RELEASE)?),
        arch: Arch::from_header(arch),
    })
}

fn first_number(places: &[(&Section, Tag)]) -> Result<u64, ReadHeaderError> {
    for (section, tag) in places {
        if let Some(number) = section.number(*tag)? {
            return Ok(number);
        }
    }
    Ok(0)
}

fn archive_size(signature: &Section, main: &Section) -> Result<u64, ReadHeaderError> {
    first_number(&[
        (signature, Tag::LONGARCHIVESIZE),
        (signature, Tag::SIGPAYLOADSIZE),
        (main, Tag::LONGARCHIVESIZE),
        (main, Tag::ARCHIVESIZE),
        (main, Tag::PAYLOADSIZEALT),
    ])
}

/// Every binary package provides itself; packages before rpm 4.0, told by their lack of an immutable region, may not say
/// so, and rpm adds it when it reads them.
fn provides(main: &Section, nevra: &Nevra, is_source: bool) -> Result<Vec<Dependency>, ReadHeaderError> {
    let mut provides = dependencies(main, [Tag::PROVIDENAME, Tag::PROVIDEFLAGS, Tag::PROVIDEVERSION])?;
    let itself = Dependency { name: nevra.name.to_string(), flags: Dependency::EQUAL, version: nevra.evr.to_string() };
    let is_itself = |other: &Dependency| {
        other.name == itself.name && other.version == itself.version && other.comparison() == Some("EQ")
    };
    let is_ancient = !main.has(Tag::HEADERIMMUTABLE);
    if is_ancient && !is_source && !provides.iter().any(is_itself) {
        provides.push(itself);
    }
    Ok(provides)
}

/// Reads one kind of dependency from its tags for names, flags and versions; old packages may lack the latter two.
pub(crate) fn dependencies(
    main: &Section,
    [names, flags, versions]: [Tag; 3],
) -> Result<Vec<Dependency>, ReadHeaderError> {
    main.has_few(names)?;
    let Some(texts) = main.texts(names)? else { return Ok(Vec::new()) };
    let numbers = main.numbers_beside(flags, names, texts.len())?;
    let version_texts = main.texts_beside(versions, names, texts.len())?;
    let rows = texts.into_iter().zip(numbers).zip(version_texts);
    Ok(rows.map(|((name, flags), version)| Dependency { name, flags: flags as u32, version }).collect())
}

fn changelog(main: &Section) -> Result<Vec<ChangelogEntry>, ReadHeaderError> {
    main.has_few(Tag::CHANGELOGTIME)?;
    let Some(times) = main.numbers(Tag::CHANGELOGTIME)? else { return Ok(Vec::new()) };
    let authors = main.texts_beside(Tag::CHANGELOGNAME, Tag::CHANGELOGTIME, times.len())?;
    let texts = main.texts_beside(Tag::CHANGELOGTEXT, Tag::CHANGELOGTIME, times.len())?;
    let rows = times.into_iter().zip(authors).zip(texts);
    Ok(rows.map(|((time, author), text)| ChangelogEntry { author, time, text }).collect())
}

fn scriptlets(main: &Section) -> Result<Vec<Scriptlet>, ReadHeaderError> {
    let known = [
        ("%pretrans", Tag::PRETRANS, Tag::PRETRANSPROG),
        ("%pre", Tag::PREIN, Tag::PREINPROG),
        ("%post", Tag::POSTIN, Tag::POSTINPROG),
        ("%preun", Tag::PREUN, Tag::PREUNPROG),
        ("%postun", Tag::POSTUN, Tag::POSTUNPROG),
        ("%posttrans", Tag::POSTTRANS, Tag::POSTTRANSPROG),
        ("%preuntrans", Tag::PREUNTRANS, Tag::PREUNTRANSPROG),
        ("%postuntrans", Tag::POSTUNTRANS, Tag::POSTUNTRANSPROG),
        ("%verify", Tag::VERIFYSCRIPT, Tag::VERIFYSCRIPTPROG),
    ];
    let mut scriptlets = Vec::new();
    for (name, body, interpreter) in known {
        main.has_few(interpreter)?;
        let (body, interpreter) = (main.text(body)?, main.texts(interpreter)?);
        if body.is_some() || interpreter.is_some() {
            let interpreter = interpreter.unwrap_or_else(|| vec!["/bin/sh".to_owned()]);
            scriptlets.push(Scriptlet { name, interpreter, body: body.unwrap_or_default() });
        }
    }
    Ok(scriptlets)
}

fn signatures(signature: &Section) -> Result<Vec<Signature>, ReadHeaderError> {
    let mut signatures = Vec::new();
    for (index, text) in signature.raw_texts(Tag::OPENPGP)?.unwrap_or_default().into_iter().enumerate() {
        let packet =
            BASE64_STANDARD.decode(text).map_err(|source| ReadHeaderError::SignatureEncoding { index, source })?;
        signatures.push(Signature { tag: Tag::OPENPGP.name, packet });
    }
    for tag in [Tag::RSAHEADER, Tag::DSAHEADER, Tag::SIGPGP, Tag::SIGGPG, Tag::SIGPGP5] {
        if let Some(packet) = signature.bytes(tag)? {
            signatures.push(Signature { tag: tag.name, packet: packet.to_owned() });
        }
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::SampleHeader;

    fn identity(header: &SampleHeader) -> String {
        let header = header.read().unwrap();
        format!("{} {}", header.nevra.with_epoch(), if header.is_source { "source" } else { "binary" })
    }

    #[test]
    fn source_packages_are_told() {
        let bare = || SampleHeader::default().text(1000, "a").text(1001, "1").text(1002, "2").text(1022, "x86_64");
        for (header, expected) in [
            (SampleHeader::package(), "sample-0:1.0-2.noarch binary"),
            (SampleHeader::package().numbers(1003, &[7]), "sample-7:1.0-2.noarch binary"),
            (SampleHeader::package().numbers(1106, &[1]), "sample-0:1.0-2.noarch binary"),
            (bare().numbers(1106, &[1]), "a-0:1-2.src source"),
            (bare().numbers(1106, &[1]).numbers(1051, &[0]), "a-0:1-2.nosrc source"),
            (bare().numbers(1106, &[1]).numbers(1052, &[0]), "a-0:1-2.nosrc source"),
            (bare().texts(1027, &["a.spec"]), "a-0:1-2.src source"),
            (bare().texts(1027, &["/usr/bin/a"]), "a-0:1-2.x86_64 binary"),
            (bare().texts(1117, &["a.spec"]).texts(1118, &[""]).numbers(1116, &[0]), "a-0:1-2.src source"),
            (bare(), "a-0:1-2.x86_64 binary"),
        ] {
            assert_eq!(identity(&header), expected);
        }
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        for (header, expected) in [
            (SampleHeader::default().text(1000, "a"), "the main header has no `ARCH`"),
            (SampleHeader::package().numbers(1004, &[1]), "tag `SUMMARY` holds integers, it has to hold strings"),
            (SampleHeader::package().text(1009, "1"), "tag `SIZE` holds strings, it has to hold integers"),
            (
                SampleHeader::package().texts(1049, &["a", "b"]).texts(1050, &["1"]),
                "tag `REQUIREVERSION` has 1 values, it has to have 2, one for each of `REQUIRENAME`",
            ),
            (
                SampleHeader::package().entry(1048, 2, (1 << 20) + 1, &vec![0; (1 << 20) + 1]).texts(1049, &["a"]),
                "tag `REQUIREFLAGS` has 1048577 values; allowed are 1048576",
            ),
            (
                SampleHeader::package().entry(1049, 8, (1 << 17) + 1, &vec![0; (1 << 17) + 1]),
                "tag `REQUIRENAME` has 131073 values; allowed are 131072",
            ),
        ] {
            assert_eq!(header.read().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn ancient_packages_provide_themselves_once() {
        let provides = |header: &SampleHeader| -> Vec<String> {
            header.read().unwrap().provides.iter().map(ToString::to_string).collect()
        };
        assert_eq!(provides(&SampleHeader::package()), ["sample = 1.0-2"]);
        let unversioned = SampleHeader::package().texts(1047, &["sample", "webapp"]);
        assert_eq!(provides(&unversioned), ["sample", "webapp", "sample = 1.0-2"]);
        let itself = SampleHeader::package().texts(1047, &["sample"]).numbers(1112, &[8]).texts(1113, &["1.0-2"]);
        assert_eq!(provides(&itself), ["sample = 1.0-2"]);
    }

    #[test]
    fn text_is_utf_8_or_latin_1_and_of_the_c_locale() {
        let header = SampleHeader::package()
            .entry(1004, 9, 2, b"Gr\xfc\xdfe\0Salut\0")
            .entry(1005, 9, 1, "Grüße\0".as_bytes())
            .entry(1014, 8, 1, b"MIT\0");
        let header = header.read().unwrap();
        assert_eq!(
            (header.summary.as_str(), header.description.as_str(), header.license.as_str()),
            ("Grüße", "Grüße", "MIT")
        );
    }

    #[test]
    fn scriptlets_have_an_interpreter() {
        let header = SampleHeader::package()
            .text(1024, "echo post")
            .text(1088, "/sbin/ldconfig")
            .text(5103, "echo before")
            .texts(5105, &["/usr/bin/lua", "-x"]);
        let scriptlets = header.read().unwrap().scriptlets;
        let lines: Vec<String> =
            scriptlets.iter().map(|one| format!("{} {:?} {}", one.name, one.interpreter, one.body)).collect();
        assert_eq!(
            lines,
            [
                r#"%post ["/bin/sh"] echo post"#,
                r#"%postun ["/sbin/ldconfig"] "#,
                r#"%preuntrans ["/usr/bin/lua", "-x"] echo before"#,
            ]
        );
    }

    #[test]
    fn signature_header_comes_first() {
        let signature = SampleHeader::default()
            .entry(271, 5, 1, &9_u64.to_be_bytes())
            .entry(267, 7, 3, b"abc")
            .texts(278, &["AQI="]);
        let bytes = SampleHeader::package().numbers(1046, &[7]).to_signed_package(&signature);
        let header = PackageHeader::read(&mut bytes.as_slice()).unwrap();
        assert_eq!(header.archive_size, 9);
        let signatures: Vec<_> = header.signatures.iter().map(|one| (one.tag, one.packet.as_slice())).collect();
        assert_eq!(signatures, [("OPENPGP", [1, 2].as_slice()), ("DSAHEADER", b"abc")]);
        let broken = SampleHeader::default().texts(278, &["AQI=", "!!"]);
        let bytes = SampleHeader::package().to_signed_package(&broken);
        let error = PackageHeader::read(&mut bytes.as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "signature 1 of `OPENPGP` is not base64");
    }
}
