//! repomd.xml, which names the metadata documents by their digests.

use super::assembly::DocumentRecord;
use super::document::Document;
use super::kind::MetadataKind;
use super::xml::{push_attribute, push_element};

/// Renders repomd.xml. `revision` is the commit that shows these documents, `time` its time in seconds since 1970.
#[must_use]
pub fn render_repomd(revision: u64, time: u64, documents: &[Document]) -> String {
    let mut xml = String::with_capacity(2048);
    xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str("<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" ");
    xml.push_str("xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n");
    push_element(&mut xml, "  ", "revision", &revision.to_string());
    for document in documents {
        push_document(&mut xml, document, time);
    }
    xml.push_str("</repomd>\n");
    xml
}

/// Renders repomd.xml of a revision, which is a number that grows, naming documents.
#[must_use]
pub fn repomd_xml(revision: u64, documents: &[DocumentRecord]) -> String {
    let mut xml = String::with_capacity(4096);
    xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str("<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" ");
    xml.push_str("xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n");
    push_element(&mut xml, "  ", "revision", &revision.to_string());
    for document in documents {
        push_record(&mut xml, document);
    }
    xml.push_str("</repomd>\n");
    xml
}

fn push_record(xml: &mut String, document: &DocumentRecord) {
    xml.push_str("  <data");
    // Comps come twice, and clients know the compressed ones by another name.
    let is_packed_group = document.kind == MetadataKind::Group && document.compression.is_some();
    push_attribute(xml, "type", if is_packed_group { "group_gz" } else { document.kind.name() });
    xml.push_str(">\n    <checksum type=\"sha256\">");
    xml.push_str(&document.digest.to_string());
    xml.push_str("</checksum>\n");
    if let (Some(open_digest), Some(_)) = (&document.open_digest, document.compression) {
        xml.push_str("    <open-checksum type=\"sha256\">");
        xml.push_str(&open_digest.to_string());
        xml.push_str("</open-checksum>\n");
    }
    xml.push_str("    <location");
    push_attribute(xml, "href", &format!("repodata/{}", document.file()));
    xml.push_str("/>\n");
    push_element(xml, "    ", "timestamp", &document.time.to_string());
    push_element(xml, "    ", "size", &document.size.to_string());
    if document.compression.is_some() {
        push_element(xml, "    ", "open-size", &document.open_size.to_string());
    }
    xml.push_str("  </data>\n");
}

fn push_document(xml: &mut String, document: &Document, time: u64) {
    xml.push_str("  <data");
    push_attribute(xml, "type", document.kind.name());
    xml.push_str(">\n    <checksum type=\"sha256\">");
    xml.push_str(&document.digest.to_string());
    xml.push_str("</checksum>\n    <open-checksum type=\"sha256\">");
    xml.push_str(&document.open_digest.to_string());
    xml.push_str("</open-checksum>\n    <location");
    push_attribute(xml, "href", &format!("repodata/{}", document.file_name()));
    xml.push_str("/>\n");
    push_element(xml, "    ", "timestamp", &time.to_string());
    push_element(xml, "    ", "size", &document.bytes.len().to_string());
    push_element(xml, "    ", "open-size", &document.open_size.to_string());
    xml.push_str("  </data>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repodata::MetadataKind;

    #[test]
    fn names_every_document() {
        let documents = MetadataKind::OF_PACKAGES.map(|kind| Document::render(kind, &[]).unwrap());
        let xml = render_repomd(7, 1_700_000_000, &documents);
        assert!(xml.contains("<revision>7</revision>"));
        for document in &documents {
            assert!(xml.contains(&format!("<data type=\"{}\">", document.kind)));
            assert!(xml.contains(&format!("href=\"repodata/{}\"", document.file_name())));
            assert!(xml.contains(&format!("<open-checksum type=\"sha256\">{}<", document.open_digest)));
            assert!(xml.contains(&format!("<size>{}</size>", document.bytes.len())));
        }
        assert_eq!(xml.matches("<timestamp>1700000000</timestamp>").count(), 3);
    }
}
