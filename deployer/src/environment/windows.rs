//! When an environment may be deployed to: windows in the week, and a freeze.

use std::fmt;
use std::ops::Range;

use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use serde::Deserialize;

use super::EnvironmentProblem;
use super::reader::{Checked, Reader, Text, at};

/// A time of the week in which deployments may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The days on which it opens.
    pub days: Vec<Weekday>,
    /// From when to when; a window that ends before it begins ends on the day after.
    pub hours: Range<NaiveTime>,
    /// Whose clock that is.
    pub zone: Tz,
}

/// Where a freeze is declared: what is there freezes the environment, and its first line is the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freeze {
    /// A file; there is no freeze while it is not there.
    File(std::path::PathBuf),
    /// A URL; there is no freeze while it answers 404.
    Url(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWindow {
    pub(super) days: Option<Vec<Text>>,
    pub(super) hours: Option<Text>,
    pub(super) zone: Text,
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl Window {
    /// Whether a deployment may begin at that time.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        let there = now.with_timezone(&self.zone);
        let (day, time) = (there.weekday(), there.time());
        let Range { start, end } = self.hours;
        if start < end {
            return self.days.contains(&day) && time >= start && time < end;
        }
        (self.days.contains(&day) && time >= start) || (self.days.contains(&day.pred()) && time < end)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.days.iter().map(Weekday::to_string).collect::<Vec<_>>().join(" ");
        let (start, end) = (self.hours.start.format("%H:%M"), self.hours.end.format("%H:%M"));
        write!(formatter, "{days} {start}-{end} {}", self.zone)
    }
}

impl Reader<'_> {
    pub(super) fn window(&self, raw: &RawWindow) -> Checked<Window> {
        let zone = self.text(&raw.zone)?;
        let zone = zone.parse().map_err(|_| {
            let rule = "not a time zone of the IANA database, such as `Europe/Berlin` or `UTC`";
            at(&raw.zone, EnvironmentProblem::Text { field: "zone", value: zone.clone(), rule })
        })?;
        let mut days = Vec::new();
        for text in raw.days.iter().flatten() {
            let value = self.text(text)?;
            let found = parse_days(&value).ok_or_else(|| {
                let rule = "not a day such as `mon`, or a span such as `mon-thu`";
                at(text, EnvironmentProblem::Text { field: "days", value, rule })
            })?;
            days.extend(found);
        }
        if raw.days.is_none() {
            days = WEEK.to_vec();
        }
        let hours = match &raw.hours {
            None => NaiveTime::MIN..NaiveTime::MIN,
            Some(text) => {
                let value = self.text(text)?;
                parse_hours(&value).ok_or_else(|| {
                    let rule = "not a span such as `09:00-16:30`";
                    at(text, EnvironmentProblem::Text { field: "hours", value, rule })
                })?
            }
        };
        Ok(Window { days, hours, zone })
    }

    pub(super) fn freeze(&self, raw: &Text) -> Checked<Freeze> {
        let value = self.text(raw)?;
        if value.starts_with("http://") || value.starts_with("https://") {
            return Ok(Freeze::Url(value));
        }
        Ok(Freeze::File(self.directory.join(value)))
    }
}

/// Reads `mon`, or `fri-mon`.
fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    let Some((first, last)) = text.split_once('-') else { return Some(vec![text.parse().ok()?]) };
    let (mut day, last): (Weekday, Weekday) = (first.parse().ok()?, last.parse().ok()?);
    let mut days = vec![day];
    while day != last {
        day = day.succ();
        days.push(day);
    }
    Some(days)
}

/// Reads `09:00-16:30`; `24:00` is the end of the day.
fn parse_hours(text: &str) -> Option<Range<NaiveTime>> {
    let (start, end) = text.split_once('-')?;
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
    let end = if end == "24:00" { NaiveTime::MIN } else { time(end)? };
    Some(time(start)?..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_open_by_the_clock_of_their_zone() {
        let window = |days, hours| Window {
            days: parse_days(days).unwrap(),
            hours: parse_hours(hours).unwrap(),
            zone: Tz::Europe__Berlin,
        };
        let (office, night) = (window("mon-thu", "09:00-16:00"), window("fri", "22:00-04:00"));
        let always = Window { days: WEEK.to_vec(), hours: NaiveTime::MIN..NaiveTime::MIN, zone: Tz::UTC };
        for (window, now, expected) in [
            // Berlin is at UTC+1 in winter and UTC+2 in summer.
            (&office, "2026-11-23T08:00:00Z", true),
            (&office, "2026-11-23T07:59:59Z", false),
            (&office, "2026-11-23T14:59:59Z", true),
            (&office, "2026-11-23T15:00:00Z", false),
            (&office, "2026-07-06T07:00:00Z", true),
            (&office, "2026-11-27T10:00:00Z", false),
            (&night, "2026-11-27T21:00:00Z", true),
            (&night, "2026-11-28T02:59:00Z", true),
            (&night, "2026-11-28T03:00:00Z", false),
            (&night, "2026-11-28T21:30:00Z", false),
            (&night, "2026-11-27T02:00:00Z", false),
            (&always, "2026-11-27T00:00:00Z", true),
            (&always, "2026-11-27T23:59:59Z", true),
        ] {
            assert_eq!(window.holds(now.parse().unwrap()), expected, "{window} at {now}");
        }
        assert_eq!(night.to_string(), "Fri 22:00-04:00 Europe/Berlin");
    }

    #[test]
    fn days_and_hours() {
        assert_eq!(parse_days("fri-mon").unwrap(), [Weekday::Fri, Weekday::Sat, Weekday::Sun, Weekday::Mon]);
        for bad in ["", "xyz", "mon-", "mon-x"] {
            assert_eq!(parse_days(bad), None, "{bad}");
        }
        for bad in ["", "9", "09:00", "09:00-25:00", "a-b", "09:00 - 10:00"] {
            assert_eq!(parse_hours(bad), None, "{bad}");
        }
        assert_eq!(parse_hours("22:00-24:00").unwrap().end, NaiveTime::MIN);
    }
}
