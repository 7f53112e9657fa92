//! `pkg gc`: deletes what a repository no longer needs.

use std::path::PathBuf;

use anyhow::{Context, bail};
use chrono::TimeDelta;
use ledger::{Author, Store};
use repo_server::{CollectionReport, CollectionRun, KeyRing, Repository};
use serde_json::json;

use super::connection::who;
use super::serve::configuration::beside;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Delete the files that a repository no longer needs.
///
/// These are the files of packages that no channel lists, no tag and no environment holds, and metadata that was replaced:
/// all of it only once nothing has shown it for the time of grace, because clients go by metadata that they fetched
/// earlier. Works on the store, while servers run. A version that was deleted keeps its name: other bytes are refused for
/// it for ever, and the same may be published again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The store: a directory, s3://BUCKET/PREFIX, gs://… or az://….
    #[arg(long, value_name = "STORE", env = "PKG_SERVE_STORE", default_value = "repository")]
    store: String,
    /// The directory of the server's keys [default: the store's path with `.keys` added].
    #[arg(long, value_name = "DIR", env = "PKG_SERVE_KEY_DIR")]
    key_dir: Option<PathBuf>,
    /// How long clients may go by what they have fetched: a number with d, h, m or s.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_time)]
    grace: TimeDelta,
    /// Only say what would be deleted.
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  pkg gc --store /srv/pkg/repository --dry-run
  pkg gc --store s3://packages/team --key-dir /etc/pkg/keys --grace 14d";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let store = Store::open_existing(&args.store).await.map_err(Failure::failed)?;
    let key_dir = match args.key_dir {
        Some(directory) => directory,
        None => beside(&args.store)?,
    };
    if !key_dir.is_dir() {
        let missing = anyhow::anyhow!("`{}` is no directory of keys", key_dir.display());
        return Err(Failure::input(missing).hint("name the server's with --key-dir"));
    }
    let keys = tokio::task::spawn_blocking(move || KeyRing::open_or_make(&key_dir));
    let keys = keys.await.map_err(Failure::failed)?.map_err(Failure::failed)?;
    let who = who().unwrap_or_else(|| "unknown".to_owned());
    let author = Author { who, from: "store".to_owned(), why: None };
    let repository = Repository::open_in(store, keys, &[]).await.map_err(Failure::failed)?;
    let run = if args.dry_run { CollectionRun::Dry } else { CollectionRun::Delete };
    let report = repository.collect(args.grace, run, author).await.map_err(Failure::failed)?;
    show(&report, run, printer);
    Ok(Exit::Done)
}

fn show(report: &CollectionReport, run: CollectionRun, printer: &Printer) {
    let CollectionReport { blobs, bytes, packages, views } = report;
    if printer.is_json() {
        let dry = run == CollectionRun::Dry;
        printer.json(&json!({ "dry_run": dry, "blobs": blobs, "bytes": bytes, "packages": packages, "views": views }));
        return;
    }
    for package in packages {
        printer.data(&package.to_string());
    }
    let deleted = if run == CollectionRun::Dry { "would be deleted" } else { "deleted" };
    printer.talk(&format!(
        "{blobs} blobs of {bytes} bytes {deleted}, with {} packages and {views} earlier states of channels",
        packages.len()
    ));
}

fn parse_time(text: &str) -> anyhow::Result<TimeDelta> {
    let unit = text.chars().last().context("it is empty")?;
    let count: i64 =
        text[..text.len() - unit.len_utf8()].parse().context("allowed are numbers such as `7d` or `12h`")?;
    let time = match unit {
        'd' => TimeDelta::try_days(count),
        'h' => TimeDelta::try_hours(count),
        'm' => TimeDelta::try_minutes(count),
        's' => TimeDelta::try_seconds(count),
        _ => bail!("`{unit}` is no unit: allowed are d, h, m and s"),
    };
    time.filter(|time| *time >= TimeDelta::zero()).context("it is too long, or negative")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, seconds) in [("7d", 604_800), ("12h", 43_200), ("5m", 300), ("0s", 0)] {
            assert_eq!(parse_time(text).unwrap().num_seconds(), seconds, "{text}");
        }
        for text in ["", "d", "7", "7y", "-1d", "7 d", "99999999999999999d", "7µ"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
