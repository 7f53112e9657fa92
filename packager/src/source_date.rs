//! The date of the sources: what every time in a package is derived from, so that the same sources give the same bytes.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceDate(u32);

/// Says why `SOURCE_DATE_EPOCH` does not hold.
#[derive(Debug, thiserror::Error)]
#[error("SOURCE_DATE_EPOCH is `{0}`; allowed are whole seconds since 1970, from 0 to 4000000000")]
pub struct SourceDateError(String);

/// Leaves room below 2^32 for the build's number.
const LATEST: u32 = 4_000_000_000;

/// A build's number moves its WAR's time by no more than this many seconds.
const BUILD_NUMBER_RANGE: u64 = 1_000_000;

impl SourceDate {
    /// Finds the date: that of `SOURCE_DATE_EPOCH` (<https://reproducible-builds.org/specs/source-date-epoch/>), else of
    /// the git commit that is checked out where the sources are, else now.
    ///
    /// # Errors
    /// [`SourceDateError`] when the variable is set to no number.
    pub fn find(variable: Option<&str>, committed: Option<Self>) -> Result<Self, SourceDateError> {
        match variable {
            Some(seconds) => Self::read(seconds).ok_or_else(|| SourceDateError(seconds.to_owned())),
            None => Ok(committed.unwrap_or_else(Self::now)),
        }
    }

    /// Takes seconds since 1970, up to 4000000000.
    #[must_use]
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        (seconds <= LATEST).then_some(Self(seconds))
    }

    /// Takes the time of the clock.
    #[must_use]
    pub fn now() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |duration| duration.as_secs());
        Self(u32::try_from(seconds).map_or(LATEST, |seconds| seconds.min(LATEST)))
    }

    /// The seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The modification time of a build's WAR: never that of the build before, even of the same commit.
    ///
    /// Tomcat unpacks a WAR again only when its time differs from that of the one unpacked, so that two builds with the
    /// same time would leave the old code running. Of long build numbers (dates) the last six digits count.
    #[must_use]
    pub fn of_build(self, build_number: u64) -> u32 {
        u32::try_from(build_number % BUILD_NUMBER_RANGE).map_or(self.0, |number| self.0 + number)
    }

    fn read(seconds: &str) -> Option<Self> {
        seconds.trim().parse().ok().and_then(Self::from_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_wins_and_is_strict() {
        let find = |text| SourceDate::find(Some(text), None);
        assert_eq!(find("1700000000").unwrap().seconds(), 1_700_000_000);
        for bad in ["", "x", "-1", "1.5", "4294967295"] {
            assert!(find(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_the_variable_it_is_the_commit_and_else_now() {
        let commit = SourceDate(1_700_000_000);
        assert_eq!(SourceDate::find(None, Some(commit)).unwrap(), commit);
        assert!(SourceDate::find(None, None).unwrap() > commit);
    }

    #[test]
    fn builds_of_one_commit_differ() {
        let date = SourceDate(LATEST);
        assert!(date.of_build(58) > date.of_build(57));
        assert_ne!(date.of_build(20_260_101_123_456), date.of_build(20_260_101_123_457));
        assert_eq!(date.of_build(u64::MAX), LATEST + 551_615);
    }
}
