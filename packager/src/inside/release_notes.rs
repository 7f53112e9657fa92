//! Release notes: in the package's documentation, for people and for programs, and as its changelog entry.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fs_err::File;
use nevra::Nevra;
use release_notes::{Audience, EmbeddedNotes, Format, Kind, Line, Rules, Templates};
use rpm_header::ChangelogEntry;

use crate::SourceDate;

/// Release notes, as somebody wrote them or as they were collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseNotes(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Written { text: String, is_markdown: bool },
    Collected(Box<release_notes::ReleaseNotes>),
}

/// Where a package's notes come from, other than from its spec.
#[derive(Debug, Clone)]
pub enum NotesSource {
    /// A file: Markdown, text, or JSON.
    File(PathBuf),
    /// From git, tickets and fragments.
    Collected(Box<release_notes::ReleaseNotes>),
}

/// What of the notes goes into a package.
pub(super) struct PackageNotes {
    /// File names in the package's documentation, and what is in them.
    pub(super) files: [(&'static str, String); 2],
    /// The text of the changelog's entry.
    pub(super) changelog: String,
}

/// Says why something can't be a package's release notes.
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
    /// It is JSON, but no notes.
    #[error("the release notes `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: release_notes::ParseNotesError,
    },
    /// The usual templates don't hold.
    #[error("the release notes can't be written")]
    Template(#[from] release_notes::TemplateError),
}

/// What is read of a file, bytes.
const SIZE_LIMIT: u64 = 1 << 20;
/// A changelog stands in the header, which every client keeps in memory: what is longer, bytes, goes on in the file.
const CHANGELOG_LIMIT: usize = 64 * 1024;

const MARKDOWN: &str = "RELEASE-NOTES.md";
const TEXT: &str = "RELEASE-NOTES.txt";

impl ReleaseNotes {
    /// Takes notes that were collected.
    #[must_use]
    pub fn of(notes: Box<release_notes::ReleaseNotes>) -> Self {
        Self(Form::Collected(notes))
    }

    /// Reads a file of notes; one whose name ends in `.md` or `.markdown` is Markdown, in `.json` what `pkg notes` makes.
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
        if extension.as_ref().is_some_and(|extension| extension == "json") {
            let notes = release_notes::ReleaseNotes::from_json(&text);
            let notes = notes.map_err(|source| NotesError::Json { path: path.to_owned(), source })?;
            return Ok(Self::of(Box::new(notes)));
        }
        let is_markdown = extension.is_some_and(|extension| extension == "md" || extension == "markdown");
        Ok(Self(Form::Written { text: format!("{}\n", text.trim_end()), is_markdown }))
    }

    /// Makes of them what goes into a package; what their head does not say is the package's.
    pub(super) fn of_package(&self, nevra: &Nevra, date: SourceDate) -> Result<PackageNotes, NotesError> {
        match &self.0 {
            Form::Written { text, is_markdown } => {
                let mut notes = release_notes::ReleaseNotes::from_text(text, &Rules::default());
                fill_head(&mut notes, nevra, date);
                let name = if *is_markdown { MARKDOWN } else { TEXT };
                let changelog = if *is_markdown { plain(text) } else { text.trim_end().to_owned() };
                let files = [(name, text.clone()), (EmbeddedNotes::FILE_NAME, notes.to_json())];
                Ok(PackageNotes { files, changelog: shortened(changelog, name) })
            }
            Form::Collected(notes) => {
                let mut notes = (**notes).clone();
                fill_head(&mut notes, nevra, date);
                let templates = Templates::usual()?;
                let markdown = templates.render(&notes, Format::Markdown)?;
                let json = notes.to_json();
                if notes.audience == Audience::Internal {
                    notes.changes.retain(|change| change.kind != Kind::Internal);
                }
                let text = templates.render(&notes, Format::Text)?;
                // The entry has a heading of its own.
                let body = text.split_once("\n\n").map_or("", |(_, body)| body).trim_end();
                let files = [(MARKDOWN, markdown), (EmbeddedNotes::FILE_NAME, json)];
                let body = if body.is_empty() { "Nothing to tell." } else { body };
                Ok(PackageNotes { files, changelog: shortened(body.to_owned(), MARKDOWN) })
            }
        }
    }
}

fn fill_head(notes: &mut release_notes::ReleaseNotes, nevra: &Nevra, date: SourceDate) {
    let evr = &nevra.evr;
    notes.name.get_or_insert_with(|| Line::new(nevra.name.as_str()));
    notes.version.get_or_insert_with(|| Line::new(evr.version()));
    notes.build.get_or_insert_with(|| Line::new(evr.release()));
    let day = chrono::DateTime::from_timestamp(i64::from(date.seconds()), 0).map(|time| time.date_naive());
    notes.date = notes.date.or(day);
}

