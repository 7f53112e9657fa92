//! A spec file that was read: its keys are known and its values have the right types.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::raw_spec::RawSpec;
use super::{Location, SpecError};

/// A spec file that was read: its keys are known and their values have the right types.
#[derive(Debug)]
pub struct SpecFile {
    path: PathBuf,
    text: String,
    pub(super) raw: RawSpec,
}

impl SpecFile {
    /// Reads a spec file.
    ///
    /// # Errors
    /// [`SpecError`] when it cannot be read, is no TOML or holds an unknown key.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let text = fs_err::read_to_string(path).map_err(SpecError::Read)?;
        Self::parse(path, text)
    }

    /// Parses a spec's text; `path` is what errors name and what paths in it are relative to.
    ///
    /// # Errors
    /// [`SpecError`] when it is no TOML or holds an unknown key.
    pub fn parse(path: &Path, text: String) -> Result<Self, SpecError> {
        match toml::from_str(&text) {
            Ok(raw) => Ok(Self { path: path.to_owned(), text, raw }),
            Err(error) => Err(spec_error(path, &text, &error)),
        }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that the file is in; empty for the current one.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Where bytes of the file are.
    pub(super) fn location(&self, span: Range<usize>) -> Location {
        Location::Line(self.path.clone(), line_of(&self.text, span.start))
    }

    /// Where a text is first written within bytes of the file; where those begin, if it isn't.
    pub(super) fn location_within(&self, span: Range<usize>, needle: &str) -> Location {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let start = span.start + written.find(needle).unwrap_or_default();
        self.location(start..span.end)
    }
}

/// The number of the line, counted from 1, that a byte is in.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn spec_error(path: &Path, text: &str, error: &toml::de::Error) -> SpecError {
    let line = line_of(text, error.span().map_or(0, |span| span.start));
    let location = Location::Line(path.to_owned(), line);
    match unknown_key(error.message()) {
        Some(Unknown { key, nearest, known }) => SpecError::UnknownKey { location, key, nearest, known },
        None => {
            let message = error.message().trim().replace('\n', ", ");
            let advice = advice(text.lines().nth(line - 1).unwrap_or_default(), &message);
            SpecError::Syntax { location, message: message + &advice.unwrap_or_default() }
        }
    }
}

/// How a value is written that has the wrong type, where that is plain: a number or a text where a text or a list of them
/// belongs.
fn advice(line: &str, message: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next().unwrap_or_default().trim());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let is_bare = !value.is_empty() && value.chars().all(is_plain);
    let expects = |kinds: &[&str]| kinds.iter().any(|kind| message.contains(kind));
    if is_bare && expects(&["expected a string", "leading zero", "in quotes"]) {
        Some(format!("; write `{key} = \"{value}\"`"))
    } else if value.starts_with(['"', '\'']) && expects(&["expected a sequence"]) {
        Some(format!("; write `{key} = [{value}]`"))
    } else {
        None
    }
}

/// What other packagers and Debian call a key.
const SYNONYMS: [(&str, &str); 24] = [
    ("architecture", "arch"),
    ("breaks", "conflicts"),
    ("dependencies", "requires"),
    ("depends", "requires"),
    ("dst", "destination"),
    ("files", "contents"),
    ("homepage", "url"),
    ("iteration", "release"),
    ("maintainer", "packager"),
    ("perm", "mode"),
    ("postinst", "post"),
    ("postinstall", "post"),
    ("postremove", "postun"),
    ("postrm", "postun"),
    ("postuninstall", "postun"),
    ("preinst", "pre"),
    ("preinstall", "pre"),
    ("preremove", "preun"),
    ("prerm", "preun"),
    ("preuninstall", "preun"),
    ("replaces", "obsoletes"),
    ("scriptlets", "scripts"),
    ("src", "source"),
    ("user", "owner"),
];

/// A key that no spec has, the one that is meant, as it seems, and all that may stand there.
struct Unknown {
    key: String,
    nearest: Option<String>,
    known: Vec<String>,
}

