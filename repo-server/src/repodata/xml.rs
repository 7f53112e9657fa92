//! Writing XML: escaping, and leaving out what XML can't hold.

/// Whether a character may stand in an XML 1.0 document at all (its section 2.2).
fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a character that begins with this byte may have to be written in another way, or left out: all of those are
/// ASCII but U+FFFE and U+FFFF, which begin with 0xef.
const fn may_be_special(byte: u8) -> bool {
    (byte < b' ') | (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == 0xef)
}

/// [`may_be_special`] of each byte.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        special[byte] = may_be_special(byte as u8);
        byte += 1;
    }
    special
};

/// Passes over chunks of `N` bytes in which nothing special can begin, and gives what is left.
fn pass_plain<const N: usize>(bytes: &[u8], is_plain: impl Fn(&[u8; N]) -> bool) -> &[u8] {
    let (chunks, _) = bytes.as_chunks::<N>();
    let plain = chunks.iter().take_while(|chunk| is_plain(chunk)).count();
    &bytes[plain * N..]
}

/// Finds the first byte with which something special may begin. Most texts are short: what the processor compares many
/// bytes at once with is followed by a table for some at once.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let rest = pass_plain::<32>(bytes, |chunk| !chunk.iter().fold(false, |found, byte| found | may_be_special(*byte)));
    let rest =
        pass_plain::<8>(rest, |chunk| !chunk.iter().fold(false, |found, byte| found | SPECIAL[usize::from(*byte)]));
    let found = rest.iter().position(|byte| SPECIAL[usize::from(*byte)]);
    found.map(|at| bytes.len() - rest.len() + at)
}

/// Appends a text, run by run: most have nothing in them that `escape` changes.
fn push_escaped(xml: &mut String, text: &str, escape: impl Fn(char) -> Option<&'static str>) {
    let mut rest = text;
    while let Some(at) = first_special(rest.as_bytes()) {
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
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    for part in [" ", name, "=\""] {
        xml.push_str(part);
    }
    xml.extend(digits[start..].iter().copied().map(char::from));
    xml.push('"');
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

    /// What is special is found wherever it stands, beside what is looked at together as beside what is left of it.
    #[test]
    fn special_bytes_are_found_anywhere() {
        for length in 0..100 {
            let plain = "x".repeat(length);
            let mut xml = String::new();
            push_text(&mut xml, &plain);
            assert_eq!(xml, plain);
            for at in 0..length {
                let text = format!("{}<{}", &plain[..at], &plain[at + 1..]);
                let mut xml = String::new();
                push_text(&mut xml, &text);
                assert_eq!(xml, text.replace('<', "&lt;"), "{at} of {length}");
            }
        }
    }

    #[test]
    fn numbers() {
        for number in [0, 9, 10, 1_234_567_890, u64::MAX] {
            let mut xml = String::new();
            push_number(&mut xml, "size", number);
            assert_eq!(xml, format!(" size=\"{number}\""));
        }
    }

    #[test]
    fn attributes_keep_their_white_space() {
        let mut xml = String::new();
        push_attribute(&mut xml, "name", "a\"b<c>&\n\t\r\u{1}d");
        assert_eq!(xml, " name=\"a&quot;b&lt;c&gt;&amp;&#10;&#9;&#13;d\"");
    }
}
