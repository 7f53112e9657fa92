//! Writing XML: escaping, and leaving out what XML can't hold.

use std::fmt::Write;

/// Whether a character may stand in an XML 1.0 document at all (its section 2.2).
fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Appends a text as the content of an element.
pub(super) fn push_text(xml: &mut String, text: &str) {
    for character in text.chars().filter(|character| is_legal(*character)) {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            // Parsers turn a bare carriage return into a line feed.
            '\r' => xml.push_str("&#13;"),
            _ => xml.push(character),
        }
    }
}

/// Appends ` name="value"`.
pub(super) fn push_attribute(xml: &mut String, name: &str, value: &str) {
    xml.push(' ');
    xml.push_str(name);
    xml.push_str("=\"");
    for character in value.chars().filter(|character| is_legal(*character)) {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // Parsers turn bare white space in attributes into blanks.
            '\t' => xml.push_str("&#9;"),
            '\n' => xml.push_str("&#10;"),
            '\r' => xml.push_str("&#13;"),
            _ => xml.push(character),
        }
    }
    xml.push('"');
}

/// Appends ` name="number"`.
pub(super) fn push_number(xml: &mut String, name: &str, number: u64) {
    // Writing to a String never fails.
    let _ = write!(xml, " {name}=\"{number}\"");
}

/// Appends a line `<name>text</name>`, indented.
pub(super) fn push_element(xml: &mut String, indent: &str, name: &str, text: &str) {
    xml.push_str(indent);
    let _ = write!(xml, "<{name}>");
    push_text(xml, text);
    let _ = writeln!(xml, "</{name}>");
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