/// Takes them out of serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown_key(message: &str) -> Option<Unknown> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2).map(str::to_owned);
    let key = quoted.next()?;
    let known: Vec<String> = quoted.collect();
    let other_name = SYNONYMS.iter().find(|(other, ours)| *other == key && known.iter().any(|known| known == ours));
    let alike = known.iter().map(|known| (strsim::jaro_winkler(&key, known), known));
    let alike = alike.filter(|(likeness, _)| *likeness > 0.7).max_by(|left, right| left.0.total_cmp(&right.0));
    let nearest = other_name.map(|(_, ours)| (*ours).to_owned()).or(alike.map(|(_, known)| known.clone()));
    Some(Unknown { key, nearest, known })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        SpecFile::parse(Path::new("a/x.toml"), text.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn says_file_line_and_nearest_key() {
        for (text, expected) in [
            ("name = \"a\"\nverison = \"1\"\n", "a/x.toml:2: unknown key `verison`; did you mean `version`?"),
            ("[tomcat]\nwar = \"a\"\ncontxt = \"/\"", "a/x.toml:3: unknown key `contxt`; did you mean `context`?"),
            ("[configuration]\ndir = \"a\"", "a/x.toml:2: unknown key `dir`; did you mean `directory`?"),
            ("\n[tomcatt]\nwar = \"a\"", "a/x.toml:2: unknown key `tomcatt`; did you mean `tomcat`?"),
            ("[[contents]]\ntype='file'\nsurce='a'", "a/x.toml:3: unknown key `surce`; did you mean `source`?"),
            ("[scripts]\nposst='a'", "a/x.toml:2: unknown key `posst`; did you mean `post`?"),
            ("[scripts]\npost = {\nfiel='a'}", "a/x.toml:3: unknown key `fiel`; did you mean `file`?"),
            ("[[packages]]\nnaem='a'", "a/x.toml:2: unknown key `naem`; did you mean `name`?"),
            ("[environments.dev]\ndirectry='a'", "a/x.toml:2: unknown key `directry`; did you mean `directory`?"),
            ("[scripts]\npostinst='a'", "a/x.toml:2: unknown key `postinst`; did you mean `post`?"),
            ("depends = ['a']", "a/x.toml:1: unknown key `depends`; did you mean `requires`?"),
            ("[[contents]]\ntype='file'\nuser='a'", "a/x.toml:3: unknown key `user`; did you mean `owner`?"),
        ] {
            assert_eq!(error(text), expected);
        }
    }

    #[test]
    fn says_what_is_allowed_where_nothing_is_near() {
        let expected = "a/x.toml:2: unknown key `zzz`; allowed are `directory`, ";
        assert!(error("[configuration]\nzzz = 1").starts_with(expected), "{}", error("[configuration]\nzzz = 1"));
    }

    #[test]
    fn says_how_a_value_is_written() {
        for (text, expected) in [
            ("[[contents]]\ntype = 'file'\nmode = 0644", "; write `mode = \"0644\"`"),
            ("[[contents]]\ntype = 'file'\nmode = 644  # octal", "; write `mode = \"644\"`"),
            ("name = 'a'\nversion = 1.4\n", "; write `version = \"1.4\"`"),
            ("requires = \"tomcat\"", "; write `requires = [\"tomcat\"]`"),
        ] {
            assert!(error(text).ends_with(expected), "{}", error(text));
        }
    }

    #[test]
    fn says_where_broken_toml_breaks() {
        for (text, line) in [
            ("name = ", 1),
            ("name = \"a\"\nversion = 1.4\n", 2),
            ("name='a'\nname='b'", 2),
            ("\n[[contents]]\nsource='a'", 2),
            ("[[contents]]\ntype='fil'", 2),
            ("[scripts]\n\npost = 1", 3),
        ] {
            assert!(error(text).starts_with(&format!("a/x.toml:{line}: ")), "{}", error(text));
        }
    }
}
