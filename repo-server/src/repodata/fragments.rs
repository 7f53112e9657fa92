//! The XML of one package: its entries in primary, filelists and other.

use bytes::Bytes;
use rpm_header::{ChangelogEntry, FileEntry, PackageHeader};

use super::dependencies::push_dependencies;
use super::primary_path::is_primary_path;
use super::xml::{push_attribute, push_element, push_number, push_text};

/// How many changelog entries `other` holds of a package; createrepo_c's default.
const CHANGELOG_LIMIT: usize = 10;

/// The first word of an encoded blob of fragments; the number is the encoding's version.
const ENCODING: &str = "repodata-fragments/1";

/// What repodata says of the file that a header was read from.
#[derive(Debug, Clone, Copy)]
pub struct FileIdentity<'a> {
    /// The sha256 of the whole file, hexadecimal: the `pkgid`.
    pub sha256: &'a str,
    /// Its size, bytes.
    pub size: u64,
    /// Its time, seconds since 1970.
    pub time: u64,
    /// Its place, relative to the channel's base URL.
    pub href: &'a str,
}

/// The three XML fragments of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragments {
    /// `<package>` of primary.
    pub primary: Bytes,
    /// `<package>` of filelists.
    pub filelists: Bytes,
    /// `<package>` of other.
    pub other: Bytes,
}

/// The fragments of some packages, one after the other, on their way into a page.
#[derive(Debug, Default)]
pub(crate) struct PageText {
    pub(super) primary: String,
    pub(super) filelists: String,
    pub(super) other: String,
}

/// Says that bytes are no encoded fragments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not the repodata fragments of a package")]
pub struct ParseFragmentsError;

impl Fragments {
    /// Renders what repodata says of a package.
    #[must_use]
    pub fn render(header: &PackageHeader, file: &FileIdentity<'_>) -> Self {
        let mut text = PageText::default();
        text.push(header, file);
        Self { primary: text.primary.into(), filelists: text.filelists.into(), other: text.other.into() }
    }

    /// Encodes the three as one blob: a line `repodata-fragments/1 LENGTH LENGTH LENGTH`, then each of them.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let parts = [&self.primary, &self.filelists, &self.other];
        let lengths = parts.map(|part| part.len().to_string()).join(" ");
        let head = format!("{ENCODING} {lengths}\n");
        let mut blob = Vec::with_capacity(head.len() + parts.iter().map(|part| part.len()).sum::<usize>());
        blob.extend_from_slice(head.as_bytes());
        for part in parts {
            blob.extend_from_slice(part);
        }
        blob.into()
    }

    /// Reads what [`Fragments::encode`] wrote, without copying.
    ///
    /// # Errors
    /// [`ParseFragmentsError`] for anything else.
    pub fn decode(blob: &Bytes) -> Result<Self, ParseFragmentsError> {
        let end = blob.iter().position(|byte| *byte == b'\n').ok_or(ParseFragmentsError)?;
        let head = std::str::from_utf8(&blob[..end]).map_err(|_| ParseFragmentsError)?;
        let mut words = head.split(' ');
        if words.next() != Some(ENCODING) {
            return Err(ParseFragmentsError);
        }
        let mut rest = blob.slice(end + 1..);
        let mut take = || {
            let length: usize = words.next().and_then(|word| word.parse().ok()).ok_or(ParseFragmentsError)?;
            if length > rest.len() { Err(ParseFragmentsError) } else { Ok(rest.split_to(length)) }
        };
        let fragments = Self { primary: take()?, filelists: take()?, other: take()? };
        if rest.is_empty() { Ok(fragments) } else { Err(ParseFragmentsError) }
    }
}

impl PageText {
    /// Renders what repodata says of one package more.
    pub(crate) fn push(&mut self, header: &PackageHeader, file: &FileIdentity<'_>) {
        push_primary(&mut self.primary, header, file);
        push_filelists(&mut self.filelists, header, file);
        push_other(&mut self.other, header, file);
    }

