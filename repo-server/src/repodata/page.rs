//! Pages: the packages of a channel in runs of up to some hundreds, each compressed by itself, so that a change
//! compresses what it touches and nothing else.

use std::collections::HashSet;
use std::hash::Hash;
use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::compression::Compression;
use super::fragments::{Fragments, PageText};
use super::kind::MetadataKind;
use super::member::{Member, PackedMember};

/// The most packages of a page. More compress hardly better, and a change would cost more.
const FULL: usize = 512;
/// The most packages of a page to which new ones are added: about what every publish compresses anew.
const SMALL: usize = 32;

/// The members of a page, one for each document that describes packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageMembers {
    /// Its part of primary.
    pub primary: Member,
    /// Its part of filelists.
    pub filelists: Member,
    /// Its part of other.
    pub other: Member,
}

/// A page that has just been compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedPage {
    /// Its part of primary.
    pub primary: PackedMember,
    /// Its part of filelists.
    pub filelists: PackedMember,
    /// Its part of other.
    pub other: PackedMember,
}

/// A page of what a channel will list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedPage<T> {
    /// The page of this number, as it was.
    Kept(usize),
    /// A page that has to be compressed, with its packages in order.
    Fresh(Vec<T>),
}

impl PageMembers {
    /// Its part of a document; `None` of those that do not describe packages.
    #[must_use]
    pub fn of(&self, kind: MetadataKind) -> Option<&Member> {
        match kind {
            MetadataKind::Primary => Some(&self.primary),
            MetadataKind::Filelists => Some(&self.filelists),
            MetadataKind::Other => Some(&self.other),
            MetadataKind::Updateinfo | MetadataKind::Group | MetadataKind::Modules => None,
        }
    }

    /// All three.
    #[must_use]
    pub fn all(&self) -> [Member; 3] {
        [self.primary, self.filelists, self.other]
    }
}

impl PackedPage {
    /// Compresses the fragments of a page's packages.
    ///
    /// # Errors
    /// The compressor's, which has none in memory.
    pub fn pack(compression: Compression, fragments: &[Fragments]) -> io::Result<Self> {
        let pack = |part: fn(&Fragments) -> &Bytes| {
            PackedMember::pack(compression, fragments.iter().map(|each| part(each).as_ref()))
        };
        Ok(Self {
            primary: pack(|each| &each.primary)?,
            filelists: pack(|each| &each.filelists)?,
            other: pack(|each| &each.other)?,
        })
    }

    /// Compresses the text of a page's packages.
    ///
    /// # Errors
    /// The compressor's, which has none in memory.
    pub(crate) fn pack_text(compression: Compression, text: &PageText) -> io::Result<Self> {
        let pack = |part: &str| PackedMember::pack(compression, [part.as_bytes()]);
        Ok(Self { primary: pack(&text.primary)?, filelists: pack(&text.filelists)?, other: pack(&text.other)? })
    }

    /// What is known of its members.
    #[must_use]
    pub fn members(&self) -> PageMembers {
        PageMembers { primary: self.primary.member, filelists: self.filelists.member, other: self.other.member }
    }

    /// The bytes of its part of a document; `None` of those that do not describe packages.
    #[must_use]
    pub fn of(&self, kind: MetadataKind) -> Option<&Bytes> {
        let [primary, filelists, other] = self.all();
        match kind {
            MetadataKind::Primary => Some(&primary.bytes),
            MetadataKind::Filelists => Some(&filelists.bytes),
            MetadataKind::Other => Some(&other.bytes),
            MetadataKind::Updateinfo | MetadataKind::Group | MetadataKind::Modules => None,
        }
    }

    /// All three, with their bytes.
    #[must_use]
    pub fn all(&self) -> [&PackedMember; 3] {
        [&self.primary, &self.filelists, &self.other]
    }
}

/// Plans the pages of a channel that loses packages and gets others: those that stay keep their order, and new ones
/// come last.
///
/// New packages share a small page with those that came just before; small pages that have become many are joined to a
/// full one. So a package is compressed a few dozen times with a few others, a few times with hundreds, and then rests.
#[must_use]
pub fn plan_pages<T: Clone + Eq + Hash>(pages: &[&[T]], removed: &HashSet<T>, added: Vec<T>) -> Vec<PlannedPage<T>> {
    let mut drafts: Vec<Draft<'_, T>> = Vec::with_capacity(pages.len() + 1);
    for (number, page) in pages.iter().enumerate() {
        if removed.is_empty() || !page.iter().any(|package| removed.contains(package)) {
            drafts.push(Draft::Kept(number, page));
            continue;
        }
        let rest: Vec<T> = page.iter().filter(|package| !removed.contains(*package)).cloned().collect();
        shrunk(&mut drafts, rest);
    }
    if !added.is_empty() {
        append(&mut drafts, added);
        join_small(&mut drafts);
    }
    drafts.into_iter().map(Draft::planned).collect()
}

enum Draft<'a, T> {
    Kept(usize, &'a [T]),
    Fresh(Vec<T>),
}

impl<T: Clone> Draft<'_, T> {
    fn packages(&self) -> &[T] {
        match self {
            Self::Kept(_, packages) => packages,
            Self::Fresh(packages) => packages,
        }
    }

    fn planned(self) -> PlannedPage<T> {
        match self {
            Self::Kept(number, _) => PlannedPage::Kept(number),
            Self::Fresh(packages) => PlannedPage::Fresh(packages),
        }
    }
}

