//! Fragments: a file for each change, in the manner of towncrier, `ABC-1.fix.md` or `123.feature.customer.md`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::front_matter::{self, FrontMatter, FrontMatterError};
use crate::{Change, Kind, ParseKindError, Prose, Reference, ReferenceKind, Rules, mentions};

/// The change that a file tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The file's name without `.md`.
    pub name: String,
    /// The change.
    pub change: Change,
}

/// Says why fragments could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FragmentError {
    /// The folder or a file could not be read.
    #[error("could not read the fragments")]
    Read(#[source] io::Error),
    /// Neither the file's name nor its front matter says what kind of change it is.
    #[error("{}: neither its name nor its front matter says what kind of change it is; allowed is `ID.KIND.md`", .0.display())]
    NoKind(PathBuf),
    /// The kind is none.
    #[error("{}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ParseKindError,
    },
    /// The front matter does not hold.
    #[error("{}", path.display())]
    FrontMatter {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FrontMatterError,
    },
    /// Nothing is in it.
    #[error("{}: it is empty", .0.display())]
    Empty(PathBuf),
}

/// What a file's name says: `ABC-1.fix.2.customer`.
struct FileName<'a> {
    id: &'a str,
    kind: Option<&'a str>,
    /// What a text for customers and the change's own text have in common.
    stem: &'a str,
    is_for_customers: bool,
}

impl Fragment {
    /// Reads the fragments of a folder, those that `wanted` accepts by their file names, in the order of their names, with
    /// numbers in their order. Files that are not `.md`, and README.md, are passed over; a folder that is not there has none.
    ///
    /// # Errors
    /// [`FragmentError`], which names the file.
    pub fn read_all(folder: &Path, wanted: impl Fn(&str) -> bool, rules: &Rules) -> Result<Vec<Self>, FragmentError> {
        let entries = match fs_err::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(FragmentError::Read(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(FragmentError::Read)?;
            if let Some(name) = entry.file_name().to_str().filter(|name| is_fragment(name) && wanted(name)) {
                names.push(name.to_owned());
            }
        }
        names.sort_by_cached_key(|name| natural(name));
        let mut fragments: Vec<Self> = Vec::new();
        let mut for_customers = BTreeMap::new();
        for name in names {
            let path = folder.join(&name);
            let text = fs_err::read_to_string(&path).map_err(FragmentError::Read)?;
            let file_name = FileName::read(name.strip_suffix(".md").unwrap_or(&name));
            let fragment = read(&path, &text, &file_name, rules)?;
            if file_name.is_for_customers {
                for_customers.insert(file_name.stem.to_owned(), fragment);
            } else {
                fragments.push(fragment);
            }
        }
        for fragment in &mut fragments {
            if let Some(text) = for_customers.remove(&fragment.name) {
                fragment.change.customer = text.change.customer;
            }
        }
        fragments.extend(for_customers.into_values());
        Ok(fragments)
    }
}

impl<'a> FileName<'a> {
    fn read(name: &'a str) -> Self {
        let stem = name.strip_suffix(".customer").or_else(|| name.strip_suffix(".customers"));
        let is_for_customers = stem.is_some();
        let stem = stem.unwrap_or(name);
        let mut parts = stem.split('.');
        Self { id: parts.next().unwrap_or_default(), kind: parts.next(), stem, is_for_customers }
    }
}

fn is_fragment(name: &str) -> bool {
    name.ends_with(".md") && !name.starts_with(['.', '_']) && !name.eq_ignore_ascii_case("readme.md")
}

/// Sorts numbers as numbers: 9 before 10.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(text);
        let digits = after.find(|character: char| !character.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        // What comes before a number sorts by itself, then the number.
        parts.push((0, word.to_owned()));
        parts.push((number.parse().unwrap_or(u64::MAX), String::new()));
        rest = after;
    }
    parts
}

