//! One link of a chain: what was found, what it was held against, and whether it holds.

use serde::Serialize;

/// Whether a link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// By a hash or a signature.
    Proven,
    /// It does not hold, or could not be looked at.
    NotProven,
    /// There is no such link: nothing was signed, say.
    NotThere,
}

/// One link.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Link {
    pub(super) link: &'static str,
    pub(super) standing: Standing,
    /// What was found.
    pub(super) found: String,
    /// What it was held against.
    pub(super) held_against: Option<String>,
}

impl Link {
    pub(super) fn proven(link: &'static str, found: impl Into<String>, against: impl Into<String>) -> Self {
        Self { link, standing: Standing::Proven, found: found.into(), held_against: Some(against.into()) }
    }

    pub(super) fn not_proven(link: &'static str, found: impl Into<String>) -> Self {
        Self { link, standing: Standing::NotProven, found: found.into(), held_against: None }
    }

    pub(super) fn not_there(link: &'static str, found: impl Into<String>) -> Self {
        Self { link, standing: Standing::NotThere, found: found.into(), held_against: None }
    }

    /// Adds what it was held against.
    pub(super) fn against(mut self, against: impl Into<String>) -> Self {
        self.held_against = Some(against.into());
        self
    }
}

/// The beginning of a digest, for people; programs get it whole elsewhere.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}
