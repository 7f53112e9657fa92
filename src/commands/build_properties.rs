//! What a package says of its build: the file `build.properties` that `pkg build` puts into it.

use nevra::Name;

/// The lines of a package's `build.properties`, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct BuildProperties(Vec<(String, String)>);

impl BuildProperties {
    /// Its path in a package of that name.
    pub(super) fn path(package: &Name) -> String {
        format!("/usr/share/{package}/build.properties")
    }

    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(property).collect())
    }

    /// The value of a key.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The WARs, each with the sha256 that it was built with.
    pub(super) fn wars(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.windows(2).filter(|pair| pair[0].0 == "war" && pair[1].0 == "war.sha256");
        pairs.map(|pair| (pair[0].1.as_str(), pair[1].1.as_str()))
    }
}

/// A line as we write them (java.util.Properties): `key=value`, with backslashes in the value.
fn property(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once('=')?;
    Some((key.to_owned(), unescaped(value)))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('u') => {
                let digits: String = characters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                plain.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_build_says() {
        let text = "build.url=https\\://ci/a\\u00fc\nwar=/a\nwar.sha256=00\nwar=/b\nwar.sha256=11\n";
        let properties = BuildProperties::parse(text);
        assert_eq!(properties.value("build.url"), Some("https://ci/aü"));
        assert_eq!(properties.wars().collect::<Vec<_>>(), [("/a", "00"), ("/b", "11")]);
        assert_eq!(properties.value("commit"), None);
    }
}
