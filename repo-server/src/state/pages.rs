//! The pages of a channel: how its packages stand in its documents.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::change::{PackageRecord, PageStep};
use super::channel::Channel;
use crate::repodata::{PageMembers, PlannedPage, plan_pages};

/// A run of a channel's packages that is compressed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its packages, those that were listed first before those that came later.
    pub packages: Vec<Arc<PackageRecord>>,
    /// Its parts of the documents.
    pub members: PageMembers,
}

/// Which packages a change takes from a channel's pages and adds to them.
#[derive(Debug, Default)]
pub(crate) struct Turnover {
    removed: HashSet<Arc<PackageRecord>>,
    /// In the order of their names and versions.
    added: Vec<Arc<PackageRecord>>,
}

impl Turnover {
    /// Compares what a channel lists with what it listed before.
    pub(crate) fn between(before: &Channel, after: &Channel) -> Self {
        let gone = before.listed().not_in(after.listed());
        let new = after.listed().not_in(before.listed());
        Self {
            removed: gone
                .filter(|listing| !after.listed().contains_key(&listing.package.nevra))
                .map(|listing| Arc::clone(&listing.package))
                .collect(),
            added: new
                .filter(|listing| !before.listed().contains_key(&listing.package.nevra))
                .map(|listing| Arc::clone(&listing.package))
                .collect(),
        }
    }

    /// Plans the pages after it.
    pub(crate) fn plan(self, pages: &[Arc<Page>]) -> Vec<PlannedPage<Arc<PackageRecord>>> {
        let packages: Vec<&[Arc<PackageRecord>]> = pages.iter().map(|page| page.packages.as_slice()).collect();
        plan_pages(&packages, &self.removed, self.added)
    }

    /// Plans pages that are all new, as for another compression.
    pub(crate) fn plan_anew(self, pages: &[Arc<Page>]) -> Vec<PlannedPage<Arc<PackageRecord>>> {
        let kept = pages.iter().flat_map(|page| &page.packages).filter(|package| !self.removed.contains(*package));
        plan_pages(&[], &HashSet::new(), kept.cloned().chain(self.added).collect())
    }

    /// Carries out what a commit says of the pages after it; `None` where that does not fit.
    pub(crate) fn carry_out(self, pages: &[Arc<Page>], steps: &[PageStep]) -> Option<Vec<Arc<Page>>> {
        let mut after = Vec::with_capacity(pages.len() + steps.len());
        let mut homeless =
            Homeless { pages, next: 0, removed: self.removed, added: self.added, queue: VecDeque::new() };
        for (index, step) in steps.iter().enumerate() {
            match step {
                PageStep::Kept { from, count } => {
                    let end = from.checked_add(*count)?;
                    homeless.leave(*from)?;
                    after.extend(pages.get(*from..end)?.iter().cloned());
                    homeless.next = end;
                }
                PageStep::Fresh { packages, members } => {
                    homeless.gather(next_kept(&steps[index + 1..]));
                    let packages = homeless.take(*packages)?;
                    after.push(Arc::new(Page { packages, members: *members }));
                }
            }
        }
        homeless.gather(None);
        homeless.queue.is_empty().then_some(after)
    }
}

/// Packages on their way from pages that are gone, and from outside, into new pages.
struct Homeless<'a> {
    pages: &'a [Arc<Page>],
    /// The first page that has been neither kept nor gathered.
    next: usize,
    removed: HashSet<Arc<PackageRecord>>,
    added: Vec<Arc<PackageRecord>>,
    queue: VecDeque<Arc<PackageRecord>>,
}

impl Homeless<'_> {
    /// Takes in all pages before one that is kept; before none, all that are left and what is new.
    fn gather(&mut self, kept: Option<usize>) {
        let end = kept.unwrap_or(self.pages.len()).min(self.pages.len());
        for page in self.pages.get(self.next..end).unwrap_or_default() {
            self.queue.extend(page.packages.iter().filter(|package| !self.removed.contains(*package)).cloned());
        }
        self.next = self.next.max(end);
        if kept.is_none() {
            self.queue.extend(std::mem::take(&mut self.added));
        }
    }

    /// Goes to a page that is kept, where all before it have their place.
    fn leave(&mut self, kept: usize) -> Option<()> {
        self.gather(Some(kept));
        (self.next == kept && self.queue.is_empty()).then_some(())
    }

    fn take(&mut self, count: usize) -> Option<Vec<Arc<PackageRecord>>> {
        (count > 0 && count <= self.queue.len()).then(|| self.queue.drain(..count).collect())
    }
}

fn next_kept(steps: &[PageStep]) -> Option<usize> {
    steps.iter().find_map(|step| match step {
        PageStep::Kept { from, .. } => Some(*from),
        PageStep::Fresh { .. } => None,
    })
}
