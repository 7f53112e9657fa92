//! Reading back, from a package's own fragments, what people search for: its files, and what it bundles.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::fragments::{Fragments, ParseFragmentsError};

/// What people search for in a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Searchable {
    /// The paths of its files and links, without its directories.
    pub(crate) files: Vec<String>,
    /// What it bundles, with the version: of `bundled(maven:group:artifact) = version`, what stands in the parentheses.
    pub(crate) bundled: Vec<(String, String)>,
}

impl Searchable {
    /// Reads it.
    pub(crate) fn read(fragments: &Fragments) -> Result<Self, ParseFragmentsError> {
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| ParseFragmentsError);
        let files = files(text(&fragments.filelists)?).map_err(|_| ParseFragmentsError)?;
        let bundled = bundled(text(&fragments.primary)?).map_err(|_| ParseFragmentsError)?;
        Ok(Self { files, bundled })
    }
}

fn files(filelists: &str) -> Result<Vec<String>, quick_xml::Error> {
    let mut reader = Reader::from_str(filelists);
    let mut files = Vec::new();
    let mut file: Option<String> = None;
    loop {
        match reader.read_event()? {
            Event::Start(start) if start.local_name().as_ref() == "file" => {
                file = (attribute(&start, "type") != "dir").then(String::new);
            }
            Event::Text(text) => {
                if let Some(file) = &mut file {
                    file.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(file) = &mut file {
                    let escape = format!("&{};", &*reference);
                    file.push_str(&quick_xml::escape::unescape(&escape).unwrap_or(Cow::Borrowed(&escape)));
                }
            }
            Event::End(_) => files.extend(file.take()),
            Event::Eof => return Ok(files),
            _ => {}
        }
    }
}

fn bundled(primary: &str) -> Result<Vec<(String, String)>, quick_xml::Error> {
    let mut reader = Reader::from_str(primary);
    let mut bundled = Vec::new();
    let mut provides = false;
    loop {
        match reader.read_event()? {
            Event::Start(start) if start.local_name().as_ref() == "provides" => provides = true,
            Event::End(end) if end.local_name().as_ref() == "provides" => return Ok(bundled),
            Event::Empty(start) | Event::Start(start) if provides && start.local_name().as_ref() == "entry" => {
                let name = attribute(&start, "name");
                if let Some(component) = name.strip_prefix("bundled(").and_then(|rest| rest.strip_suffix(')')) {
                    bundled.push((component.to_owned(), attribute(&start, "ver")));
                }
            }
            Event::Eof => return Ok(bundled),
            _ => {}
        }
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start.attributes().filter_map(Result::ok).find(|attribute| attribute.key.as_ref() == name);
    let value = found.map(|attribute| attribute.value.into_owned()).unwrap_or_default();
    quick_xml::escape::unescape(&value).map(Cow::into_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn files_and_what_is_bundled() {
        let fragments = Fragments {
            primary: Bytes::from_static(
                b"<package type=\"rpm\"><name>a</name><format><rpm:provides>\n\
                  <rpm:entry name=\"bundled(maven:g:a&amp;b)\" flags=\"EQ\" epoch=\"0\" ver=\"1.2\"/>\n\
                  <rpm:entry name=\"a\"/></rpm:provides><rpm:requires><rpm:entry name=\"bundled(x)\"/></rpm:requires>\
                  </format></package>\n",
            ),
            filelists: Bytes::from_static(
                b"<package name=\"a\"><version epoch=\"0\"/><file type=\"dir\">/etc</file>\n  \
                  <file>/etc/a&amp;b</file>\n<file type=\"ghost\">/var/x</file></package>\n",
            ),
            other: Bytes::new(),
        };
        let searchable = Searchable::read(&fragments).unwrap();
        assert_eq!(searchable.files, ["/etc/a&b", "/var/x"]);
        assert_eq!(searchable.bundled, [("maven:g:a&b".to_owned(), "1.2".to_owned())]);
    }
}
