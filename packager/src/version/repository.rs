//! What a yum repository, or a folder of packages, holds of some names.
//!
//! A repository is read in two steps, so that whoever has it elsewhere can fetch the one file and then the other:
//! `repodata/repomd.xml`, and the list of packages that it names ("primary").

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use nevra::{Arch, Evr, Name, Nevra};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rpm_header::{PackageHeader, ReadHeaderError};
use sha2::{Digest, Sha256, Sha512};

/// Where the list of a repository's packages is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// Its path within the repository.
    pub href: String,
    checksum: Checksum,
}

/// A package that is listed, or that lies in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPackage {
    /// Its identity.
    pub nevra: Nevra,
    /// Its path within the repository or the folder.
    pub href: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Checksum {
    Sha256(String),
    Sha512(String),
}

/// Says why what a repository holds could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A file could not be read.
    #[error("could not read the repository's metadata")]
    Read(#[source] io::Error),
    /// The metadata is no well-formed XML.
    #[error("the repository's {file} is no well-formed XML")]
    Xml {
        /// `repomd.xml` or the list of packages.
        file: &'static str,
        /// What the reader says.
        source: quick_xml::Error,
    },
    /// There is no list of packages.
    #[error("the repository's repomd.xml names no list of packages with a checksum of sha256 or sha512")]
    NoPrimary,
    /// The path leads out of the repository.
    #[error("the repository's repomd.xml names `{0}` as list of packages, which is no path within it")]
    Path(String),
    /// The file is another than the one that repomd.xml names.
    #[error("the repository's list of packages is not the file that repomd.xml names: its checksum differs")]
    Checksum,
    /// It is neither a repository, nor a folder, nor a package.
    #[error("`{}` is neither a folder with `repodata/repomd.xml` or with packages, nor a package", .0.display())]
    Nothing(PathBuf),
    /// A package could not be read.
    #[error("could not read the package `{}`", path.display())]
    Package {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadHeaderError,
    },
}

/// What a repository's metadata may be long, in bytes, unpacked.
const REPOMD_LIMIT: u64 = 4 << 20;
const PRIMARY_LIMIT: u64 = 4 << 30;

/// Reads what a folder holds of some names: of its repodata where it is a repository, else of the packages in it; or takes a
/// single package.
///
/// # Errors
/// [`RepositoryError`]
pub fn listed(path: &Path, names: &[Name]) -> Result<Vec<ListedPackage>, RepositoryError> {
    let repomd = path.join("repodata/repomd.xml");
    if repomd.is_file() {
        let primary = Primary::locate(File::open(repomd).map_err(RepositoryError::Read)?)?;
        return primary.read(File::open(path.join(&primary.href)).map_err(RepositoryError::Read)?, names);
    }
    let nothing = || RepositoryError::Nothing(path.to_owned());
    let mut files = Vec::new();
    if path.is_file() {
        files.push(path.to_owned());
    } else {
        for entry in fs_err::read_dir(path).map_err(|_| nothing())? {
            files.push(entry.map_err(RepositoryError::Read)?.path());
        }
        files.retain(|file| file.extension().is_some_and(|extension| extension == "rpm"));
        files.sort();
    }
    if files.is_empty() {
        return Err(nothing());
    }
    let packages = files.iter().map(|file| read_package(file)).collect::<Result<Vec<_>, _>>()?;
    Ok(packages.into_iter().filter(|package| names.contains(&package.nevra.name)).collect())
}

fn read_package(path: &Path) -> Result<ListedPackage, RepositoryError> {
    let file = File::open(path).map_err(RepositoryError::Read)?;
    let header = PackageHeader::read(&mut BufReader::new(file));
    let header = header.map_err(|source| RepositoryError::Package { path: path.to_owned(), source })?;
    let href = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(ListedPackage { nevra: header.nevra, href })
}

