//! Texts that others wrote, made harmless once: no control characters, nothing that turns the direction of writing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::markup;

/// One line: no control characters, no doubled or outer white space, at most some hundred characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Line(String);

/// Paragraphs, in Markdown or plain: no control characters but line feeds, no outer white space.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Prose(String);

/// The most that a line holds, characters.
const LINE_LIMIT: usize = 400;
/// The most that a prose holds, characters.
const PROSE_LIMIT: usize = 20_000;

impl Line {
    /// Makes a line of any text: what is invisible goes, white space becomes single blanks, what is too long is cut.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = harmless(text);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self(cut(line, LINE_LIMIT))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Prose {
    /// Makes prose of any text; none where nothing visible is in it.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = harmless(text);
        let text = without_gaps(&text);
        (!text.trim().is_empty()).then(|| Self(cut(text, PROSE_LIMIT)))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words of its first paragraph as a line, and what follows.
    #[must_use]
    pub fn title_and_rest(&self) -> (Line, Option<Self>) {
        match self.0.trim_start().split_once("\n\n") {
            Some((title, rest)) => (Line::new(&markup::words_of_markdown(title)), Self::new(rest)),
            None => (Line::new(&markup::words_of_markdown(&self.0)), None),
        }
    }
}

/// Makes several empty lines one, and takes those at the ends off, with white space at the ends of lines.
pub(crate) fn without_gaps(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned()
}

/// Takes out what would act on a terminal or deceive a reader, and leaves what can be seen; line feeds and tabs stay.
///
/// Gone are terminals' escape sequences, control characters, marks that turn the direction of writing (Unicode's UAX #9),
/// invisible characters except those that join letters and emoji, and what no XML can hold.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' | '\u{9b}' => {
                if character == '\u{9b}' || characters.next_if_eq(&'[').is_some() {
                    while characters.next_if(|next| matches!(next, '\u{20}'..='\u{3f}')).is_some() {}
                    characters.next_if(|next| matches!(next, '\u{40}'..='\u{7e}'));
                }
            }
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => harmless.push('\n'),
            '\u{b}' | '\u{c}' => harmless.push(' '),
            '\n' | '\t' => harmless.push(character),
            _ if character.is_control() || is_invisible(character) => {}
            _ => harmless.push(character),
        }
    }
    harmless
}

fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    ) || u32::from(character) & 0xfffe == 0xfffe
}

fn cut(text: String, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Self {
        Self::new(&text).unwrap_or_default()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_harmless() {
        for (text, expected) in [
            ("  a \t b\r\nc ", "a b c"),
            ("\u{1b}[31;1mred\u{1b}[0m \u{9b}2Jx\u{1b}]0;t\u{7}", "red x]0;t"),
            ("evil\u{202e}txt.exe\u{2066}\u{200f}", "eviltxt.exe"),
            ("zero\u{200b}width\u{feff} \u{fffe}\u{1ffff}\u{0}", "zerowidth"),
            ("👩\u{200d}💻 & <b>\"'", "👩\u{200d}💻 & <b>\"'"),
            ("مرحبا", "مرحبا"),
        ] {
            assert_eq!(Line::new(text).as_str(), expected, "{text:?}");
        }
        assert_eq!(Line::new(&"ä".repeat(1000)).as_str().chars().count(), LINE_LIMIT + 1);
    }

    #[test]
    fn prose_keeps_its_paragraphs() {
        let prose = Prose::new("one\r\ntwo  \n\n\n\n- three\u{7}\n  four\n\n").unwrap();
        assert_eq!(prose.as_str(), "one\ntwo\n\n- three\n  four");
        assert_eq!(Prose::new(" \u{200b}\n\t"), None);
        let (title, rest) = prose.title_and_rest();
        assert_eq!((title.as_str(), rest.unwrap().as_str()), ("one two", "- three\n  four"));
    }
}
