//! Java's .properties files (`java.util.Properties.load`), and the pom.properties that Maven puts into what it builds.

/// The coordinates of something that Maven built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PomProperties {
    pub(crate) group: String,
    pub(crate) artifact: String,
    pub(crate) version: String,
}

impl PomProperties {
    /// Reads a pom.properties; none where one of the three is missing or is no coordinate.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let coordinate = |key| get(text, key).filter(|value| is_coordinate(value));
        Some(Self {
            group: coordinate("groupId")?,
            artifact: coordinate("artifactId")?,
            version: get(text, "version").filter(|version| is_version(version))?,
        })
    }
}

/// Tells whether an entry of an archive is a pom.properties of Maven: `META-INF/maven/GROUP/ARTIFACT/pom.properties`.
pub(crate) fn is_pom_properties(name: &[u8]) -> bool {
    let inner = name.strip_prefix(b"META-INF/maven/").and_then(|name| name.strip_suffix(b"/pom.properties"));
    inner.is_some_and(|inner| inner.iter().filter(|byte| **byte == b'/').count() == 1)
}

/// Tells whether a text may be a group or an artifact of Maven.
pub(crate) fn is_coordinate(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Tells whether a text may be a version: printable, of one line, and no variable that was left unresolved.
pub(crate) fn is_version(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic()) && !text.contains("${")
}

/// Gives the value of a key, the last one where there are several.
pub(crate) fn get(text: &str, key: &str) -> Option<String> {
    entries(text).into_iter().rfind(|(name, _)| name == key).map(|(_, value)| value.trim_end().to_owned())
}

/// Gives every key with its value, in the order in which they are written.
pub(crate) fn entries(text: &str) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    let mut lines = text.split(['\n', '\r']);
    while let Some(line) = lines.next() {
        let mut line = line.trim_start_matches([' ', '\t', '\u{c}']).to_owned();
        if line.starts_with(['#', '!']) {
            continue;
        }
        while ends_with_odd_backslashes(&line) {
            line.pop();
            let Some(next) = lines.next() else { break };
            line.push_str(next.trim_start_matches([' ', '\t', '\u{c}']));
        }
        let (name, rest) = split(&line);
        if !name.is_empty() || !rest.is_empty() {
            entries.push((unescape(name), unescape(rest)));
        }
    }
    entries
}

/// Writes one line, as `java.util.Properties.store` does; what is beyond ASCII is escaped.
pub(crate) fn line(key: &str, value: &str) -> String {
    let mut line = format!("{key}=");
    for (index, character) in value.chars().enumerate() {
        match character {
            ' ' if index == 0 => line.push_str("\\ "),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            ' '..='~' => line.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    line.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    line.push('\n');
    line
}

fn ends_with_odd_backslashes(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Cuts a line at the first `=`, `:` or white space that no backslash stands before.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (index, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '=' | ':' | ' ' | '\t' | '\u{c}' => {
                let rest = line[index..].trim_start_matches([' ', '\t', '\u{c}']);
                let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
                return (&line[..index], rest.trim_start_matches([' ', '\t', '\u{c}']));
            }
            _ => {}
        }
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    let mut characters = text.chars();
    let mut units = Vec::new();
    let mut buffer = [0; 2];
    while let Some(character) = characters.next() {
        let escaped = if character == '\\' { characters.next() } else { None };
        match escaped {
            Some('u') => {
                let digits: String = characters.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
            }
            Some('n') => units.push(u16::from(b'\n')),
            Some('t') => units.push(u16::from(b'\t')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('f') => units.push(0xc),
            Some(other) => units.extend_from_slice(other.encode_utf16(&mut buffer)),
            None => units.extend_from_slice(character.encode_utf16(&mut buffer)),
        }
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let text = "#Generated by Maven\n!c\n\nversion=1.4\n  a b : c \nk\\=x=y\\u00fc\\\n   z\\\\\nempty\nlast=1\r\nlast = 2\n";
        for (key, expected) in [
            ("version", Some("1.4")),
            ("a", Some("b : c")),
            ("k=x", Some("yüz\\")),
            ("empty", Some("")),
            ("last", Some("2")),
            ("nope", None),
        ] {
            assert_eq!(get(text, key).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for value in ["", "a", " lead", "ü\u{1f600}", "back\\slash", "a=b: c", "two\nlines"] {
            assert_eq!(get(&line("key", value), "key").as_deref(), Some(value.trim_end()), "{value}");
        }
    }

    #[test]
    fn coordinates() {
        let pom = PomProperties::parse("version=1\ngroupId=org.example\nartifactId=a-b\n").unwrap();
        assert_eq!((pom.group.as_str(), pom.artifact.as_str(), pom.version.as_str()), ("org.example", "a-b", "1"));
        for bad in [
            "",
            "version=1\ngroupId=a",
            "version=${v}\ngroupId=a\nartifactId=b",
            "version=1\ngroupId=a b\nartifactId=b",
        ] {
            assert_eq!(PomProperties::parse(bad), None, "{bad}");
        }
        for (name, expected) in [
            ("META-INF/maven/g/a/pom.properties", true),
            ("META-INF/maven/g/pom.properties", false),
            ("META-INF/maven/g/a/b/pom.properties", false),
            ("x/META-INF/maven/g/a/pom.properties", false),
        ] {
            assert_eq!(is_pom_properties(name.as_bytes()), expected, "{name}");
        }
    }
}
