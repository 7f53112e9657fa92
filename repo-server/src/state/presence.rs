//! When a channel listed a package.

use std::sync::Arc;

use nevra::Nevra;

use super::change::PackageRecord;
use super::fold::Place;
use super::sorted_map::Keyed;

/// A package that a channel lists or listed, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The package.
    pub package: Arc<PackageRecord>,
    /// From and until when, one after the other.
    pub spans: Arc<[Span]>,
}

/// From which commit until before which one a package was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The commit that listed it.
    pub from: u64,
    /// Who made that commit.
    pub who: Arc<str>,
    /// The commit that withdrew it; `None` while it is listed.
    pub until: Option<u64>,
}

impl Presence {
    /// Begins with a package that is listed.
    pub(super) fn begin(package: &Arc<PackageRecord>, who: &Arc<str>, place: &Place) -> Self {
        Self { package: Arc::clone(package), spans: Arc::from([Span::begin(who, place)]) }
    }

    /// The package is listed again.
    pub(super) fn resume(&mut self, who: &Arc<str>, place: &Place) {
        if self.spans.last().is_none_or(|span| span.until.is_some()) {
            self.spans = self.spans.iter().cloned().chain([Span::begin(who, place)]).collect();
        }
    }

    /// The package is listed no longer.
    pub(super) fn end(&mut self, place: &Place) {
        let mut spans = self.spans.to_vec();
        if let Some(span) = spans.last_mut().filter(|span| span.until.is_none()) {
            span.until = Some(place.commit);
        }
        self.spans = spans.into();
    }

    /// The span in which a commit lies.
    #[must_use]
    pub fn at(&self, commit: u64) -> Option<&Span> {
        self.spans.iter().find(|span| span.from <= commit && span.until.is_none_or(|until| commit < until))
    }

    /// The commit that withdrew it; `None` while it is listed.
    #[must_use]
    pub fn withdrawn_by(&self) -> Option<u64> {
        self.spans.last().and_then(|span| span.until)
    }
}

impl Span {
    fn begin(who: &Arc<str>, place: &Place) -> Self {
        Self { from: place.commit, who: Arc::clone(who), until: None }
    }
}

impl Keyed for Presence {
    type Key = Nevra;

    fn key(&self) -> &Nevra {
        &self.package.nevra
    }
}