impl Primary {
    /// Finds the list of packages in a repomd.xml.
    ///
    /// # Errors
    /// [`RepositoryError`] where it is no such file, or names none.
    pub fn locate(repomd: impl Read) -> Result<Self, RepositoryError> {
        let mut text = String::new();
        repomd.take(REPOMD_LIMIT).read_to_string(&mut text).map_err(RepositoryError::Read)?;
        let wrong = |source| RepositoryError::Xml { file: "repomd.xml", source };
        let mut reader = Reader::from_str(&text);
        let (mut in_primary, mut in_checksum) = (false, None);
        let (mut href, mut checksum) = (None, None);
        loop {
            match reader.read_event().map_err(wrong)? {
                Event::Start(start) | Event::Empty(start) => match start.local_name().as_ref() {
                    "data" => in_primary = attribute(&start, "type").as_deref() == Some("primary"),
                    "location" if in_primary => href = attribute(&start, "href"),
                    "checksum" if in_primary => in_checksum = attribute(&start, "type"),
                    _ => {}
                },
                Event::Text(value) => match in_checksum.as_deref() {
                    Some("sha256") => checksum = Some(Checksum::Sha256(value.trim().to_ascii_lowercase())),
                    Some("sha512") => checksum = Some(Checksum::Sha512(value.trim().to_ascii_lowercase())),
                    _ => {}
                },
                Event::End(_) => in_checksum = None,
                Event::Eof => break,
                _ => {}
            }
        }
        let (href, checksum) = href.zip(checksum).ok_or(RepositoryError::NoPrimary)?;
        let is_within = !href.starts_with('/') && !href.contains("://") && href.split('/').all(|part| part != "..");
        if is_within { Ok(Self { href, checksum }) } else { Err(RepositoryError::Path(href)) }
    }

    /// Reads the list, packed by gzip, zstd or xz or not at all, in constant memory, and gives the packages of some names.
    ///
    /// # Errors
    /// [`RepositoryError`] where it is broken, or another file than repomd.xml says.
    pub fn read(&self, primary: impl Read, names: &[Name]) -> Result<Vec<ListedPackage>, RepositoryError> {
        let mut packed = Digesting { inner: BufReader::new(primary), sha256: Sha256::new(), sha512: Sha512::new() };
        let packages = {
            let mut packed = BufReader::new(&mut packed);
            let magic = packed.fill_buf().map_err(RepositoryError::Read)?;
            let unpacked: Box<dyn Read> = match magic {
                [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(&mut packed)),
                [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                    Box::new(zstd::stream::read::Decoder::with_buffer(&mut packed).map_err(RepositoryError::Read)?)
                }
                [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(liblzma::bufread::XzDecoder::new(&mut packed)),
                _ => Box::new(&mut packed),
            };
            packages_of(BufReader::new(unpacked.take(PRIMARY_LIMIT)), names)?
        };
        io::copy(&mut packed, &mut io::sink()).map_err(RepositoryError::Read)?;
        let agrees = match &self.checksum {
            Checksum::Sha256(expected) => hex::encode(packed.sha256.finalize()) == *expected,
            Checksum::Sha512(expected) => hex::encode(packed.sha512.finalize()) == *expected,
        };
        if agrees { Ok(packages) } else { Err(RepositoryError::Checksum) }
    }
}

/// Digests what is read through it.
struct Digesting<R> {
    inner: R,
    sha256: Sha256,
    sha512: Sha512,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.sha256.update(&buffer[..count]);
        self.sha512.update(&buffer[..count]);
        Ok(count)
    }
}

/// A package as far as it has been read.
#[derive(Debug, Default)]
struct Reading {
    name: String,
    arch: String,
    evr: Option<Evr>,
    href: String,
}

