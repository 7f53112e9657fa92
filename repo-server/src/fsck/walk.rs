//! The walk of a check, from the chain to what channels show.

use std::sync::Arc;
use std::time::Duration;

use ledger::{Ledger, LedgerError, Position, Store};
use openpgp::TrustedKeys;

use super::blobs::Named;
use super::finding::{FsckReport, Mending};
use super::repodata;
use crate::engine::{LEDGER, read_checkpoint, write_checkpoint};
use crate::error::RepositoryError;
use crate::signing::KeyDirectory;
use crate::state::{Change, RepositoryState};

/// After how long a half-written file that nobody writes to is taken for left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);

/// Checks a repository's store; a server may go on meanwhile. `keys` are those of the server; without them, signatures are
/// not looked at.
///
/// # Errors
/// [`RepositoryError`] where the store can't be read; what is wrong with what it holds stands in the report.
pub async fn fsck(store: &Store, keys: Option<&KeyDirectory>, mending: Mending) -> Result<FsckReport, RepositoryError> {
    let keys = keys.map(trusted).transpose()?;
    let mut report = FsckReport::default();
    let ledger: Ledger<Change> = store.ledger(LEDGER);
    // What the checkpoint says is compared as of its commit.
    let checkpoint = ledger.checkpoint().await?;
    let Some((state, at_checkpoint)) = fold(&ledger, checkpoint.map(|it| it.position.number), &mut report).await?
    else {
        return Ok(report);
    };
    report.commits = state.position().number;
    report.packages = state.packages().len();
    if let Some(checkpoint) = checkpoint {
        let read = read_checkpoint(store, &checkpoint).await;
        let holds = matches!(&read, Ok(Some(read)) if Some(read) == at_checkpoint.as_ref());
        if !holds {
            if mending == Mending::On {
                write_checkpoint(store, &ledger, Arc::new(state.clone())).await?;
            }
            let what =
                format!("the checkpoint as of commit {} is not what the commits say", checkpoint.position.number);
            report.find(what, &[], mending == Mending::On);
        }
    }
    let named = Named::of(&state);
    let standings = named.look(store).await?;
    report.blobs = standings.len();
    let wrong = standings.wrong();
    if mending == Mending::On && !wrong.is_empty() {
        for channel in state.channels().values() {
            repodata::mend(store, channel, &wrong).await?;
        }
    }
    standings.report(store, &named, &mut report).await?;
    for (name, channel) in state.channels() {
        repodata::check(store, (name.as_str(), channel), keys.as_ref(), &mut report).await?;
    }
    if mending == Mending::On {
        sweep(store).await?;
    }
    Ok(report)
}

/// The public halves of all keys that may have signed.
fn trusted(directory: &KeyDirectory) -> Result<TrustedKeys, RepositoryError> {
    let mut all = directory.public()?.into_iter().chain(directory.retired()?);
    let first = all.next().ok_or(RepositoryError::NoKeys { directory: directory.path().to_owned() })?;
    Ok(all.fold(first, TrustedKeys::and))
}

/// Folds all commits; gives the state, and the one as of a commit. `None` where the ledger is broken.
async fn fold(
    ledger: &Ledger<Change>,
    at: Option<u64>,
    report: &mut FsckReport,
) -> Result<Option<(RepositoryState, Option<RepositoryState>)>, RepositoryError> {
    let commits = match ledger.since(&Position::start()).await {
        Ok(commits) => commits,
        Err(error @ LedgerError::Store { .. }) => return Err(error.into()),
        Err(error) => {
            report.find(error.to_string(), &["every channel from that commit on".to_owned()], false);
            return Ok(None);
        }
    };
    let mut state = RepositoryState::default();
    let mut then = None;
    for commit in &commits {
        if let Err(error) = state.apply(commit) {
            report.find(error.to_string(), &["every channel from that commit on".to_owned()], false);
            return Ok(None);
        }
        if Some(commit.number) == at {
            then = Some(state.clone());
        }
    }
    Ok(Some((state, then)))
}

async fn sweep(store: &Store) -> Result<(), RepositoryError> {
    let store = store.clone();
    let swept = tokio::task::spawn_blocking(move || store.sweep(LEFT_BEHIND)).await;
    swept.map_err(|_| RepositoryError::Stopping)?.map(drop).map_err(RepositoryError::from)
}
