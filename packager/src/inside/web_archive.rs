//! What is in a WAR: every member read to its end, on several threads, and the jars looked into.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{thread, vec};

use crc32fast::Hasher;
use fs_err::File;
use sha2::{Digest, Sha256};
use zip::ZipReadOptions;
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::member_reader::MemberReader;
use super::{Jar, JarProblem};

/// What a WAR is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebArchive {
    /// sha256 of the whole, hexadecimal.
    pub sha256: String,
    /// CRC-32 of the whole: tells quickly whether it still is the same.
    pub crc32: u32,
    /// Its jars, sorted by path.
    pub jars: Vec<Jar>,
}

/// Says why a WAR could not be looked into.
#[derive(Debug, thiserror::Error)]
pub enum WebArchiveError {
    /// It could not be read.
    #[error("could not read the WAR")]
    Read(#[source] io::Error),
    /// It is no archive, or a broken one.
    #[error("could not list the jars of `{}`", path.display())]
    Archive {
        /// The WAR.
        path: PathBuf,
        /// What the reader says.
        source: ZipError,
    },
    /// A member is cut off, or its checksum is wrong, or it is packed in a way that Java does not read.
    #[error("`{member}` in `{}` is damaged", path.display())]
    Member {
        /// The WAR.
        path: PathBuf,
        /// The member's name.
        member: String,
        /// What the reader says.
        source: io::Error,
    },
    /// It holds too many files or jars.
    #[error("`{}` holds {count} {what}; allowed are {limit}", path.display())]
    TooMany {
        /// The WAR.
        path: PathBuf,
        /// How many.
        count: usize,
        /// Files or jars.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
}

/// Where a WAR keeps jars: those of the application, and those of executable WARs and jars of Spring Boot.
const FOLDERS: [&str; 3] = ["WEB-INF/lib/", "WEB-INF/lib-provided/", "BOOT-INF/lib/"];
const FILE_LIMIT: usize = 2_000_000;
const JAR_LIMIT: usize = 5_000;
/// Jars are compressed already: unpacked they are hardly larger than the WAR. What is beyond this times its size, and
/// 256 MiB, is not read.
const GROWTH_LIMIT: u64 = 4;
const GROWTH_ALLOWANCE: u64 = 256 << 20;
/// With the memory that one jar takes, this bounds the whole.
const THREAD_LIMIT: usize = 4;
const BUFFER_SIZE: usize = 256 * 1024;

/// A member that is still to be read.
struct Job {
    /// Its path, where it is a jar to look into.
    jar: Option<String>,
    entry: ZipFileEntry<'static>,
}

/// Where an archive keeps its jars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    Folders,
    Anywhere,
}

impl WebArchive {
    /// Reads a WAR: its digest, every member, and every jar in it. What can't be told of a jar is a problem of that jar alone.
    ///
    /// # Errors
    /// [`WebArchiveError`] where the WAR or one of its members can't be read.
    pub fn read(path: &Path) -> Result<Self, WebArchiveError> {
        Self::read_places(path, Places::Folders)
    }

    /// Reads a resource adapter, whose jars may lie anywhere (Jakarta Connectors specification, section 20.3).
    pub(super) fn read_adapter(path: &Path) -> Result<Self, WebArchiveError> {
        Self::read_places(path, Places::Anywhere)
    }

    /// Takes the digests of an archive alone.
    pub(super) fn unread(path: &Path) -> Result<Self, WebArchiveError> {
        let (sha256, crc32) = digest(path).map_err(WebArchiveError::Read)?;
        Ok(Self { sha256, crc32, jars: Vec::new() })
    }

    fn read_places(path: &Path, places: Places) -> Result<Self, WebArchiveError> {
        let (jobs, mut jars) = list(path, places)?;
        let jobs = Mutex::new(jobs.into_iter());
        let workers = thread::available_parallelism().map_or(1, NonZero::get).min(THREAD_LIMIT);
        let (digests, read) = thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(path, &jobs))).collect();
            let digests = digest(path);
            let read: Result<Vec<_>, WebArchiveError> =
                workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect();
            (digests, read)
        });
        jars.extend(read?.into_iter().flatten());
        jars.sort_by(|left, right| left.path.cmp(&right.path));
        let (sha256, crc32) = digests.map_err(WebArchiveError::Read)?;
        Ok(Self { sha256, crc32, jars })
    }
}

