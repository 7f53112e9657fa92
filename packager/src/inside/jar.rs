//! One jar of a WAR: read once for its digest, then looked into.

use std::fmt;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use sha1::{Digest, Sha1};
use tempfile::SpooledTempFile;
use zip::ZipReadOptions;
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::coordinates::{Coordinates, Identity};
use super::{PomProperties, java_properties};

/// A jar of a WAR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jar {
    /// Its path within the WAR, such as `WEB-INF/lib/a-1.0.jar`.
    pub path: String,
    /// sha1, hexadecimal, by which Maven's repositories find it; none where it was not read.
    pub sha1: Option<String>,
    /// What it is.
    pub coordinates: Coordinates,
    /// What was unpacked into it, and the jars that it brings in its `META-INF/lib`.
    pub shaded: Vec<Coordinates>,
    /// Why not all of it is known.
    pub problem: Option<JarProblem>,
}

/// Why a jar, or what is in it, is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JarProblem {
    /// It could not be read out of the WAR.
    Unreadable(String),
    /// It is longer than the WAR says.
    Longer(u64),
    /// It, with those before it, is larger than what is looked at of a WAR.
    TooLarge(u64),
    /// It is no jar.
    NoJar(String),
    /// It holds more files than are looked at.
    TooMany(usize),
}

/// A jar of up to this many bytes is looked into in memory, a larger one in a temporary file.
const MEMORY_LIMIT: usize = 4 << 20;
/// As many files of a jar are looked at.
const ENTRY_LIMIT: usize = 200_000;
/// As many pom.properties of a jar are read, and as much of each and of the manifest.
const POM_LIMIT: usize = 100;
const TEXT_LIMIT: u64 = 64 * 1024;
/// Where a jar brings jars for a class loader of its own; as many are looked into, where they are no longer than this.
const INNER_FOLDER: &[u8] = b"META-INF/lib/";
const INNER_LIMIT: usize = 100;
const INNER_SIZE_LIMIT: u64 = 4 << 20;

impl Jar {
    /// A jar of which nothing but its name is known.
    pub(super) fn unknown(path: &str, problem: JarProblem) -> Self {
        let identity = Identity::of(file_name(path), &[], None);
        Self {
            path: path.to_owned(),
            sha1: None,
            coordinates: identity.own,
            shaded: Vec::new(),
            problem: Some(problem),
        }
    }

    /// Reads a jar that is `size` bytes long. It is an error where that fails, as with a damaged member of the WAR.
    pub(super) fn read(path: &str, size: u64, content: impl Read) -> io::Result<Self> {
        let mut spool = Spool { file: SpooledTempFile::new(MEMORY_LIMIT), sha1: Sha1::new() };
        // One byte more than there should be tells whether there is more.
        if io::copy(&mut content.take(size.saturating_add(1)), &mut spool)? > size {
            return Ok(Self::unknown(path, JarProblem::Longer(size)));
        }
        Ok(Self::look_into(path, spool.file, &spool.sha1.finalize()))
    }

    /// Tells what a jar is that is in memory.
    pub(super) fn of(path: &str, content: &[u8]) -> Self {
        Self::look_into(path, Cursor::new(content), &Sha1::digest(content))
    }

