//! Makes a [`PackageHeader`] of the two headers' values.

use std::io::{BufReader, Read};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use nevra::{Arch, Evr, Name, Nevra};

use crate::error::ReadHeaderError;
use crate::files;
use crate::section::{Section, Source, read_lead};
use crate::tags::Tag;
use crate::{ChangelogEntry, Dependency, PackageHeader, Scriptlet, Signature};

impl PackageHeader {
    /// Reads the lead and both headers; the reader is left where the payload begins.
    ///
    /// Nothing is read beyond the headers, and no more memory is taken than bytes arrive and values need.
    ///
    /// # Errors
    /// [`ReadHeaderError`] for what is no RPM, is damaged, or breaks a limit.
    pub fn read<R: Read>(reader: &mut R) -> Result<Self, ReadHeaderError> {
        let mut source = Source::new(reader);
        read_lead(&mut source)?;
        let signature = Section::read_signature(&mut source)?;
        let main = Section::read_main(&mut source)?;
        assemble(&signature, &main)
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

fn assemble(signature: &Section, main: &Section) -> Result<PackageHeader, ReadHeaderError> {
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
        build_host: main.text(Tag::BUILDHOST)?,
        build_time: main.number(Tag::BUILDTIME)?,
        source_rpm: main.text(Tag::SOURCERPM)?,
        installed_size: first_number(&[(main, Tag::LONGSIZE), (main, Tag::SIZE)])?,
        archive_size: archive_size(signature, main)?,
        payload_compressor: main.text(Tag::PAYLOADCOMPRESSOR)?,
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
        files: files::read(main)?,
        changelog: changelog(main)?,
        scriptlets: scriptlets(main)?,
        signatures: signatures(signature)?,
        nevra,
    })
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
fn dependencies(main: &Section, [names, flags, versions]: [Tag; 3]) -> Result<Vec<Dependency>, ReadHeaderError> {
    let Some(texts) = main.texts(names)? else { return Ok(Vec::new()) };
    let numbers = main.numbers_beside(flags, names, texts.len())?;
    let version_texts = main.texts_beside(versions, names, texts.len())?;
    let rows = texts.into_iter().zip(numbers).zip(version_texts);
    Ok(rows.map(|((name, flags), version)| Dependency { name, flags: flags as u32, version }).collect())
}

fn changelog(main: &Section) -> Result<Vec<ChangelogEntry>, ReadHeaderError> {
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