    /// Forgets all packages, and keeps the memory for the next.
    pub(crate) fn clear(&mut self) {
        for text in [&mut self.primary, &mut self.filelists, &mut self.other] {
            text.clear();
        }
    }
}

fn push_primary(xml: &mut String, header: &PackageHeader, file: &FileIdentity<'_>) {
    xml.push_str("<package type=\"rpm\">\n");
    push_element(xml, "  ", "name", header.nevra.name.as_str());
    push_element(xml, "  ", "arch", arch(header));
    push_version(xml, header);
    xml.push_str("  <checksum type=\"sha256\" pkgid=\"YES\">");
    push_text(xml, file.sha256);
    xml.push_str("</checksum>\n");
    push_element(xml, "  ", "summary", &header.summary);
    push_element(xml, "  ", "description", &header.description);
    push_element(xml, "  ", "packager", header.packager.as_deref().unwrap_or_default());
    push_element(xml, "  ", "url", header.url.as_deref().unwrap_or_default());
    xml.push_str("  <time");
    push_number(xml, "file", file.time);
    push_number(xml, "build", header.build_time.unwrap_or_default());
    xml.push_str("/>\n  <size");
    push_number(xml, "package", file.size);
    push_number(xml, "installed", header.installed_size);
    push_number(xml, "archive", header.archive_size);
    xml.push_str("/>\n  <location");
    push_attribute(xml, "href", file.href);
    xml.push_str("/>\n");
    push_format(xml, header);
    xml.push_str("</package>\n");
}

fn push_format(xml: &mut String, header: &PackageHeader) {
    xml.push_str("  <format>\n");
    push_element(xml, "    ", "rpm:license", &header.license);
    push_element(xml, "    ", "rpm:vendor", header.vendor.as_deref().unwrap_or_default());
    push_element(xml, "    ", "rpm:group", header.group.as_deref().unwrap_or_default());
    push_element(xml, "    ", "rpm:buildhost", header.build_host.as_deref().unwrap_or_default());
    push_element(xml, "    ", "rpm:sourcerpm", header.source_rpm.as_deref().unwrap_or_default());
    xml.push_str("    <rpm:header-range");
    push_number(xml, "start", header.header_start);
    push_number(xml, "end", header.header_end);
    xml.push_str("/>\n");
    let files: Vec<&FileEntry> = header.files.iter().filter(|file| is_primary_path(&file.path)).collect();
    push_dependencies(xml, header, &files);
    for file in files {
        push_file(xml, "    ", file);
    }
    xml.push_str("  </format>\n");
}

fn push_filelists(xml: &mut String, header: &PackageHeader, file: &FileIdentity<'_>) {
    push_package(xml, header, file);
    for entry in &header.files {
        push_file(xml, "  ", entry);
    }
    xml.push_str("</package>\n");
}

fn push_other(xml: &mut String, header: &PackageHeader, file: &FileIdentity<'_>) {
    push_package(xml, header, file);
    for (entry, time) in listed_changelog(&header.changelog) {
        xml.push_str("  <changelog");
        push_attribute(xml, "author", entry.author.trim_end_matches(' '));
        push_number(xml, "date", time);
        xml.push('>');
        push_text(xml, &entry.text);
        xml.push_str("</changelog>\n");
    }
    xml.push_str("</package>\n");
}

/// Gives the newest entries, oldest first. Clients sort by time: where one has the time of the entry before it in the
/// header, that one gets a second more, and so do those that had just this time, as in createrepo_c, whose arithmetic ends
/// at 2^31 here.
fn listed_changelog(changelog: &[ChangelogEntry]) -> Vec<(&ChangelogEntry, u64)> {
    let mut listed: Vec<(&ChangelogEntry, u64)> = Vec::new();
    for entry in changelog.iter().take(CHANGELOG_LIMIT) {
        let same = listed.last().is_some_and(|(newer, _)| newer.time == entry.time);
        if same && entry.time < 1 << 31 {
            for (time, (_, newer)) in (entry.time..).zip(listed.iter_mut().rev()) {
                if *newer != time {
                    break;
                }
                *newer += 1;
            }
        }
        listed.push((entry, entry.time));
    }
    listed.reverse();
    listed
}

