//! Many short texts in one piece of memory, to be searched for a part of them.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use memchr::memmem;

/// The most that is kept, bytes; what comes after is not searched.
const LIMIT: usize = 512 << 20;

/// Texts that hold no line break, each once, with the numbers of what has them.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// As they are, each with a line break after it.
    whole: String,
    /// The same in lower case, as far as ASCII goes.
    lower: Vec<u8>,
    /// Where each begins.
    starts: Vec<u32>,
    /// What has each.
    owners: Vec<Vec<u32>>,
    known: HashMap<u64, u32>,
    hasher: RandomState,
    is_full: bool,
}

impl Texts {
    /// Notes that something has a text.
    pub(super) fn add(&mut self, text: &str, owner: u32) {
        let text = text.split('\n').next().unwrap_or_default();
        let hash = self.hasher.hash_one(text);
        if let Some(&number) = self.known.get(&hash)
            && self.text(number) == text
        {
            let owners = &mut self.owners[number as usize];
            if owners.last() != Some(&owner) {
                owners.push(owner);
            }
            return;
        }
        let (Ok(start), Ok(number)) = (u32::try_from(self.whole.len()), u32::try_from(self.starts.len())) else {
            return;
        };
        if self.whole.len() + text.len() >= LIMIT {
            self.is_full = true;
            return;
        }
        self.known.insert(hash, number);
        self.starts.push(start);
        self.owners.push(vec![owner]);
        self.whole.push_str(text);
        self.whole.push('\n');
        self.lower.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
        self.lower.push(b'\n');
    }

    /// Whether there was more than is kept.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// The texts that hold a part, which is not empty and whose case does not matter unless it has capitals, in the order
    /// in which they came, with what has them.
    pub(super) fn find<'a>(&'a self, part: &'a str) -> impl Iterator<Item = (&'a str, &'a [u32])> {
        let hay = if part.bytes().any(|byte| byte.is_ascii_uppercase()) { self.whole.as_bytes() } else { &self.lower };
        let mut seen = None;
        let found = memmem::find_iter(hay, part.as_bytes()).filter_map(move |at| {
            let number = self.starts.partition_point(|start| *start as usize <= at).checked_sub(1)?;
            (seen.replace(number) != Some(number)).then_some(number)
        });
        found.map(|number| (self.text(number as u32), self.owners[number].as_slice()))
    }

    fn text(&self, number: u32) -> &str {
        let start = self.starts[number as usize] as usize;
        let end = self.starts.get(number as usize + 1).map_or(self.whole.len(), |next| *next as usize);
        self.whole.get(start..end.saturating_sub(1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let mut texts = Texts::default();
        for (owner, text) in ["/etc/Shop.conf", "/usr/shop/shop.war", "/etc/Shop.conf", "/x", "ü/é"].iter().enumerate()
        {
            texts.add(text, owner as u32);
        }
        let found = |part: &str| texts.find(part).map(|(text, of)| format!("{text} {of:?}")).collect::<Vec<_>>();
        assert_eq!(found("shop"), ["/etc/Shop.conf [0, 2]", "/usr/shop/shop.war [1]"]);
        assert_eq!(found("Shop"), ["/etc/Shop.conf [0, 2]"]);
        assert_eq!(found("é"), ["ü/é [4]"]);
        assert!(found("war\n/x").len() <= 1 && found("nope").is_empty());
    }
}
