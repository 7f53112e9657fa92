//! `pkg index`: a static yum repository of a folder of RPMs.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use repo_server::{Compression, IndexError, IndexOptions, IndexReport, MetadataKind, index};

use super::signing_key::load_signing_key;

use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable, with_causes};

/// Make a folder of RPMs a yum repository that any web server can serve.
///
/// Reads only what is new since the last run, and writes only where something changed. The new `repodata` takes the
/// place of the old one in one step; metadata that clients may still ask for stays for a time. A file that can't be read
/// is left out, named, and makes the exit code 2; all others are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Sign repomd.xml with the key in this file, or with one that gpg holds (`gpg:NAME`).
    #[arg(long, value_name = "KEY")]
    sign: Option<String>,
    /// The file whose first line is the key's passphrase, instead of PKG_SIGN_PASSPHRASE.
    #[arg(long, value_name = "FILE", requires = "sign")]
    sign_passphrase_file: Option<PathBuf>,
    /// How many threads read and compress [default: one for each processor].
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// How metadata is compressed: `gzip`, which every client reads, or `zstd`, which yum 3 of EL 7 does not.
    #[arg(long, value_name = "KIND", default_value = "gzip")]
    compress: Compression,
    /// Groups of packages (comps.xml); without it, those that are there stay.
    #[arg(long, value_name = "FILE")]
    groupfile: Option<PathBuf>,
    /// Advisories (updateinfo.xml); without it, those that are there stay.
    #[arg(long, value_name = "FILE")]
    updateinfo: Option<PathBuf>,
    /// Module streams (modules.yaml); without it, those that are there stay.
    #[arg(long, value_name = "FILE")]
    modules: Option<PathBuf>,
    /// Leave out files whose name or path below the folder matches, such as `*-debuginfo-*`; may be repeated.
    #[arg(long = "exclude", short = 'x', value_name = "GLOB")]
    excludes: Vec<Glob>,
    /// Keep metadata that is no longer named for so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    keep: u32,
    /// Read every file anew, whatever the last run remembered.
    #[arg(long)]
    anew: bool,
}

const EXAMPLES: &str = "\
Examples:
  pkg index /srv/repo
  pkg index /srv/repo --sign /etc/pkg/repository.asc --sign-passphrase-file /etc/pkg/passphrase
  pkg index /srv/repo --compress zstd --exclude '*-debuginfo-*' --groupfile comps.xml";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    // Reading, compressing and signing block.
    let report = tokio::task::spawn_blocking(move || run_blocking(args)).await.map_err(Failure::failed)??;
    if printer.is_json() {
        printer.json(&json(&report));
    } else {
        printer.talk(&summary(&report));
    }
    for (path, error) in &report.unusable {
        let path = printable(&path.display().to_string());
        printer.warning(&format!("`{path}` is left out: {}", printable(&with_causes(error))));
    }
    Ok(if report.unusable.is_empty() { Exit::Done } else { Exit::Input })
}

fn run_blocking(args: Args) -> Result<IndexReport, Failure> {
    let processors = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let options = IndexOptions {
        excludes: excludes(&args.excludes)?,
        key: args.sign.as_deref().map(|key| load_signing_key(key, args.sign_passphrase_file.as_deref())).transpose()?,
        threads: args.jobs.unwrap_or_else(processors),
        attachments: [
            (MetadataKind::Group, args.groupfile),
            (MetadataKind::Updateinfo, args.updateinfo),
            (MetadataKind::Modules, args.modules),
        ]
        .into_iter()
        .filter_map(|(kind, path)| Some((kind, path?)))
        .collect(),
        compression: args.compress,
        keep_for: Duration::from_secs(u64::from(args.keep) * 24 * 3600),
        folder: args.folder,
        anew: args.anew,
    };
    index(&options).map_err(|error| match error {
        IndexError::Attachment { .. } => Failure::input(error),
        IndexError::Folder { .. } | IndexError::Busy(_) | IndexError::Sign(_) | IndexError::Worker => {
            Failure::failed(error)
        }
    })
}

fn excludes(globs: &[Glob]) -> Result<GlobSet, Failure> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build().map_err(Failure::input)
}

fn summary(report: &IndexReport) -> String {
    let plural = if report.packages == 1 { "" } else { "s" };
    let what = if report.changed {
        format!("{} read, {} gone or changed", report.read, report.gone)
    } else {
        "nothing changed".to_owned()
    };
    format!("{} package{plural}, {what}", report.packages)
}

fn json(report: &IndexReport) -> serde_json::Value {
    let unusable: Vec<_> = report
        .unusable
        .iter()
        .map(|(path, error)| serde_json::json!({ "path": path.display().to_string(), "error": with_causes(error) }))
        .collect();
    serde_json::json!({
        "packages": report.packages,
        "read": report.read,
        "gone": report.gone,
        "changed": report.changed,
        "unusable": unusable,
    })
}