fn push_package(xml: &mut String, header: &PackageHeader, file: &FileIdentity<'_>) {
    xml.push_str("<package");
    push_attribute(xml, "pkgid", file.sha256);
    push_attribute(xml, "name", header.nevra.name.as_str());
    push_attribute(xml, "arch", arch(header));
    xml.push_str(">\n");
    push_version(xml, header);
}

/// Repodata knows one architecture of source packages, whether all sources are in them or not.
fn arch(header: &PackageHeader) -> &str {
    if header.is_source { "src" } else { header.nevra.arch.as_str() }
}

fn push_version(xml: &mut String, header: &PackageHeader) {
    xml.push_str("  <version");
    push_number(xml, "epoch", u64::from(header.nevra.evr.epoch()));
    push_attribute(xml, "ver", header.nevra.evr.version());
    push_attribute(xml, "rel", header.nevra.evr.release());
    xml.push_str("/>\n");
}

fn push_file(xml: &mut String, indent: &str, file: &FileEntry) {
    xml.push_str(indent);
    // A directory that is a ghost too is listed as a directory.
    xml.push_str(if file.mode & 0o170_000 == 0o040_000 {
        "<file type=\"dir\">"
    } else if file.flags & FileEntry::GHOST != 0 {
        "<file type=\"ghost\">"
    } else {
        "<file>"
    });
    push_text(xml, &file.path);
    xml.push_str("</file>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        let entry = |mode, flags| FileEntry {
            path: "/etc/a&b".to_owned(),
            mode,
            user: String::new(),
            group: String::new(),
            size: 0,
            mtime: 0,
            digest: String::new(),
            link_target: String::new(),
            flags,
            capabilities: String::new(),
            language: String::new(),
        };
        for (mode, flags, expected) in [
            (0o100_644, FileEntry::CONFIG, "<file>/etc/a&amp;b</file>\n"),
            (0o120_777, 0, "<file>/etc/a&amp;b</file>\n"),
            (0o100_644, FileEntry::GHOST, "<file type=\"ghost\">/etc/a&amp;b</file>\n"),
            (0o040_755, 0, "<file type=\"dir\">/etc/a&amp;b</file>\n"),
            (0o040_755, FileEntry::GHOST, "<file type=\"dir\">/etc/a&amp;b</file>\n"),
        ] {
            let mut xml = String::new();
            push_file(&mut xml, "", &entry(mode, flags));
            assert_eq!(xml, expected);
        }
    }

    #[test]
    fn changelogs_are_the_newest_in_order() {
        let entry = |time, text: &str| ChangelogEntry { author: "a".to_owned(), time, text: text.to_owned() };
        let changelog: Vec<_> = (0..12).map(|age| entry(1000 - age / 2 * 10, &age.to_string())).collect();
        let listed = listed_changelog(&changelog);
        let texts: Vec<_> = listed.iter().map(|(entry, time)| (entry.text.as_str(), *time)).collect();
        assert_eq!(texts.len(), CHANGELOG_LIMIT);
        assert_eq!(texts[..3], [("9", 960), ("8", 961), ("7", 970)]);
        assert_eq!(texts[9], ("0", 1001));
    }

    #[test]
    fn encoding() {
        let fragments = Fragments {
            primary: Bytes::from_static(b"<package>\n</package>\n"),
            filelists: Bytes::new(),
            other: Bytes::from_static(b"x"),
        };
        let blob = fragments.encode();
        assert_eq!(Fragments::decode(&blob).unwrap(), fragments);
        for bad in [&b""[..], b"repodata-fragments/1 1 1\nab", b"repodata-fragments/1 1 1 1\nabcd", b"other 0 0 0\n"] {
            assert_eq!(Fragments::decode(&Bytes::copy_from_slice(bad)), Err(ParseFragmentsError));
        }
        assert_eq!(Fragments::decode(&blob.slice(..blob.len() - 1)), Err(ParseFragmentsError));
    }
}
