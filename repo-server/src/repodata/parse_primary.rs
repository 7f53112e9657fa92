//! Reading primary.xml of other makers, as far as finding the packages needs it.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A package that a primary.xml lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedFile {
    /// Its place, relative to the repository's base URL.
    pub href: String,
    /// The algorithm of its checksum, such as `sha256`.
    pub algorithm: String,
    /// Its checksum, hexadecimal.
    pub checksum: String,
    /// Its time, seconds since 1970, where it is given.
    pub time: Option<u64>,
}

/// Reads the packages that a primary.xml lists, in its order, without holding the document.
///
/// # Errors
/// For what is no XML.
pub fn listed_files(primary: impl BufRead) -> Result<Vec<ListedFile>, quick_xml::Error> {
    let mut reader = Reader::from_reader(primary);
    let mut buffer = Vec::new();
    let mut files: Vec<ListedFile> = Vec::new();
    let mut in_checksum = false;
    loop {
        match reader.read_event_into(&mut buffer)? {
            Event::Start(start) | Event::Empty(start) => {
                in_checksum = false;
                match (start.local_name().as_ref(), files.last_mut()) {
                    ("package", _) => files.push(ListedFile::default()),
                    ("location", Some(file)) => file.href = attribute(&start, "href"),
                    ("time", Some(file)) => file.time = attribute(&start, "file").parse().ok(),
                    ("checksum", Some(file)) => {
                        in_checksum = true;
                        file.algorithm = attribute(&start, "type");
                    }
                    _ => {}
                }
            }
            Event::Text(text) if in_checksum => {
                if let Some(file) = files.last_mut() {
                    file.checksum.push_str(text.trim());
                }
            }
            Event::End(_) => in_checksum = false,
            Event::Eof => return Ok(files),
            _ => {}
        }
        buffer.clear();
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start.attributes().filter_map(Result::ok).find(|attribute| attribute.key.as_ref() == name);
    let value = found.map(|attribute| attribute.value.into_owned()).unwrap_or_default();
    quick_xml::escape::unescape(&value).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_packages() {
        let text = "<?xml version=\"1.0\"?><metadata packages=\"2\"><package type=\"rpm\"><name>a</name>\
            <checksum type=\"sha\" pkgid=\"YES\">abc</checksum><time file=\"17\" build=\"1\"/><location href=\"p/a&amp;b.rpm\"/></package>\
            <package type=\"rpm\"><checksum type=\"sha256\">d</checksum><location xml:base=\"x\" href=\"b.rpm\"/></package>\
            </metadata>";
        let files = listed_files(text.as_bytes()).unwrap();
        let rows: Vec<_> = files.iter().map(|file| (&*file.href, &*file.algorithm, &*file.checksum)).collect();
        assert_eq!(rows, [("p/a&b.rpm", "sha", "abc"), ("b.rpm", "sha256", "d")]);
        assert_eq!([files[0].time, files[1].time], [Some(17), None]);
        assert!(listed_files(&b"<metadata></package>"[..]).is_err());
    }
}