/// Lists the members that are to be read, and the jars that are too large for it.
fn list(path: &Path, places: Places) -> Result<(Vec<Job>, Vec<Jar>), WebArchiveError> {
    let wrong = |source| WebArchiveError::Archive { path: path.to_owned(), source };
    let too_many = |count, what, limit| WebArchiveError::TooMany { path: path.to_owned(), count, what, limit };
    let file = File::open(path).map_err(WebArchiveError::Read)?;
    let size = file.metadata().map_err(WebArchiveError::Read)?.len();
    let mut archive = ZipIterable::try_new(BufReader::new(file), Config::default()).map_err(wrong)?;
    if archive.len() > FILE_LIMIT {
        return Err(too_many(archive.len(), "files", FILE_LIMIT));
    }
    // Of two jars of one name the later counts, as it does for Java.
    let mut jars: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in archive.files().map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        if let Some(name) = jar_path(entry.name_raw(), places) {
            jars.insert(name, found.len());
        }
        if jars.len() > JAR_LIMIT {
            return Err(too_many(jars.len(), "jars", JAR_LIMIT));
        }
        found.push(entry);
    }
    let limit = size.saturating_mul(GROWTH_LIMIT).saturating_add(GROWTH_ALLOWANCE);
    let (mut jobs, mut left_out, mut total) = (Vec::new(), Vec::new(), 0_u64);
    let mut names = vec![None; found.len()];
    jars.into_iter().for_each(|(name, index)| names[index] = Some(name));
    for (entry, jar) in found.into_iter().zip(names) {
        if total.saturating_add(entry.size()) <= limit {
            total += entry.size();
            jobs.push(Job { jar, entry });
        } else if let Some(name) = jar {
            left_out.push(Jar::unknown(&name, JarProblem::TooLarge(entry.size())));
        }
    }
    Ok((jobs, left_out))
}

/// Tells whether an entry is a jar, and gives its path as a text that can be shown.
fn jar_path(name: &[u8], places: Places) -> Option<String> {
    let name = String::from_utf8_lossy(name);
    let rest = match places {
        Places::Folders => FOLDERS.iter().find_map(|folder| name.strip_prefix(folder))?,
        Places::Anywhere => &name,
    };
    let is_jar = rest.len() > 4 && rest.to_ascii_lowercase().ends_with(".jar");
    is_jar.then(|| shown(&name))
}