fn packages_of(xml: impl BufRead, names: &[Name]) -> Result<Vec<ListedPackage>, RepositoryError> {
    let wrong = |source| RepositoryError::Xml { file: "list of packages", source };
    let mut reader = Reader::from_reader(xml);
    let (mut buffer, mut packages) = (Vec::new(), Vec::new());
    let (mut package, mut path) = (Reading::default(), Vec::new());
    loop {
        match reader.read_event_into(&mut buffer).map_err(wrong)? {
            Event::Start(start) => {
                package.take(&start);
                path.push(start.local_name().as_ref().to_owned());
            }
            Event::Empty(start) => package.take(&start),
            Event::Text(text) => match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["metadata", "package", "name"] => package.name.push_str(text.trim()),
                ["metadata", "package", "arch"] => package.arch.push_str(text.trim()),
                _ => {}
            },
            Event::End(_) => {
                path.pop();
                if path == ["metadata"] {
                    packages.extend(std::mem::take(&mut package).finish(names));
                }
            }
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    if path.is_empty() {
        Ok(packages)
    } else {
        let open = path.pop().unwrap_or_default();
        Err(wrong(quick_xml::errors::IllFormedError::MissingEndTag(open).into()))
    }
}

impl Reading {
    fn take(&mut self, start: &BytesStart<'_>) {
        match start.local_name().as_ref() {
            "version" => {
                let part = |key| attribute(start, key).unwrap_or_default();
                let epoch = part("epoch").parse().unwrap_or_default();
                self.evr = Some(Evr::from_header(epoch, part("ver"), part("rel")));
            }
            "location" => self.href = attribute(start, "href").unwrap_or_default(),
            _ => {}
        }
    }

    fn finish(self, names: &[Name]) -> Option<ListedPackage> {
        let arch: Arch = self.arch.parse().ok()?;
        let name = names.iter().find(|name| name.as_str() == self.name)?.clone();
        let evr = self.evr.filter(|_| arch.as_str() != "src")?;
        Some(ListedPackage { nevra: Nevra { name, evr, arch }, href: self.href })
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).ok()??;
    attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Command;

    use super::*;

    const PACKAGES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="4">
<package type="rpm"><name>shop</name><arch>noarch</arch><version epoch="0" ver="1.4.0" rel="57"/>
  <format><rpm:provides><rpm:entry name="other" flags="EQ" epoch="0" ver="9" rel="9"/></rpm:provides></format>
  <location href="Packages/s/shop-1.4.0-57.noarch.rpm"/></package>
<package type="rpm"><name>shop</name><arch>noarch</arch><version epoch="2" ver="1.5~rc1" rel="1"/><location href="b"/></package>
<package type="rpm"><name>shop</name><arch>src</arch><version epoch="0" ver="9" rel="9"/><location href="c"/></package>
<package type="rpm"><name>shop-config</name><arch>noarch</arch><version epoch="0" ver="8" rel="8"/><location href="d"/></package>
</metadata>"#;

    fn repomd(checksum: &str, href: &str) -> String {
        format!(
            "<repomd><data type='filelists'><checksum type='sha256'>00</checksum><location href='f'/></data>\
             <data type='primary'><checksum type='sha256'>{checksum}</checksum><open-checksum type='sha256'>11\
             </open-checksum><location href='{href}'/></data></repomd>"
        )
    }

    fn read(packed: &[u8]) -> Result<Vec<ListedPackage>, RepositoryError> {
        let checksum = hex::encode(Sha256::digest(packed));
        let primary = Primary::locate(repomd(&checksum, "repodata/primary.xml").as_bytes()).unwrap();
        primary.read(packed, &["shop".parse().unwrap()])
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_lists_however_packed() {
        let xml = PACKAGES.as_bytes();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(xml).unwrap();
        for packed in [xml.to_vec(), gzip(xml), zstd::encode_all(xml, 1).unwrap(), xz.finish().unwrap()] {
            let packages = read(&packed).unwrap();
            let rows: Vec<_> =
                packages.iter().map(|package| (package.nevra.to_string(), package.href.as_str())).collect();
            let first = ("shop-1.4.0-57.noarch".to_owned(), "Packages/s/shop-1.4.0-57.noarch.rpm");
            assert_eq!(rows, [first, ("shop-2:1.5~rc1-1.noarch".to_owned(), "b")]);
        }
    }

    #[test]
    fn refuses_what_is_broken() {
        assert!(matches!(read(&PACKAGES.as_bytes()[..700]), Err(RepositoryError::Xml { .. })));
        let packed = gzip(PACKAGES.as_bytes());
        assert!(read(&packed[..packed.len() / 2]).is_err());
        let primary = Primary::locate(repomd("00", "p").as_bytes()).unwrap();
        let error = primary.read(packed.as_slice(), &["shop".parse().unwrap()]).unwrap_err();
        assert!(matches!(error, RepositoryError::Checksum));
        for href in ["../p", "/etc/passwd", "http://elsewhere/p", "a/../../p"] {
            assert!(matches!(Primary::locate(repomd("00", href).as_bytes()), Err(RepositoryError::Path(_))), "{href}");
        }
        assert!(matches!(Primary::locate(&b"<repomd/>"[..]), Err(RepositoryError::NoPrimary)));
        assert!(matches!(Primary::locate(&b"<repomd></x>"[..]), Err(RepositoryError::Xml { .. })));
    }

    #[test]
    fn reads_folders() {
        let directory = tempfile::tempdir().unwrap();
        let name: [Name; 1] = ["shop".parse().unwrap()];
        assert!(matches!(listed(directory.path(), &name), Err(RepositoryError::Nothing(_))));
        assert!(matches!(listed(&directory.path().join("no"), &name), Err(RepositoryError::Nothing(_))));
        fs_err::write(directory.path().join("a.rpm"), "no package").unwrap();
        assert!(matches!(listed(directory.path(), &name), Err(RepositoryError::Package { .. })));
        fs_err::remove_file(directory.path().join("a.rpm")).unwrap();
        let status = Command::new("createrepo_c").arg("--quiet").arg(directory.path()).status().unwrap();
        assert!(status.success());
        assert_eq!(listed(directory.path(), &name).unwrap(), []);
    }
}
