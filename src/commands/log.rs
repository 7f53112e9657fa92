//! `pkg log`: the repository's history.

use anyhow::anyhow;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use repo_api::{ChannelName, LogEntry, LogQuery};

use super::connection::{ServerArgs, failure};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Show who changed what in the repository, when, from where and why; the newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only what is about this channel.
    #[arg(value_name = "CHANNEL")]
    channel: Option<ChannelName>,
    /// Only what was done since then: a date, a time (2026-06-01T12:00:00Z), or a span such as 7d or 12h.
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<DateTime<Utc>>,
    /// At most so many changes.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg log
  pkg log prod --since 7d
  pkg log prod --json | jq '.entries[] | select(.action == \"withdrawn\")'";

/// How many changes are asked for at a time.
const PAGE: usize = 500;

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let mut query = LogQuery { channel: args.channel, since: args.since, before: None, limit: None };
    let mut entries: Vec<LogEntry> = Vec::new();
    loop {
        let left = args.limit - entries.len();
        query.limit = Some(left.min(PAGE));
        let log = client.log(&query).await.map_err(failure)?;
        let found = log.entries.len();
        entries.extend(log.entries.into_iter().take(left));
        query.before = log.before;
        if query.before.is_none() || entries.len() >= args.limit || (found == 0 && left == 0) {
            break;
        }
    }
    if printer.is_json() {
        printer.json(&serde_json::json!({ "entries": entries }));
        return Ok(Exit::Done);
    }
    for entry in &entries {
        printer.data(&line(entry));
    }
    Ok(Exit::Done)
}

fn line(entry: &LogEntry) -> String {
    let channels: Vec<&str> = entry.channels.iter().map(ChannelName::as_str).collect();
    let mut line = format!(
        "{}  commit {}  {}  {}",
        entry.at.format("%Y-%m-%dT%H:%M:%SZ"),
        entry.commit,
        entry.action,
        channels.join(",")
    );
    for nevra in &entry.packages {
        line.push_str(&format!(" {nevra}"));
    }
    for detail in entry.detail.iter() {
        line.push_str(&format!(" {}", printable(detail)));
    }
    line.push_str(&format!("  by {} from {}", printable(&entry.who), printable(&entry.from)));
    for why in entry.why.iter() {
        line.push_str(&format!("  why: {}", printable(why)));
    }
    line
}

fn since(text: &str) -> Result<DateTime<Utc>, String> {
    let wrong =
        || anyhow!("allowed are a date, a time such as 2026-06-01T12:00:00Z, and a span such as 7d or 12h").to_string();
    if let Ok(time) = text.parse::<DateTime<Utc>>() {
        return Ok(time);
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let unit = text.chars().last().ok_or_else(wrong)?;
    let hours = match unit {
        'd' => 24,
        'h' => 1,
        _ => return Err(wrong()),
    };
    let count: i64 = text.strip_suffix(unit).and_then(|count| count.parse().ok()).ok_or_else(wrong)?;
    let span = count.checked_mul(hours).and_then(TimeDelta::try_hours).ok_or_else(wrong)?;
    Utc::now().checked_sub_signed(span).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(since("2026-06-01").unwrap().to_rfc3339(), "2026-06-01T00:00:00+00:00");
        assert_eq!(since("2026-06-01T12:00:00Z").unwrap().to_rfc3339(), "2026-06-01T12:00:00+00:00");
        let week = Utc::now() - since("7d").unwrap();
        assert!((167..=168).contains(&week.num_hours()), "{week}");
        for bad in ["", "d", "7", "7w", "99999999999999999d", "yesterday"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
