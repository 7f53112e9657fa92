//! The main section of a META-INF/MANIFEST.MF (JAR File Specification, "Notes on Manifest and Signature Files").

/// Gives an attribute's value; names do not care for case. Lines that begin with a space continue the line before.
pub(crate) fn attribute(manifest: &str, name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in manifest.lines() {
        if line.is_empty() {
            break;
        }
        match (line.strip_prefix(' '), &mut value) {
            (Some(rest), Some(value)) => value.push_str(rest),
            (Some(_), None) => {}
            (None, Some(_)) => break,
            (None, None) => {
                let pair = line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name));
                value = pair.map(|(_, value)| value.strip_prefix(' ').unwrap_or(value).to_owned());
            }
        }
    }
    value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_main_section() {
        let manifest = "Manifest-Version: 1.0\r\nImplementation-Title: a very long tit\r\n le of it\r\nempty: \r\n\
                        implementation-version: 1.4\r\n\r\nName: x\r\nSealed: true\r\n";
        for (name, expected) in [
            ("Manifest-Version", Some("1.0")),
            ("Implementation-Title", Some("a very long title of it")),
            ("Implementation-Version", Some("1.4")),
            ("Empty", None),
            ("Sealed", None),
        ] {
            assert_eq!(attribute(manifest, name).as_deref(), expected, "{name}");
        }
        assert_eq!(attribute("", "a"), None);
        assert_eq!(attribute(" a: b", "a"), None);
    }
}