    fn look_into(path: &str, content: impl Read + Seek, sha1: &[u8]) -> Self {
        let sha1 = Some(hex::encode(sha1));
        match Identity::read(path, content, Inner::LookedInto) {
            Ok(Identity { own, shaded }) => {
                Self { path: path.to_owned(), sha1, coordinates: own, shaded, problem: None }
            }
            Err(problem) => Self { sha1, ..Self::unknown(path, problem) },
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Keeps what is written, and digests it.
struct Spool {
    file: SpooledTempFile,
    sha1: Sha1,
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.sha1.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What becomes of the jars in a jar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inner {
    LookedInto,
    LeftOut,
}

impl Identity {
    fn read(path: &str, content: impl Read + Seek, inner: Inner) -> Result<Self, JarProblem> {
        let Insides { manifest, poms, jars } = look_into(content, inner)?;
        let mut identity = Self::of(file_name(path), &poms, manifest.as_deref());
        identity.shaded.extend(jars.into_iter().flat_map(|inner| [vec![inner.own], inner.shaded].concat()));
        identity.shaded.sort();
        identity.shaded.dedup();
        Ok(identity)
    }
}

/// What tells of a jar what it is.
struct Insides {
    manifest: Option<String>,
    poms: Vec<PomProperties>,
    jars: Vec<Identity>,
}

/// Reads the manifest and the pom.properties of a jar, and those of the jars in it.
fn look_into(mut file: impl Read + Seek, inner: Inner) -> Result<Insides, JarProblem> {
    let no_jar = |error: ZipError| JarProblem::NoJar(error.to_string());
    file.seek(SeekFrom::Start(0)).map_err(|error| JarProblem::Unreadable(error.to_string()))?;
    let mut archive = ZipIterable::try_new(file, Config::default()).map_err(no_jar)?;
    if archive.len() > ENTRY_LIMIT {
        return Err(JarProblem::TooMany(archive.len()));
    }
    let files = archive.files().map_err(no_jar)?;
    let (mut manifest, mut poms, mut jars) = (None, Vec::new(), Vec::new());
    for entry in files.by_ref() {
        let entry = entry.map_err(no_jar)?;
        match entry.name_raw() {
            b"META-INF/MANIFEST.MF" => manifest = Some(entry),
            name if java_properties::is_pom_properties(name) && poms.len() < POM_LIMIT => poms.push(entry),
            name if inner == Inner::LookedInto && is_inner_jar(name) && jars.len() < INNER_LIMIT => jars.push(entry),
            _ => {}
        }
    }
    let manifest = manifest.map(|entry| read_text(entry, files.reader_mut())).transpose().map_err(no_jar)?;
    let texts = poms.into_iter().map(|entry| read_text(entry, files.reader_mut()));
    let texts = texts.collect::<Result<Vec<_>, _>>().map_err(no_jar)?;
    let poms = texts.iter().filter_map(|text| PomProperties::parse(text)).collect();
    let jars = jars.into_iter().map(|entry| inner_jar(entry, files.reader_mut())).collect();
    Ok(Insides { manifest, poms, jars })
}

fn is_inner_jar(name: &[u8]) -> bool {
    name.strip_prefix(INNER_FOLDER).is_some_and(|name| name.len() > 4 && name.ends_with(b".jar"))
}

/// A jar in a jar; of one that can't be read, its name is known.
fn inner_jar(entry: ZipFileEntry<'static>, reader: &mut (impl Read + Seek)) -> Identity {
    let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
    let mut bytes = Vec::new();
    let opened = entry.with_reader(reader, ZipReadOptions::new()).ok();
    let read = opened.and_then(|content| content.take(INNER_SIZE_LIMIT).read_to_end(&mut bytes).ok());
    let identity = read.and_then(|_| Identity::read(&name, Cursor::new(&bytes), Inner::LeftOut).ok());
    identity.unwrap_or_else(|| Identity::of(file_name(&name), &[], None))
}

fn read_text(entry: ZipFileEntry<'static>, reader: &mut (impl Read + Seek)) -> Result<String, ZipError> {
    let mut bytes = Vec::new();
    entry.with_reader(reader, ZipReadOptions::new())?.take(TEXT_LIMIT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl fmt::Display for JarProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(formatter, "could not be read: {why}"),
            Self::Longer(size) => write!(formatter, "is longer than the {size} bytes that the WAR says"),
            Self::TooLarge(size) => {
                write!(formatter, "is left out: with its {size} bytes the jars exceed what is read")
            }
            Self::NoJar(why) => write!(formatter, "is no jar: {why}"),
            Self::TooMany(count) => write!(formatter, "holds {count} files; {ENTRY_LIMIT} are looked at"),
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::Sha256;

    use super::super::tests::{archive, maven_jar};
    use super::*;

    #[test]
    fn reads_jars_small_and_large() {
        for padding in [0, MEMORY_LIMIT + 1_usize] {
            let pom = "groupId=g\nartifactId=a\nversion=1\n";
            let entries = [
                ("META-INF/maven/g/a/pom.properties", pom.as_bytes().to_vec()),
                ("x", (0..padding).step_by(32).flat_map(|index| Sha256::digest(index.to_le_bytes())).collect()),
            ];
            let bytes = archive(&entries);
            assert!(padding == 0 || bytes.len() > MEMORY_LIMIT, "{}", bytes.len());
            let jar = Jar::read("WEB-INF/lib/a-1.jar", bytes.len() as u64, bytes.as_slice()).unwrap();
            assert_eq!(jar.problem, None);
            assert_eq!(jar.coordinates.group.as_deref(), Some("g"));
            assert_eq!(jar.sha1, Some(hex::encode(Sha1::digest(&bytes))));
        }
    }

    #[test]
    fn what_is_no_jar_has_a_name_and_a_digest() {
        let jar = Jar::read("WEB-INF/lib/a-1.0.jar", 6, &b"no jar"[..]).unwrap();
        assert!(matches!(jar.problem, Some(JarProblem::NoJar(_))));
        assert!(jar.sha1.is_some());
        assert_eq!((jar.coordinates.artifact.as_str(), jar.coordinates.version.as_deref()), ("a", Some("1.0")));
        let bytes = maven_jar("g", "a", "1");
        for cut in 0..bytes.len() {
            Jar::read("a.jar", cut as u64, &bytes[..cut]).unwrap();
            let mut flipped = bytes.clone();
            flipped[cut] ^= 0xff;
            Jar::read("a.jar", flipped.len() as u64, flipped.as_slice()).unwrap();
        }
    }

    #[test]
    fn more_than_announced_is_not_read() {
        let jar = Jar::read("a.jar", 1000, io::repeat(0)).unwrap();
        assert_eq!(jar.problem, Some(JarProblem::Longer(1000)));
    }
}
