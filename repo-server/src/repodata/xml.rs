//! Writing XML: escaping, and leaving out what XML can't hold.

use std::fmt::Write;

/// Whether a character may stand in an XML 1.0 document at all (its section 2.2).
fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a character that begins with this byte may have to be written in another way, or left out: all of those are
/// ASCII but U+FFFE and U+FFFF, which begin with 0xef.
fn may_be_special(byte: u8) -> bool {
    matches!(byte, ..b' ' | b'&' | b'<' | b'>' | b'"' | 0xef)
}

/// Appends a text, run by run: most have nothing in them that `escape` changes.
fn push_escaped(xml: &mut String, text: &str, escape: impl Fn(char) -> Option<&'static str>) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(may_be_special) {
        let (plain, special) = rest.split_at(at);
        xml.push_str(plain);
        let mut characters = special.chars();
        if let Some(character) = characters.next().filter(|character| is_legal(*character)) {
            match escape(character) {
                Some(escaped) => xml.push_str(escaped),
                None => xml.push(character),
            }
        }
        rest = characters.as_str();
    }
    xml.push_str(rest);
}

/// Appends a text as the content of an element.
pub(super) fn push_text(xml: &mut String, text: &str) {
    push_escaped(xml, text, |character| match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        // Parsers turn a bare carriage return into a line feed.
        '\r' => Some("&#13;"),
        _ => None,
    });
}

/// Appends ` name="value"`.
pub(super) fn push_attribute(xml: &mut String, name: &str, value: &str) {
    xml.push(' ');
    xml.push_str(name);
    xml.push_str("=\"");
    push_escaped(xml, value, |character| match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        // Parsers turn bare white space in attributes into blanks.
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        _ => None,
    });
    xml.push('"');
}

/// Appends ` name="number"`.
pub(super) fn push_number(xml: &mut String, name: &str, number: u64) {
    // Writing to a String never fails.
    let _ = write!(xml, " {name}=\"{number}\"");
}

/// Appends a line `<name>text</name>`, indented.
pub(super) fn push_element(xml: &mut String, indent: &str, name: &str, text: &str) {
    for part in [indent, "<", name, ">"] {
        xml.push_str(part);
    }
    push_text(xml, text);
    for part in ["</", name, ">\n"] {
        xml.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_leaves_out() {
        for (text, expected) in [
            ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
            ("\"quoted\" 'text'", "\"quoted\" 'text'"),
            ("line\r\nnext\ttab", "line&#13;\nnext\ttab"),
            ("bell\u{7} null\0 form\u{c} \u{fffe}\u{ffff}", "bell null form "),
            ("grüße 🎉", "grüße 🎉"),
            ("]]>", "]]&gt;"),
            ("\u{feff}\u{fffd}<\u{ffff}é&", "\u{feff}\u{fffd}&lt;é&amp;"),
            ("", ""),
        ] {
            let mut xml = String::new();
            push_text(&mut xml, text);
            assert_eq!(xml, expected);
        }
    }

    #[test]
    fn attributes_keep_their_white_space() {
        let mut xml = String::new();
        push_attribute(&mut xml, "name", "a\"b<c>&\n\t\r\u{1}d");
        assert_eq!(xml, " name=\"a&quot;b&lt;c&gt;&amp;&#10;&#9;&#13;d\"");
    }
}
