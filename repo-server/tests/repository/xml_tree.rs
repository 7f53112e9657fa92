//! XML as a tree that compares element by element.

use std::collections::BTreeMap;
use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn parse(xml: &str) -> Self {
        Self::try_parse(xml).unwrap_or_else(|error| panic!("{error}: {xml:.1000}"))
    }

    /// Reads one element, or says why no client could.
    pub(crate) fn try_parse(xml: &str) -> Result<Self, String> {
        if let Some(illegal) = xml.chars().find(|character| !is_legal(*character)) {
            return Err(format!("{illegal:?} is no character of XML"));
        }
        let mut reader = Reader::from_str(xml);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| format!("{error} at {}", reader.buffer_position()))? {
                Event::Start(start) => open.push(Self::new(&start)),
                Event::Empty(start) => open.last_mut().unwrap().children.push(Self::new(&start)),
                Event::End(_) => {
                    let mut element = open.pop().unwrap();
                    // White space between elements only lays them out.
                    if !element.children.is_empty() && element.text.trim().is_empty() {
                        element.text.clear();
                    }
                    open.last_mut().unwrap().children.push(element);
                }
                Event::Text(text) => open.last_mut().unwrap().text.push_str(&text),
                Event::GeneralRef(reference) => {
                    let entity = format!("&{};", &*reference);
                    open.last_mut().unwrap().text.push_str(&quick_xml::escape::unescape(&entity).unwrap());
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if open.len() != 1 {
            return Err("an element is not closed".to_owned());
        }
        open.pop().and_then(|mut document| document.children.pop()).ok_or_else(|| "no element".to_owned())
    }

    fn new(start: &BytesStart<'_>) -> Self {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let name = attribute.key.as_ref().to_owned();
            let value = attribute.value.into_owned();
            (name, quick_xml::escape::unescape(&value).unwrap().into_owned())
        });
        let name = start.name().as_ref().to_owned();
        Self { name, attributes: attributes.collect(), ..Self::default() }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.children.iter_mut().find(|child| child.name == name)
    }

    /// The element below it that these names lead to.
    pub(crate) fn at(&mut self, names: &[&str]) -> Option<&mut Self> {
        names.iter().try_fold(self, |element, name| element.child_mut(name))
    }

    pub(crate) fn for_each_text(&mut self, change: &impl Fn(&mut String)) {
        change(&mut self.text);
        self.attributes.values_mut().for_each(change);
        self.children.iter_mut().for_each(|child| child.for_each_text(change));
    }

    /// What differs, one line for each difference.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        self.compare(other, &self.name, &mut found);
        found
    }

    fn compare(&self, other: &Self, path: &str, found: &mut Vec<String>) {
        if (&self.name, &self.attributes, &self.text) != (&other.name, &other.attributes, &other.text) {
            found.push(format!("{path}: {self} is not {other}"));
        }
        for index in 0..self.children.len().max(other.children.len()) {
            let path = |child: &Self| format!("{path}/{}[{index}]", child.name);
            match (self.children.get(index), other.children.get(index)) {
                (Some(left), Some(right)) => left.compare(right, &path(left), found),
                (Some(left), None) => found.push(format!("{}: {left} is too much", path(left))),
                (None, Some(right)) => found.push(format!("{}: {right} is missing", path(right))),
                (None, None) => {}
            }
        }
    }
}

/// XML 1.0, section 2.2.
fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<{} {:?}>{:?}", self.name, self.attributes, self.text)
    }
}
