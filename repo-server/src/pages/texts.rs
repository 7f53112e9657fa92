//! Very many short texts in little memory, to be searched for a part of them.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::ControlFlow;

use memchr::{memchr_iter, memmem, memrchr};

/// The most that is kept, bytes before they are compressed; what comes after is not searched.
const LIMIT: usize = 512 << 20;
/// How many bytes are compressed together: a search opens all of them, one after the other.
const BLOCK: usize = 128 << 10;
/// Paths become a sixth; more would be slower to come by and hardly smaller.
const LEVEL: i32 = 3;

/// Texts that hold no line break, with the numbers of what has them. Of those that come with the same group, such as the
/// versions of a package, each is kept once as long as every version has it.
#[derive(Debug, Default)]
pub(super) struct Texts {
    blocks: Vec<Block>,
    /// What comes into the next block, each text with a line break after it.
    open: String,
    /// How many bytes there are in the blocks, uncompressed.
    packed: usize,
    /// What had each text first.
    first: Vec<u32>,
    /// What else has it.
    others: HashMap<u32, Vec<u32>>,
    /// The texts of the member that came last, by group: their hashes, sorted, and numbers.
    newest: HashMap<Box<str>, Box<[(u64, u32)]>>,
    hasher: RandomState,
    is_full: bool,
}

/// Texts, compressed.
#[derive(Debug)]
struct Block {
    /// The number of its first text.
    first: u32,
    /// How long it is uncompressed.
    length: usize,
    packed: Box<[u8]>,
}

