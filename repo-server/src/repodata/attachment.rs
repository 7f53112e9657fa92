//! Metadata that somebody gives as a whole: advisories, groups, module streams.

use std::io;

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::kind::MetadataKind;

/// Takes a text as a document of a kind, checked as far as it has to hold for clients: a document that they can't read
/// makes many of them give the whole repository up.
///
/// # Errors
/// For what is not UTF-8 or, where XML is due, not well-formed or something else.
pub(crate) fn attachment_text(kind: MetadataKind, text: Vec<u8>) -> io::Result<Bytes> {
    let checked = std::str::from_utf8(&text).map_err(io::Error::other)?;
    let root = match kind {
        MetadataKind::Updateinfo => "updates",
        MetadataKind::Group => "comps",
        _ => return Ok(text.into()),
    };
    let found = well_formed(checked).map_err(io::Error::other)?;
    if found.as_deref() != Some(root) {
        let found = found.unwrap_or_default();
        return Err(io::Error::other(format!("its root element is `{found}`, it has to be `{root}`")));
    }
    Ok(text.into())
}

/// Reads XML to its end and gives the name of its root element.
fn well_formed(text: &str) -> Result<Option<String>, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    let mut root = None;
    let mut depth = 0_usize;
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                root.get_or_insert_with(|| start.name().as_ref().to_owned());
                depth += 1;
            }
            Event::Empty(start) => {
                root.get_or_insert_with(|| start.name().as_ref().to_owned());
            }
            Event::End(_) => depth -= 1,
            Event::Eof if depth == 0 => return Ok(root),
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_the_right_root() {
        for (kind, text, fits) in [
            (MetadataKind::Updateinfo, "<?xml version=\"1.0\"?>\n<updates><update/></updates>", true),
            (MetadataKind::Updateinfo, "<updates/>", true),
            (MetadataKind::Updateinfo, "<comps/>", false),
            (MetadataKind::Group, "<!DOCTYPE comps PUBLIC \"x\" \"comps.dtd\">\n<comps/>", true),
            (MetadataKind::Group, "<comps>", false),
            (MetadataKind::Group, "<comps></x>", false),
            (MetadataKind::Group, "", false),
            (MetadataKind::Modules, "---\ndocument: modulemd", true),
        ] {
            assert_eq!(attachment_text(kind, text.as_bytes().to_vec()).is_ok(), fits, "{kind}: {text}");
        }
        assert!(attachment_text(MetadataKind::Modules, vec![0xff]).is_err());
    }
}
