//! `pkg fsck`: checks a repository's store, and mends what can be.

use std::path::PathBuf;

use ledger::Store;
use repo_server::{FsckReport, KeyDirectory, Mending, fsck};
use serde_json::json;

use super::serve::configuration::beside;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Check a repository's store: the chain of commits, every file by its sha256, all metadata that is shown.
///
/// Says what is wrong and which packages and channels it concerns. A server may go on meanwhile. The exit code is 0 where
/// nothing is wrong or all of it was mended, and 1 otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The store: a directory, s3://BUCKET/PREFIX, gs://… or az://….
    #[arg(long, value_name = "STORE", env = "PKG_SERVE_STORE", default_value = "repository")]
    store: String,
    /// The directory of the server's keys, whose public halves signatures are checked by [default: the store's path with
    /// `.keys` added, where that exists].
    #[arg(long, value_name = "DIR", env = "PKG_SERVE_KEY_DIR")]
    key_dir: Option<PathBuf>,
    /// Compute again what can be: metadata of packages from their files, pages and documents from that, checkpoints.
    #[arg(long)]
    mend: bool,
}

const EXAMPLES: &str = "\
Examples:
  pkg fsck --store /srv/pkg/repository
  pkg fsck --store s3://packages/team --key-dir /etc/pkg/keys --mend

A package's file that is damaged can't be computed again: publish the same file once more.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let store = Store::open_existing(&args.store).await.map_err(Failure::failed)?;
    let keys = match args.key_dir {
        Some(directory) => Some(directory),
        None => beside(&args.store).ok().filter(|directory| directory.is_dir()),
    };
    let keys = keys.map(|directory| KeyDirectory::new(&directory, None));
    if keys.is_none() {
        printer.talk("there is no directory of keys: signatures are not checked");
    }
    let mending = if args.mend { Mending::On } else { Mending::Off };
    let report = fsck(&store, keys.as_ref(), mending).await.map_err(Failure::failed)?;
    show(&report, printer);
    Ok(if report.is_sound() { Exit::Done } else { Exit::Failed })
}

fn show(report: &FsckReport, printer: &Printer) {
    if printer.is_json() {
        let finding = |finding: &repo_server::Finding| json!({ "what": finding.what, "concerns": finding.concerns, "mended": finding.mended });
        printer.json(&json!({
            "commits": report.commits,
            "packages": report.packages,
            "blobs": report.blobs,
            "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        }));
        return;
    }
    for finding in &report.findings {
        printer.data(&format!("{}{}", finding.what, if finding.mended { " (mended)" } else { "" }));
        for concern in &finding.concerns {
            printer.data(&format!("  {concern}"));
        }
    }
    let (commits, packages, blobs) = (report.commits, report.packages, report.blobs);
    let verdict = match (report.findings.len(), report.is_sound()) {
        (0, _) => "nothing is wrong".to_owned(),
        (count, true) => format!("{count} found, all mended"),
        (count, false) => format!("{count} found"),
    };
    printer.talk(&format!("{commits} commits, {packages} packages, {blobs} blobs: {verdict}"));
}