fn read(path: &Path, text: &str, name: &FileName<'_>, rules: &Rules) -> Result<Fragment, FragmentError> {
    let wrong = |source| FragmentError::FrontMatter { path: path.to_owned(), source };
    let (matter, body) = front_matter::split(text).map_err(wrong)?;
    let prose = Prose::new(body);
    let kind = kind(path, name, &matter)?;
    let written = prose.as_ref().or(matter.customer.as_ref());
    let (title, description) = written.ok_or_else(|| FragmentError::Empty(path.to_owned()))?.title_and_rest();
    let mut change = Change { description, ..Change::new(kind, title) };
    for id in std::iter::once(name.id).chain(matter.issues.iter().map(String::as_str)) {
        for reference in references(id, rules) {
            change.refer(rules.link(reference));
        }
    }
    change.scope = matter.scope;
    change.breaking = matter.breaking;
    change.customer = matter.customer;
    if name.is_for_customers {
        change.customer = prose;
    }
    Ok(Fragment { name: name.stem.to_owned(), change })
}

fn kind(path: &Path, name: &FileName<'_>, matter: &FrontMatter) -> Result<Kind, FragmentError> {
    let text = matter.kind.as_deref().or(name.kind).ok_or_else(|| FragmentError::NoKind(path.to_owned()))?;
    text.parse().map_err(|source| FragmentError::Kind { path: path.to_owned(), source })
}

/// `123` is an issue, `ABC-1` a ticket, `!5` a merge request; `+anything` is nothing.
fn references(id: &str, rules: &Rules) -> Vec<Reference> {
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return vec![Reference::new(ReferenceKind::Issue, &format!("#{id}"))];
    }
    if mentions::is_key(id) {
        return vec![Reference::new(ReferenceKind::Ticket, id)];
    }
    if id.starts_with('+') { Vec::new() } else { rules.mentions.find(id, crate::Numbers::Any) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(files: &[(&str, &str)]) -> Result<Vec<Fragment>, FragmentError> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs_err::write(directory.path().join(name), text).unwrap();
        }
        Fragment::read_all(directory.path(), |name| !name.starts_with("old"), &Rules::default())
    }

    #[test]
    fn names_say_what_they_are() {
        let fragments = read_all(&[
            ("10.feature.md", "Ten.\n\nMore of it."),
            ("9.fix.md", "Nine."),
            ("9.fix.customer.md", "Nine for all."),
            ("9.fix.2.md", "Nine again."),
            ("ABC-1.security.customer.md", "Only for customers."),
            ("+soon.known-issue.md", "Slow."),
            ("README.md", "no"),
            ("old.fix.md", "no"),
            ("note.txt", "no"),
            ("any.md", "---\nkind: upgrade\nissues: [ABC-7, 12]\ncustomer: \"Look: out\"\n---\nDo it."),
            ("toml.md", "+++\nkind = 'removal'\nbreaking = true\n+++\nGone."),
        ])
        .unwrap();
        let row = |fragment: &Fragment| {
            let change = &fragment.change;
            let references: Vec<&str> = change.references.iter().map(|one| one.id.as_str()).collect();
            let customer = change.customer.as_ref().map(Prose::to_string).unwrap_or_default();
            format!("{} {} {} {customer}", change.kind, change.title, references.join(",")).trim_end().to_owned()
        };
        let rows: Vec<String> = fragments.iter().map(row).collect();
        let expected = [
            "fix Nine again. #9",
            "fix Nine. #9 Nine for all.",
            "feature Ten. #10",
            "known-issue Slow.",
            "upgrade Do it. ABC-7,#12 Look: out",
            "removal Gone.",
            "security Only for customers. ABC-1 Only for customers.",
        ];
        assert_eq!(rows, expected);
        assert!(fragments[5].change.breaking);
        assert_eq!(fragments[2].change.description.as_ref().unwrap().as_str(), "More of it.");
    }

    #[test]
    fn says_what_is_wrong() {
        for (name, text, expected) in [
            ("a.md", "x", "a.md: neither its name nor its front matter says"),
            ("1.colour.md", "x", "1.colour.md: `colour` is no kind of change"),
            ("1.fix.md", " \n", "1.fix.md: it is empty"),
            ("1.fix.md", "---\ncolour: red\n---\nx", "1.fix.md: line 2: `colour` is no key; allowed are"),
        ] {
            let error = read_all(&[(name, text)]).unwrap_err();
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            assert!(text.contains(expected), "{text}");
        }
        assert!(Fragment::read_all(Path::new("/nope"), |_| true, &Rules::default()).unwrap().is_empty());
    }
}