/// Adds what is left of a page; what has become small joins the page before it.
fn shrunk<T: Clone>(drafts: &mut Vec<Draft<'_, T>>, rest: Vec<T>) {
    if rest.is_empty() {
        return;
    }
    match drafts.last_mut() {
        Some(before) if rest.len() < SMALL && before.packages().len() + rest.len() <= FULL => {
            let joined = [before.packages(), &rest].concat();
            *before = Draft::Fresh(joined);
        }
        _ => drafts.push(Draft::Fresh(rest)),
    }
}

fn append<T: Clone>(drafts: &mut Vec<Draft<'_, T>>, mut added: Vec<T>) {
    if let Some(last) = drafts.last()
        && last.packages().len() < SMALL
    {
        added = [last.packages(), &added].concat();
        drafts.pop();
    }
    drafts.extend(added.chunks(FULL).map(|chunk| Draft::Fresh(chunk.to_vec())));
}

/// Joins the pages at the end that are far from full, once they fill one together.
fn join_small<T: Clone>(drafts: &mut Vec<Draft<'_, T>>) {
    let small = drafts.iter().rev().take_while(|draft| draft.packages().len() <= FULL / 2).count();
    let start = drafts.len() - small;
    let together: usize = drafts[start..].iter().map(|draft| draft.packages().len()).sum();
    if together < FULL {
        return;
    }
    let joined: Vec<T> = drafts.drain(start..).flat_map(|draft| draft.packages().to_vec()).collect();
    drafts.extend(joined.chunks(FULL).map(|chunk| Draft::Fresh(chunk.to_vec())));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Carries a plan out and gives how many packages had to be compressed.
    fn carry_out(pages: &mut Vec<Vec<u32>>, removed: &[u32], added: Vec<u32>) -> usize {
        let removed: HashSet<u32> = removed.iter().copied().collect();
        let before: Vec<&[u32]> = pages.iter().map(Vec::as_slice).collect();
        let mut compressed = 0;
        let after = plan_pages(&before, &removed, added)
            .into_iter()
            .map(|page| match page {
                PlannedPage::Kept(number) => pages[number].clone(),
                PlannedPage::Fresh(packages) => {
                    compressed += packages.len();
                    packages
                }
            })
            .collect();
        *pages = after;
        assert!(pages.iter().all(|page| !page.is_empty() && page.len() <= FULL), "{pages:?}");
        compressed
    }

    #[test]
    fn publishing_one_by_one_costs_little() {
        let mut pages = Vec::new();
        let mut compressed = 0;
        for package in 0..10_000 {
            compressed += carry_out(&mut pages, &[], vec![package]);
            assert!(pages.len() <= package as usize / FULL + 1 + FULL / SMALL, "{} pages", pages.len());
        }
        assert_eq!(pages.concat(), (0..10_000).collect::<Vec<_>>());
        assert!(compressed < 20 * 10_000, "{compressed}");
    }

    #[test]
    fn many_at_once_fill_pages() {
        let mut pages = Vec::new();
        assert_eq!(carry_out(&mut pages, &[], (0..2000).collect()), 2000);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [512, 512, 512, 464]);
        assert_eq!(carry_out(&mut pages, &[], vec![2000]), 1);
        assert_eq!(carry_out(&mut pages, &[], (2001..2600).collect()), 600);
        assert_eq!(pages.concat(), (0..2600).collect::<Vec<_>>());
    }

    #[test]
    fn withdrawing_touches_its_page_alone() {
        let mut pages = Vec::new();
        carry_out(&mut pages, &[], (0..1500).collect());
        assert_eq!(carry_out(&mut pages, &[700], Vec::new()), 511);
        assert_eq!(carry_out(&mut pages, &[1, 2], vec![1500]), 510 + 1);
        let most: Vec<u32> = (512..1000).collect();
        assert_eq!(carry_out(&mut pages, &most, Vec::new()), 510 + 24 - 510, "{:?}", pages.len());
        assert_eq!(carry_out(&mut pages, &(0..2000).collect::<Vec<_>>(), Vec::new()), 0);
        assert!(pages.is_empty());
    }

    #[test]
    fn nothing_to_do_keeps_all() {
        let pages: [&[u32]; 2] = [&[1, 2], &[3]];
        let kept = [PlannedPage::Kept(0), PlannedPage::Kept(1)];
        assert_eq!(plan_pages(&pages, &HashSet::new(), Vec::new()), kept);
        assert_eq!(plan_pages(&pages, &HashSet::from([9]), Vec::new()), kept);
    }

    #[test]
    fn packages_are_packed_in_order() {
        let fragments = |text: &'static str| Fragments {
            primary: Bytes::from_static(text.as_bytes()),
            filelists: Bytes::from_static(b"f"),
            other: Bytes::new(),
        };
        let page = PackedPage::pack(Compression::Gzip, &[fragments("<a/>"), fragments("<b/>")]).unwrap();
        assert_eq!(page.members().all().map(|member| member.open_size), [8, 2, 0]);
        assert_eq!(page.primary, PackedMember::pack(Compression::Gzip, [b"<a/><b/>".as_ref()]).unwrap());
        assert_eq!(page.members().of(MetadataKind::Updateinfo), None);
    }
}
