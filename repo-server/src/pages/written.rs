//! How times and sizes are written.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A time, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Time {
    /// `2026-11-23 01:55 UTC`
    pub(crate) text: String,
    /// RFC 3339
    pub(crate) machine: String,
}

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        Self { text: at.format("%Y-%m-%d %H:%M UTC").to_string(), machine: at.format("%Y-%m-%dT%H:%M:%SZ").to_string() }
    }
}

impl Time {
    /// A time in seconds since 1970; `None` for one beyond all calendars.
    pub(crate) fn of_seconds(seconds: u64) -> Option<Self> {
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0).map(Self::from)
    }
}

/// Writes how long something took: `1.2 s`, `2 min 5 s`.
pub(crate) fn seconds(milliseconds: u64) -> String {
    match milliseconds / 1000 {
        0..60 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// Writes a size: `12.3 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut size, mut unit) = (bytes as f64 / 1024.0, 0);
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1024.0, unit + 1);
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 20, "1.0 MiB"), ((1 << 20) - 1, "1.0 MiB")]
        {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(size(u64::MAX), "16384.0 PiB");
        assert_eq!(Time::of_seconds(0).unwrap().text, "1970-01-01 00:00 UTC");
        assert_eq!(Time::of_seconds(u64::MAX), None);
    }
}
