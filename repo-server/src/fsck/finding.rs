//! What a check found.

/// Whether a check mends what it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// It only looks.
    Off,
    /// It writes what can be computed again.
    On,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// The packages, channels and documents that it concerns.
    pub concerns: Vec<String>,
    /// Whether it has been mended.
    pub mended: bool,
}

/// What a check looked at and found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FsckReport {
    /// How many commits the ledger has.
    pub commits: u64,
    /// How many packages it knows.
    pub packages: usize,
    /// How many blobs were read.
    pub blobs: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl FsckReport {
    /// Whether nothing is wrong, or nothing any longer.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.mended)
    }

    pub(super) fn find(&mut self, what: impl Into<String>, concerns: &[String], mended: bool) {
        self.findings.push(Finding { what: what.into(), concerns: concerns.to_vec(), mended });
    }
}