/// Cuts what is too long for a header after a line.
fn shortened(mut text: String, file_name: &str) -> String {
    if text.len() > CHANGELOG_LIMIT {
        let end = (0..=CHANGELOG_LIMIT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        let end = text[..end].rfind('\n').unwrap_or(end);
        text.truncate(end);
        text.push_str("\n- and more in ");
        text.push_str(file_name);
    }
    text
}

/// The entry in the package's changelog, in the form of Fedora's packaging guidelines: `Name <mail> - version-release`, and
/// items that begin with `-`.
pub(super) fn changelog_entry(author: &str, nevra: &Nevra, (date, text): (SourceDate, String)) -> ChangelogEntry {
    let evr = &nevra.evr;
    let epoch = if evr.epoch() > 0 { format!("{}:", evr.epoch()) } else { String::new() };
    ChangelogEntry {
        author: format!("{author} - {epoch}{}-{}", evr.version(), evr.release()),
        time: u64::from(date.seconds()),
        text,
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

    fn of_package(notes: &ReleaseNotes, nevra: &str) -> PackageNotes {
        notes.of_package(&nevra.parse().unwrap(), SourceDate::from_seconds(7).unwrap()).unwrap()
    }

    #[test]
    fn become_a_changelog_entry() {
        let notes =
            read("a.MD", "\u{feff}# Shop 1.4\r\n\r\n\r\n* new\r\n  + deep\r\n#hash\r\n**bold**\r\n\r\n".as_bytes())
                .unwrap();
        let package = of_package(&notes, "shop-1.4-57.noarch");
        assert_eq!(package.changelog, "Shop 1.4\n\n- new\n  - deep\n#hash\n**bold**");
        assert_eq!(package.files[0].0, "RELEASE-NOTES.md");
        let nevra = "shop-1:1.4-57.noarch".parse().unwrap();
        let entry =
            changelog_entry("Ana <a@example.org>", &nevra, (SourceDate::from_seconds(7).unwrap(), "x".to_owned()));
        assert_eq!(entry.author, "Ana <a@example.org> - 1:1.4-57");
        assert_eq!(entry.time, 7);
        let package = of_package(&read("notes", b"# as it is\n* is\n").unwrap(), "shop-1:1.4-57.noarch");
        assert_eq!(package.changelog, "# as it is\n* is");
        assert_eq!(package.files[0], ("RELEASE-NOTES.txt", "# as it is\n* is\n".to_owned()));
    }

    #[test]
    fn have_the_packages_head() {
        let json = br#"{"schema": 1, "audience": "internal", "build": "B9", "future": 1, "changes": [
            {"kind": "internal", "title": "tidy"}, {"kind": "fix", "title": "it <opens>"}]}"#;
        let package = of_package(&read("a.json", json).unwrap(), "shop-1.4-57.noarch");
        assert!(package.files[0].1.starts_with("# shop 1.4 (build B9)\n\n1970-01-01\n"), "{}", package.files[0].1);
        assert_eq!(package.changelog, "Fixed bugs:\n- it <opens>");
        let again = release_notes::ReleaseNotes::from_json(&package.files[1].1).unwrap();
        assert_eq!((again.version.unwrap().as_str(), again.changes.len()), ("1.4", 2));
        let long = format!("- {}\n", "x".repeat(99)).repeat(1000);
        let package = of_package(&read("a.md", long.as_bytes()).unwrap(), "shop-1.4-57.noarch");
        assert!(
            package.changelog.len() < CHANGELOG_LIMIT + 99 && package.changelog.ends_with("more in RELEASE-NOTES.md")
        );
    }

    #[test]
    fn refuses() {
        assert!(matches!(read("a", b" \n"), Err(NotesError::Empty(_))));
        assert!(matches!(read("a", b"\xff"), Err(NotesError::NotText(_))));
        assert!(matches!(read("a", b"a\0"), Err(NotesError::NotText(_))));
        assert!(matches!(read("a", &vec![b'a'; SIZE_LIMIT as usize + 1]), Err(NotesError::TooLong(_))));
        assert!(matches!(read("a.json", b"{\"schema\": 2}"), Err(NotesError::Json { .. })));
        assert!(matches!(ReleaseNotes::read(Path::new("/nope")), Err(NotesError::Read(_))));
    }
}