fn shown(name: &str) -> String {
    name.chars().map(|c| if acts_on_terminal(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters, and those that turn the direction of writing.
fn acts_on_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads members until there are none left, in the order that they have in the file.
fn work(path: &Path, jobs: &Mutex<vec::IntoIter<Job>>) -> Result<Vec<Jar>, WebArchiveError> {
    let mut members = MemberReader::open(path).map_err(WebArchiveError::Read)?;
    let mut jars = Vec::new();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(job) = job else { return Ok(jars) };
        let member = String::from_utf8_lossy(job.entry.name_raw()).into_owned();
        let damaged = |source| WebArchiveError::Member { path: path.to_owned(), member: shown(&member), source };
        jars.extend(read_member(&mut members, job).map_err(damaged)?);
    }
}

/// Reads a member to its end, and looks into it where it is a jar.
fn read_member(members: &mut MemberReader, Job { jar, entry }: Job) -> io::Result<Option<Jar>> {
    if let Some(content) = members.whole(&entry)? {
        return Ok(jar.map(|name| Jar::of(&name, content)));
    }
    let size = entry.size();
    // It compares the checksum when it comes to the end.
    let mut content = entry.with_reader(members.file(), ZipReadOptions::new())?;
    match jar {
        Some(name) => Jar::read(&name, size, content).map(Some),
        None => io::copy(&mut content, &mut io::sink()).map(|_| None),
    }
}

/// Gives sha256 and CRC-32.
fn digest(path: &Path) -> io::Result<(String, u32)> {
    let mut file = File::open(path)?;
    let (mut digest, mut checksum) = (Sha256::new(), Hasher::new());
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex::encode(digest.finalize()), checksum.finalize())),
            count => {
                digest.update(&buffer[..count]);
                checksum.update(&buffer[..count]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, maven_jar};
    use super::*;

    fn read(entries: &[(&str, Vec<u8>)]) -> WebArchive {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), archive(entries)).unwrap();
        WebArchive::read(file.path()).unwrap()
    }

    #[test]
    fn lists_every_jar() {
        let war = read(&[
            ("index.html", Vec::new()),
            ("WEB-INF/lib/b-1.jar", maven_jar("org.b", "b", "1")),
            ("WEB-INF/lib/a-1.jar", maven_jar("org.a", "a", "1")),
            ("WEB-INF/lib/.jar", Vec::new()),
            ("WEB-INF/lib/readme.txt", Vec::new()),
            ("WEB-INF/lib/broken-2.jar", b"PK".to_vec()),
            ("BOOT-INF/lib/c.JAR", maven_jar("org.c", "c", "1")),
            ("other/d.jar", maven_jar("org.d", "d", "1")),
            ("WEB-INF/lib/\u{1b}[31m\u{202e}.jar", maven_jar("org.e", "e", "1")),
        ]);
        let paths: Vec<_> = war.jars.iter().map(|jar| (jar.path.as_str(), jar.problem.is_some())).collect();
        let expected = [
            ("BOOT-INF/lib/c.JAR", false),
            ("WEB-INF/lib/a-1.jar", false),
            ("WEB-INF/lib/b-1.jar", false),
            ("WEB-INF/lib/broken-2.jar", true),
            ("WEB-INF/lib/\u{fffd}[31m\u{fffd}.jar", false),
        ];
        assert_eq!(paths, expected);
        assert_eq!(war.jars[1].coordinates.group.as_deref(), Some("org.a"));
    }

    #[test]
    fn is_the_same_however_the_threads_run() {
        let jars: Vec<_> =
            (0..60).map(|n| (format!("WEB-INF/lib/a{n}-1.jar"), maven_jar("g", &format!("a{n}"), "1"))).collect();
        let entries: Vec<_> = jars.iter().map(|(name, jar)| (name.as_str(), jar.clone())).collect();
        let first = read(&entries);
        assert_eq!(first.jars.len(), 60);
        for _ in 0..5 {
            assert_eq!(read(&entries), first);
        }
    }

    #[test]
    fn damage_is_found() {
        let noise: Vec<u8> = (0..9000_u32).flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
        for name in ["index.html", "WEB-INF/lib/a-1.jar"] {
            let good = archive(&[(name, noise.clone()), ("other", Vec::new())]);
            for (place, is_found) in [(100, true), (good.len() / 2, true), (good.len(), false)] {
                let file = tempfile::NamedTempFile::new().unwrap();
                let mut bytes = good.clone();
                bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 0x10);
                fs_err::write(file.path(), bytes).unwrap();
                match WebArchive::read(file.path()) {
                    Err(WebArchiveError::Member { member, .. }) => {
                        assert!(is_found && member == name, "{name} {place}")
                    }
                    result => assert!(!is_found && result.is_ok(), "{name} {place} {result:?}"),
                }
            }
        }
    }

    /// A few kilobytes that unpack to more than is read.
    #[test]
    fn bombs_are_left_out() {
        use std::io::Write;
        let options = zip::write::SimpleFileOptions::default();
        let mut writer = zip::ZipWriter::new(tempfile::NamedTempFile::new().unwrap());
        let zeros = vec![0; 16 << 20];
        for name in ["WEB-INF/lib/a-1.jar", "WEB-INF/lib/b-1.jar"] {
            writer.start_file(name, options).unwrap();
            for _ in 0..10 {
                writer.write_all(&zeros).unwrap();
            }
        }
        let file = writer.finish().unwrap();
        let war = WebArchive::read(file.path()).unwrap();
        assert!(matches!(war.jars[0].problem, Some(JarProblem::NoJar(_))), "{:?}", war.jars[0]);
        assert!(matches!(war.jars[1].problem, Some(JarProblem::TooLarge(_))), "{:?}", war.jars[1]);
    }
}
