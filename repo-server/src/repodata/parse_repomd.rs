//! Reading repomd.xml, ours and that of others.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::kind::MetadataKind;

/// A document that a repomd.xml names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepomdEntry {
    /// Its type, such as `primary`.
    pub kind: String,
    /// Its place, relative to the repository's base URL.
    pub href: String,
    /// The algorithm of its checksum, such as `sha256`, and the checksum, hexadecimal.
    pub checksum: Option<(String, String)>,
}

/// Says that bytes are no repomd.xml.
#[derive(Debug, thiserror::Error)]
#[error("repomd.xml can't be read")]
pub struct ParseRepomdError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl RepomdEntry {
    /// Tells whether it is of a kind.
    #[must_use]
    pub fn is(&self, kind: MetadataKind) -> bool {
        self.kind == kind.name()
    }

    /// The name of its file, which lies in `repodata` whatever else its place says.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.href.rsplit('/').next().unwrap_or_default()
    }
}

/// Reads the documents that a repomd.xml names, in its order.
///
/// # Errors
/// [`ParseRepomdError`] for what is no XML.
pub fn parse_repomd(xml: &[u8]) -> Result<Vec<RepomdEntry>, ParseRepomdError> {
    let failed = |error: &dyn std::error::Error| ParseRepomdError(error.to_string().into());
    let text = std::str::from_utf8(xml).map_err(|error| failed(&error))?;
    let mut reader = Reader::from_str(text);
    let mut entries: Vec<RepomdEntry> = Vec::new();
    let mut in_checksum = false;
    loop {
        match reader.read_event().map_err(|error| failed(&error))? {
            Event::Start(start) | Event::Empty(start) => {
                let name = start.local_name();
                in_checksum = name.as_ref() == "checksum";
                match name.as_ref() {
                    "data" => entries.push(RepomdEntry { kind: attribute(&start, "type"), ..Default::default() }),
                    "location" => {
                        if let Some(entry) = entries.last_mut() {
                            entry.href = attribute(&start, "href");
                        }
                    }
                    "checksum" => {
                        if let Some(entry) = entries.last_mut() {
                            entry.checksum = Some((attribute(&start, "type"), String::new()));
                        }
                    }
                    _ => {}
                }
            }
            Event::Text(text) if in_checksum => {
                if let Some((_, checksum)) = entries.last_mut().and_then(|entry| entry.checksum.as_mut()) {
                    checksum.push_str(text.trim());
                }
            }
            Event::End(_) => in_checksum = false,
            Event::Eof => return Ok(entries),
            _ => {}
        }
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
    use crate::repodata::{AssembledDocument, Compression, repomd_xml};

    #[test]
    fn reads_what_is_written() {
        let text = bytes::Bytes::from_static(b"<updates/>");
        let document = AssembledDocument::of_text(MetadataKind::Updateinfo, Some(Compression::Gzip), &text, 1).unwrap();
        let entries = parse_repomd(repomd_xml(7, std::slice::from_ref(&document.record)).as_bytes()).unwrap();
        assert_eq!(entries.len(), 1);
        assert!(entries[0].is(MetadataKind::Updateinfo));
        assert_eq!(entries[0].file_name(), document.record.file().to_string());
        assert_eq!(entries[0].checksum, Some(("sha256".to_owned(), document.record.digest.to_string())));
    }

    #[test]
    fn refuses_what_is_no_xml() {
        assert!(parse_repomd(b"<repomd></data>").is_err());
        assert!(parse_repomd(b"\xff").is_err());
        assert!(parse_repomd(b"").unwrap().is_empty());
    }
}
