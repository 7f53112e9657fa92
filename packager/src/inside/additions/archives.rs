//! The Java archives among a package's files: WARs, resource adapters, EARs with those in them, executable jars, and jars that lie in
//! directories, as in an exploded WAR's `WEB-INF/lib` or Tomcat's own `lib`.

use std::io::{self, BufReader, Seek};
use std::path::Path;

use fs_err::File;
use zip::ZipReadOptions;
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::super::{Jar, JarProblem, WebArchive, WebArchiveError};
use crate::{PackageLayout, Source};

/// What was found, by the paths on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Archives {
    /// Archives that hold jars.
    pub(crate) holders: Vec<(String, WebArchive)>,
    /// Jars that lie in directories.
    pub(crate) jars: Vec<Jar>,
}

impl Archives {
    /// Looks into all archives of a package.
    pub(super) fn read(layout: &PackageLayout) -> Result<Self, WebArchiveError> {
        let mut archives = Self::default();
        for (path, source) in files(layout) {
            match path.rsplit_once('.').map(|(_, ending)| ending) {
                Some("war") => archives.holders.push((path.to_owned(), WebArchive::read(source)?)),
                Some("rar") => archives.holders.push((path.to_owned(), WebArchive::read_adapter(source)?)),
                Some("ear") => archives.holders.push((path.to_owned(), enterprise_archive(source)?)),
                Some("jar") => match executable_jar(source)? {
                    Some(holder) => archives.holders.push((path.to_owned(), holder)),
                    None => archives.jars.push(jar(path, source)?),
                },
                _ => {}
            }
        }
        Ok(archives)
    }

    /// Takes the digests of all WARs, EARs and resource adapters of a package, and looks into none.
    pub(super) fn unread(layout: &PackageLayout) -> Result<Self, WebArchiveError> {
        let is_holder = |path: &str| [".war", ".ear", ".rar"].iter().any(|ending| path.ends_with(ending));
        let holders = files(layout).filter(|(path, _)| is_holder(path));
        let holders = holders.map(|(path, source)| Ok((path.to_owned(), WebArchive::unread(source)?)));
        Ok(Self { holders: holders.collect::<Result<_, _>>()?, jars: Vec::new() })
    }

    /// All jars, whatever holds them.
    pub(crate) fn all_jars(&self) -> impl Iterator<Item = &Jar> {
        self.holders.iter().flat_map(|(_, holder)| &holder.jars).chain(&self.jars)
    }
}

/// The files of a package that are files here, by their path on the host.
fn files(layout: &PackageLayout) -> impl Iterator<Item = (&str, &Path)> {
    layout.entries.iter().filter_map(|entry| match entry.source() {
        Some(Source::File(source, _)) => Some((entry.path.as_str(), source.as_path())),
        _ => None,
    })
}

/// A jar with jars in it, such as Spring Boot makes; none where it is any other, or broken.
fn executable_jar(source: &Path) -> Result<Option<WebArchive>, WebArchiveError> {
    let mut holds_jars = false;
    let listed = each_member(source, |entry, _| {
        let name = entry.name_raw();
        holds_jars |= name.starts_with(b"BOOT-INF/lib/") && name.ends_with(b".jar");
        Ok(())
    });
    if listed.is_ok() && holds_jars { WebArchive::read(source).map(Some) } else { Ok(None) }
}

fn jar(path: &str, source: &Path) -> Result<Jar, WebArchiveError> {
    let file = File::open(source).map_err(WebArchiveError::Read)?;
    let size = file.metadata().map_err(WebArchiveError::Read)?.len();
    Jar::read(path, size, file).map_err(WebArchiveError::Read)
}

/// An EAR's own jars, which are its libraries and modules (Jakarta Platform specification, section 8.2), and those of its
/// WARs and resource adapters, by paths such as `shop.war!/WEB-INF/lib/a-1.jar`.
fn enterprise_archive(source: &Path) -> Result<WebArchive, WebArchiveError> {
    let mut archive = WebArchive::read(source)?;
    let unpacked = tempfile::tempdir().map_err(WebArchiveError::Read)?;
    each_member(source, |entry, file| {
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let size = entry.size();
        let (is_war, is_adapter) = (name.ends_with(".war"), name.ends_with(".rar"));
        if !is_war && !is_adapter && !name.ends_with(".jar") {
            return Ok(());
        }
        let damaged = |source: io::Error, path: &Path| WebArchiveError::Member {
            path: path.to_owned(),
            member: name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
            source,
        };
        if size > LIMIT {
            archive.jars.push(Jar::unknown(&name, JarProblem::TooLarge(size)));
            return Ok(());
        }
        let opened = entry.with_reader(file, ZipReadOptions::new());
        let content = opened.map_err(|error| damaged(error.into(), source))?;
        if is_war || is_adapter {
            let path = unpacked.path().join("nested");
            let mut nested = File::create(&path).map_err(WebArchiveError::Read)?;
            // One byte more than there should be is an archive that is none.
            io::copy(&mut io::Read::take(content, size + 1), &mut nested).map_err(|error| damaged(error, source))?;
            let held = if is_war { WebArchive::read(&path) } else { WebArchive::read_adapter(&path) };
            let held = held.map_err(|error| damaged(io::Error::other(error), source))?;
            archive.jars.extend(held.jars.into_iter().map(|jar| Jar { path: format!("{name}!/{}", jar.path), ..jar }));
        } else {
            archive.jars.push(Jar::read(&name, size, content).map_err(|error| damaged(error, source))?);
        }
        Ok(())
    })?;
    archive.jars.sort_by(|left, right| left.path.cmp(&right.path));
    archive.jars.dedup_by(|left, right| left.path == right.path);
    Ok(archive)
}

/// What a member of an EAR may be long.
const LIMIT: u64 = 4 << 30;

/// Gives every member, and the file to read it from.
fn each_member(
    path: &Path,
    mut take: impl FnMut(ZipFileEntry<'static>, &mut BufReader<File>) -> Result<(), WebArchiveError>,
) -> Result<(), WebArchiveError> {
    let wrong = |source: ZipError| WebArchiveError::Archive { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(WebArchiveError::Read)?);
    let mut archive = ZipIterable::try_new(&mut file, Config::default()).map_err(wrong)?;
    let entries = archive.files().map_err(wrong)?.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    file.rewind().map_err(WebArchiveError::Read)?;
    entries.into_iter().try_for_each(|entry| take(entry, &mut file))
}
