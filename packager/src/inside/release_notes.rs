//! Release notes: in the package's documentation, and as its changelog entry.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fs_err::File;
use nevra::Nevra;
use rpm_header::ChangelogEntry;

use crate::SourceDate;

/// Release notes, in Markdown or plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseNotes {
    text: String,
    is_markdown: bool,
}

/// Says why a file can't be a package's release notes.
#[derive(Debug, thiserror::Error)]
pub enum NotesError {
    /// It could not be read.
    #[error("could not read the release notes")]
    Read(#[source] io::Error),
    /// It is too long.
    #[error("the release notes `{}` are longer than {SIZE_LIMIT} bytes", .0.display())]
    TooLong(PathBuf),
    /// It is no text.
    #[error("the release notes `{}` are no UTF-8 text", .0.display())]
    NotText(PathBuf),
    /// It says nothing.
    #[error("the release notes `{}` are empty", .0.display())]
    Empty(PathBuf),
}

/// A changelog stands in the header, which every client keeps in memory.
const SIZE_LIMIT: u64 = 256 * 1024;

impl ReleaseNotes {
    /// Reads a file of notes; one whose name ends in `.md` or `.markdown` is Markdown.
    ///
    /// # Errors
    /// [`NotesError`] where it can't be read, is empty, too long or no text.
    pub fn read(path: &Path) -> Result<Self, NotesError> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(NotesError::Read)?;
        file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(NotesError::Read)?;
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(NotesError::TooLong(path.to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|_| NotesError::NotText(path.to_owned()))?;
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        if text.contains('\0') {
            return Err(NotesError::NotText(path.to_owned()));
        }
        if text.trim().is_empty() {
            return Err(NotesError::Empty(path.to_owned()));
        }
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        let is_markdown = extension.is_some_and(|extension| extension == "md" || extension == "markdown");
        Ok(Self { text: format!("{}\n", text.trim_end()), is_markdown })
    }

    /// The name of the file in the package's documentation.
    pub(super) fn file_name(&self) -> &'static str {
        if self.is_markdown { "RELEASE-NOTES.md" } else { "RELEASE-NOTES.txt" }
    }

    /// The text as it is.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The entry in the package's changelog, in the form of Fedora's packaging guidelines: `Name <mail> -
    /// version-release`, and items that begin with `-`.
    pub(super) fn changelog_entry(&self, author: &str, nevra: &Nevra, date: SourceDate) -> ChangelogEntry {
        let evr = &nevra.evr;
        let epoch = if evr.epoch() > 0 { format!("{}:", evr.epoch()) } else { String::new() };
        ChangelogEntry {
            author: format!("{author} - {epoch}{}-{}", evr.version(), evr.release()),
            time: u64::from(date.seconds()),
            text: if self.is_markdown { plain(&self.text) } else { self.text.trim_end().to_owned() },
        }
    }
}

/// Takes what only lays out off Markdown: headings lose their `#`, items begin with `-`, runs of empty lines become one.
fn plain(markdown: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in markdown.lines() {
        let indent = line.len() - line.trim_start().len();
        let (space, rest) = line.trim_end().split_at(indent.min(line.trim_end().len()));
        let line = match rest.split_once(' ') {
            Some((mark, heading)) if !mark.is_empty() && mark.bytes().all(|byte| byte == b'#') => heading.to_owned(),
            Some(("*" | "+" | "-", item)) => format!("{space}- {item}"),
            _ => format!("{space}{rest}"),
        };
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &[u8]) -> Result<ReleaseNotes, NotesError> {
        let directory = tempfile::tempdir().unwrap();
        fs_err::write(directory.path().join(name), content).unwrap();
        ReleaseNotes::read(&directory.path().join(name))
    }

    #[test]
    fn become_a_changelog_entry() {
        let notes =
            read("a.MD", "\u{feff}# Shop 1.4\r\n\r\n\r\n* new\r\n  + deep\r\n#hash\r\n**bold**\r\n\r\n".as_bytes())
                .unwrap();
        let nevra = "shop-1.4-57.noarch".parse().unwrap();
        let entry = notes.changelog_entry("Ana <a@example.org>", &nevra, SourceDate::from_seconds(7).unwrap());
        assert_eq!(entry.author, "Ana <a@example.org> - 1.4-57");
        assert_eq!(entry.time, 7);
        assert_eq!(entry.text, "Shop 1.4\n\n- new\n  - deep\n#hash\n**bold**");
        assert_eq!(notes.file_name(), "RELEASE-NOTES.md");
        let notes = read("notes", b"# as it is\n* is\n").unwrap();
        let nevra = "shop-1:1.4-57.noarch".parse::<Nevra>().unwrap_or(nevra);
        assert_eq!(notes.changelog_entry("A", &nevra, SourceDate::from_seconds(7).unwrap()).text, "# as it is\n* is");
        assert_eq!(notes.text(), "# as it is\n* is\n");
    }

    #[test]
    fn refuses() {
        assert!(matches!(read("a", b" \n"), Err(NotesError::Empty(_))));
        assert!(matches!(read("a", b"\xff"), Err(NotesError::NotText(_))));
        assert!(matches!(read("a", b"a\0"), Err(NotesError::NotText(_))));
        assert!(matches!(read("a", &vec![b'a'; SIZE_LIMIT as usize + 1]), Err(NotesError::TooLong(_))));
        assert!(matches!(ReleaseNotes::read(Path::new("/nope")), Err(NotesError::Read(_))));
    }
}
