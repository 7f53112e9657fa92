//! The WAR: checked to be one, or packed from an exploded directory.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use chrono::{Datelike, Timelike};
use fs_err::File;
use tempfile::NamedTempFile;
use walkdir::WalkDir;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::SourceDate;

/// A WAR that can be packaged.
#[derive(Debug)]
pub(crate) struct War {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Keeps a WAR that was packed here.
    _packed: Option<NamedTempFile>,
}

/// Says why there is no WAR to package.
#[derive(Debug, thiserror::Error)]
pub enum WarError {
    /// There is nothing at the path.
    #[error("there is no WAR at `{}`; `tomcat.war` is relative to the spec", .0.display())]
    Missing(PathBuf),
    /// It could not be read.
    #[error("could not read the WAR")]
    Read(#[source] io::Error),
    /// It is something other than a file or a directory.
    #[error("the WAR `{}` is neither a file nor a directory", .0.display())]
    Kind(PathBuf),
    /// It is a directory without files.
    #[error("the WAR `{}` is a directory that holds no file", .0.display())]
    Empty(PathBuf),
    /// It is no zip archive.
    #[error("the WAR `{}` is not a zip archive", path.display())]
    NotZip {
        /// The path.
        path: PathBuf,
        /// What the reader says.
        source: ZipError,
    },
    /// A directory could not be packed.
    #[error("could not pack the directory `{}` as a WAR", path.display())]
    Pack {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl War {
    /// Opens the WAR at a path, or packs the directory there as one; `time` is then that of its entries.
    pub(crate) fn open(path: &Path, time: EntryTime) -> Result<Self, WarError> {
        let metadata = match fs_err::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(WarError::Missing(path.to_owned())),
            metadata => metadata.map_err(WarError::Read)?,
        };
        if metadata.is_file() {
            return Self::inspect(path, None);
        } else if !metadata.is_dir() {
            return Err(WarError::Kind(path.to_owned()));
        }
        // What cannot be read is told of when it is packed.
        if WalkDir::new(path).into_iter().all(|entry| entry.is_ok_and(|entry| entry.file_type().is_dir())) {
            return Err(WarError::Empty(path.to_owned()));
        }
        let packed = pack(path, time).map_err(|source| WarError::Pack { path: path.to_owned(), source })?;
        let path = packed.path().to_owned();
        Self::inspect(&path, Some(packed))
    }

    fn inspect(path: &Path, packed: Option<NamedTempFile>) -> Result<Self, WarError> {
        let file = File::open(path).map_err(WarError::Read)?;
        let size = file.metadata().map_err(WarError::Read)?.len();
        ZipArchive::new(BufReader::new(file)).map_err(|source| WarError::NotZip { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), size, _packed: packed })
    }
}

/// The time of the entries of a WAR that is packed here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryTime(DateTime);

impl EntryTime {
    /// Gives each build times of its own, the same for the same sources.
    ///
    /// Tomcat unpacks files with these times, and Jasper compiles a page again only when its time differs: with fixed
    /// times it would serve the pages of the build before. A zip's times count in steps of two seconds.
    pub(crate) fn of_build(date: SourceDate, build_number: u64) -> Self {
        let steps = date.of_build(build_number) - date.seconds();
        let time = chrono::DateTime::from_timestamp(i64::from(date.seconds() & !1) + 2 * i64::from(steps), 0);
        let time = time.unwrap_or_default();
        let [month, day, hour, minute, second] =
            [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(|part| part as u8);
        let year = u16::try_from(time.year()).unwrap_or_default();
        Self(DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default())
    }
}

/// Packs an exploded web application: entries sorted, all of the same time, so that the same files always give the same
/// bytes.
fn pack(directory: &Path, time: EntryTime) -> io::Result<NamedTempFile> {
    let mut packed = NamedTempFile::new()?;
    let mut writer = ZipWriter::new(packed.as_file_mut());
    if let Err(error) = pack_into(&mut writer, directory, time) {
        // Dropped unfinished, it would print to stderr what it finds amiss.
        std::mem::forget(writer);
        return Err(error);
    }
    writer.finish()?;
    Ok(packed)
}

fn pack_into(writer: &mut ZipWriter<&mut std::fs::File>, directory: &Path, time: EntryTime) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(time.0)
        .unix_permissions(0o644);
    for entry in WalkDir::new(directory).min_depth(1).sort_by_file_name() {
        let entry = entry?;
        let name = entry_name(directory, entry.path())?;
        if entry.file_type().is_dir() {
            writer.add_directory(name, options.unix_permissions(0o755))?;
        } else if entry.file_type().is_file() {
            let mut file = File::open(entry.path())?;
            let large = entry.metadata()?.len() >= u64::from(u32::MAX);
            writer.start_file(name, options.large_file(large))?;
            io::copy(&mut file.by_ref(), writer)?;
        } else {
            return Err(refused(entry.path(), "is neither a file nor a directory"));
        }
    }
    Ok(())
}

fn entry_name(directory: &Path, path: &Path) -> io::Result<String> {
    let name = path.strip_prefix(directory).unwrap_or(path).to_str();
    name.map(str::to_owned).ok_or_else(|| refused(path, "has a name that is not UTF-8"))
}

fn refused(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<War, WarError> {
        War::open(path, time(57))
    }

    fn time(build_number: u64) -> EntryTime {
        EntryTime::of_build(SourceDate::from_seconds(1_700_000_001).unwrap(), build_number)
    }

    #[test]
    fn entries_of_every_build_have_times_of_their_own() {
        assert_eq!(time(0).0.to_string(), "2023-11-14 22:13:20");
        assert_eq!(time(57).0.to_string(), "2023-11-14 22:15:14");
        assert_eq!(time(58).0.to_string(), "2023-11-14 22:15:16");
        let before_zip = EntryTime::of_build(SourceDate::from_seconds(0).unwrap(), 1);
        assert_eq!(before_zip.0.to_string(), "1980-01-01 00:00:00");
    }

    #[test]
    fn says_where_it_looked() {
        let error = open(Path::new("no/such.war")).unwrap_err().to_string();
        assert_eq!(error, "there is no WAR at `no/such.war`; `tomcat.war` is relative to the spec");
    }

    #[test]
    fn refuses_what_is_no_zip() {
        assert!(matches!(open(Path::new("/dev/null")), Err(WarError::Kind(_))));
        let directory = tempfile::tempdir().unwrap();
        for content in [&b""[..], b"PK", b"<html/>"] {
            let path = directory.path().join("x.war");
            fs_err::write(&path, content).unwrap();
            assert!(matches!(open(&path), Err(WarError::NotZip { .. })), "{content:?}");
        }
    }

    #[test]
    fn refuses_a_directory_without_files() {
        let directory = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(directory.path().join("WEB-INF/lib")).unwrap();
        assert!(matches!(open(directory.path()), Err(WarError::Empty(_))));
        fs_err::write(directory.path().join("WEB-INF/web.xml"), "").unwrap();
        open(directory.path()).unwrap();
    }

    #[test]
    fn packs_the_same_bytes_whatever_the_times() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            fs_err::create_dir_all(directory.path().join("META-INF")).unwrap();
            fs_err::write(directory.path().join(name), name).unwrap();
        };
        write("b.html");
        write("META-INF/context.xml");
        let first = open(directory.path()).unwrap();
        write("b.html");
        let second = open(directory.path()).unwrap();
        assert_eq!(fs_err::read(&first.path).unwrap(), fs_err::read(&second.path).unwrap());
        let mut archive = ZipArchive::new(File::open(&first.path).unwrap()).unwrap();
        let names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["META-INF/", "META-INF/context.xml", "b.html"]);
        let mut content = String::new();
        archive.by_name("b.html").unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "b.html");
    }
}
