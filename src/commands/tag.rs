//! `pkg tag`: names for the repository as of a commit.

use repo_api::{ReasonRequest, TagName, TagRequest};

use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Name the repository as of a commit.
///
/// A tag stands for all channels as of its commit, as `CHANNEL@TAG` in commands and in URLs. What they list then stays:
/// neither retention nor the collection of unused files takes it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg tag create june-release
  pkg tag create before-the-fire --at 4711 --why 'for the auditors'
  pkg diff prod@june-release prod
  pkg tag remove june-release";

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Set a tag.
    Create {
        /// Its name: letters, digits, `.`, `_`, `-`, beginning with a letter.
        tag: TagName,
        /// The commit [default: the newest].
        #[arg(long, value_name = "COMMIT")]
        at: Option<u64>,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// List the tags.
    List,
    /// Remove a tag.
    Remove {
        /// Its name.
        tag: TagName,
        #[command(flatten)]
        reason: ReasonArgs,
    },
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let (tag, changed) = match args.command {
        Command::Create { tag, at, reason } => {
            let request = TagRequest { at, who: who(), why: reason.why };
            let changed = client.set_tag(&tag, &request).await.map_err(failure)?;
            (tag, changed)
        }
        Command::Remove { tag, reason } => {
            let reason = ReasonRequest { who: who(), why: reason.why };
            let changed = client.remove_tag(&tag, &reason).await.map_err(failure)?;
            (tag, changed)
        }
        Command::List => {
            let list = client.tags().await.map_err(failure)?;
            if printer.is_json() {
                printer.json(&list);
                return Ok(Exit::Done);
            }
            for tag in list.tags {
                let at = tag.set_at.format("%Y-%m-%dT%H:%M:%SZ");
                let why = tag.why.map(|why| format!("  {}", printable(&why))).unwrap_or_default();
                printer.data(&format!("{}  commit {}  {at}  {}{why}", tag.name, tag.at, printable(&tag.set_by)));
            }
            return Ok(Exit::Done);
        }
    };
    if printer.is_json() {
        printer.json(&changed);
    } else {
        printer.data(&format!("{tag}  commit {}", changed.commit));
    }
    Ok(Exit::Done)
}