impl Texts {
    /// Notes that something has texts.
    pub(super) fn add<'a>(&mut self, group: &str, owner: u32, texts: impl Iterator<Item = &'a str>) {
        let before = self.newest.remove(group).unwrap_or_default();
        let mut now = Vec::with_capacity(before.len());
        for text in texts {
            let text = text.split('\n').next().unwrap_or_default();
            // Two texts of one hash of 64 bits are not to be expected, and would be one at worst.
            let hash = self.hasher.hash_one(text);
            let known = before.binary_search_by_key(&hash, |(hash, _)| *hash);
            let number = match known.map(|at| before[at].1) {
                Ok(number) => {
                    let others = self.others.entry(number).or_default();
                    if others.last() != Some(&owner) {
                        others.push(owner);
                    }
                    Some(number)
                }
                Err(_) => self.push(text, owner),
            };
            now.extend(number.map(|number| (hash, number)));
        }
        now.sort_unstable();
        now.dedup_by_key(|(hash, _)| *hash);
        self.newest.insert(group.into(), now.into_boxed_slice());
    }

    fn push(&mut self, text: &str, owner: u32) -> Option<u32> {
        let number = u32::try_from(self.first.len()).ok()?;
        if self.packed + self.open.len() + text.len() >= LIMIT {
            self.is_full = true;
            return None;
        }
        if self.open.len() + text.len() > BLOCK {
            self.pack();
        }
        self.open.push_str(text);
        self.open.push('\n');
        self.first.push(owner);
        Some(number)
    }

    fn pack(&mut self) {
        let count = memchr_iter(b'\n', self.open.as_bytes()).count();
        let first = self.first.len().saturating_sub(count);
        match zstd::bulk::compress(self.open.as_bytes(), LEVEL) {
            Ok(packed) => {
                let (first, length) = (u32::try_from(first).unwrap_or(u32::MAX), self.open.len());
                self.packed += length;
                self.blocks.push(Block { first, length, packed: packed.into_boxed_slice() });
            }
            // Which it does not in memory. These texts are not found then.
            Err(error) => tracing::warn!(%error, "some files can't be searched"),
        }
        self.open.clear();
    }

    /// Whether there was more than is kept.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Gives the texts that hold a part, which is not empty and whose case does not matter unless it has capitals, in the
    /// order in which they came, with what has them, until there are enough.
    pub(super) fn find(&self, part: &str, mut each: impl FnMut(&str, Vec<u32>) -> ControlFlow<()>) {
        let is_exact = part.bytes().any(|byte| byte.is_ascii_uppercase());
        let finder = memmem::Finder::new(part.as_bytes());
        let (mut texts, mut lower) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        let mut search = |first: u32, texts: &[u8]| {
            let hay = if is_exact {
                texts
            } else {
                lower.clear();
                lower.extend_from_slice(texts);
                lower.make_ascii_lowercase();
                lower.as_slice()
            };
            let (mut number, mut counted, mut end) = (first as usize, 0, 0);
            for at in finder.find_iter(hay) {
                // Another place in a text that was given already.
                if at < end {
                    continue;
                }
                number += memchr_iter(b'\n', &texts[counted..at]).count();
                counted = at;
                let start = memrchr(b'\n', &texts[..at]).map_or(0, |before| before + 1);
                end = memchr::memchr(b'\n', &texts[at..]).map_or(texts.len(), |after| at + after);
                // What spans two texts is in neither.
                if at + part.len() <= end
                    && let Ok(text) = str::from_utf8(&texts[start..end])
                {
                    each(text, self.owners(number))?;
                }
            }
            ControlFlow::Continue(())
        };
        let Ok(mut opener) = zstd::bulk::Decompressor::new() else { return };
        for block in &self.blocks {
            texts.clear();
            texts.reserve(block.length);
            let opened = opener.decompress_to_buffer(&block.packed, &mut texts);
            if opened.is_ok() && search(block.first, &texts).is_break() {
                return;
            }
        }
        let in_open = memchr_iter(b'\n', self.open.as_bytes()).count();
        let _ = search(u32::try_from(self.first.len() - in_open).unwrap_or(u32::MAX), self.open.as_bytes());
    }

    fn owners(&self, number: usize) -> Vec<u32> {
        let others = u32::try_from(number).ok().and_then(|number| self.others.get(&number));
        self.first.get(number).into_iter().chain(others.into_iter().flatten()).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &Texts, part: &str) -> Vec<String> {
        let mut found = Vec::new();
        texts.find(part, |text, owners| {
            found.push(format!("{text} {owners:?}"));
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn parts_are_found() {
        let mut texts = Texts::default();
        texts.add("shop", 0, ["/etc/Shop.conf", "/usr/shop/shop.war", "/shop\nx"].into_iter());
        texts.add("x", 1, ["/x", "ü/é", "/etc/Shop.conf"].into_iter());
        texts.add("shop", 2, ["/etc/Shop.conf", "/etc/Shop.conf", "/usr/shop/new.war"].into_iter());
        texts.add("shop", 3, ["/etc/Shop.conf", "/usr/shop/shop.war"].into_iter());
        let expected = [
            "/etc/Shop.conf [0, 2, 3]",
            "/usr/shop/shop.war [0]",
            "/shop [0]",
            "/etc/Shop.conf [1]",
            "/usr/shop/new.war [2]",
        ];
        let all = found(&texts, "shop");
        assert_eq!(all[..5], expected);
        assert_eq!(all[5..], ["/usr/shop/shop.war [3]"], "what a version lacked comes anew");
        assert_eq!(found(&texts, "Shop"), ["/etc/Shop.conf [0, 2, 3]", "/etc/Shop.conf [1]"]);
        assert_eq!(found(&texts, "é"), ["ü/é [1]"]);
        assert_eq!(found(&texts, "war\n/x"), [""; 0]);
        assert_eq!(found(&texts, "nope"), [""; 0]);
    }

    /// As a search that keeps everything would find it, over the borders of blocks.
    #[test]
    fn many_texts_are_found_as_if_they_were_kept_as_they_are() {
        let paths = |owner: u32| {
            (0..900).map(move |file| format!("/usr/share/App{}/lib/{file}-{}.jar", owner / 7, owner % 2 * file))
        };
        let mut texts = Texts::default();
        for owner in 0..70 {
            let paths: Vec<String> = paths(owner).collect();
            texts.add(&format!("app{}", owner / 7), owner, paths.iter().map(String::as_str));
        }
        assert!(texts.blocks.len() > 3 && !texts.open.is_empty());
        let kept: usize = texts.blocks.iter().map(|block| block.packed.len()).sum();
        assert!(kept * 4 < texts.packed, "{kept} of {}", texts.packed);
        for part in ["app3/lib/77-", "App3/lib/77-", "899-", "/", "app9/lib/899-899.jar", "-0.jar", "lib/0-0"] {
            let mut owners: Vec<(String, u32)> = Vec::new();
            texts.find(part, |text, of| {
                owners.extend(of.into_iter().map(|owner| (text.to_owned(), owner)));
                ControlFlow::Continue(())
            });
            owners.sort();
            let matches = |path: &String| path.contains(part) || path.to_ascii_lowercase().contains(part);
            let mut expected: Vec<(String, u32)> =
                (0..70).flat_map(|owner| paths(owner).filter(matches).map(move |path| (path, owner))).collect();
            expected.sort();
            assert_eq!(owners, expected, "{part}");
        }
        let mut count = 0;
        texts.find("jar", |_, _| {
            count += 1;
            if count == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(count, 3);
    }
}
