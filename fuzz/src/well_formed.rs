//! A strict reading of XML: every character allowed, every element closed, every attribute once, every entity known.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Panics where a fragment of repodata is not exactly one well-formed element.
pub fn assert_well_formed(fragment: &[u8]) {
    let text = std::str::from_utf8(fragment).expect("repodata is UTF-8");
    if let Some(illegal) = text.chars().find(|character| !is_legal(*character)) {
        panic!("{illegal:?} is no character of XML");
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let (mut depth, mut roots) = (0_usize, 0);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                check_attributes(&start);
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Event::Empty(start) => {
                check_attributes(&start);
                roots += usize::from(depth == 0);
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) => assert!(!text.contains("]]>"), "`]]>` stands in a text"),
            Event::GeneralRef(entity) => {
                let known = ["amp", "lt", "gt", "quot", "apos"].contains(&&*entity);
                assert!(known || entity.is_char_ref(), "entity `{}` is unknown", &*entity);
            }
            Event::Eof => break,
            other => panic!("{other:?} has no place in repodata"),
        }
    }
    assert_eq!((depth, roots), (0, 1), "one element, closed");
}

fn check_attributes(start: &quick_xml::events::BytesStart<'_>) {
    for attribute in start.attributes().with_checks(true) {
        let attribute = attribute.expect("attributes are quoted and stand once");
        assert!(!attribute.value.contains('<'), "`<` stands in an attribute");
        attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("entities of attributes are known");
    }
}

/// XML 1.0, section 2.2.
fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
