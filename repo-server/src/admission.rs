//! Taking packages in: from an uploaded blob to a record that may stand in a commit.

use std::collections::{BTreeSet, HashMap};

use ledger::{Digest, Store};
use nevra::Nevra;

use crate::door::Door;
use crate::error::RepositoryError;
use crate::repodata::{FileIdentity, Fragments};
use crate::state::{PackageRecord, RepositoryState, file_name};

/// An uploaded file, as its uploader names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its sha256.
    pub sha256: Digest,
    /// What the uploader calls it, for messages.
    pub file_name: String,
    /// The file's time, seconds since 1970, where it is not that of its publication.
    pub time: Option<u64>,
}

/// An uploaded file that is a package which can be in a repository.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) record: PackageRecord,
}

/// Reads the header of an uploaded file, renders its repodata fragments and stores them. The files of `with_epoch` get
/// names with their epochs.
pub(crate) async fn examine(
    store: Store,
    upload: Upload,
    door: &Door,
    now: u64,
    with_epoch: &BTreeSet<Nevra>,
) -> Result<Candidate, RepositoryError> {
    let missing = || RepositoryError::MissingUpload { file_name: upload.file_name.clone(), sha256: upload.sha256 };
    let size = store.blob_size(&upload.sha256).await?.ok_or_else(missing)?;
    let passed = door.pass(&store, &upload, missing).await?;
    let (sha256, size) = passed.signed.unwrap_or((upload.sha256, size));
    let nevra = passed.header.nevra.clone();
    let time = upload.time.unwrap_or(now).min(now);
    let epoch_in_name = with_epoch.contains(&nevra);
    let file = FileIdentity {
        sha256: &sha256.to_string(),
        size,
        time,
        href: &format!("Packages/{}", file_name(&nevra, epoch_in_name)),
    };
    let fragments = store.put_blob(Fragments::render(&passed.header, &file).encode()).await?;
    let uploaded = (sha256 != upload.sha256).then_some(upload.sha256);
    Ok(Candidate { record: PackageRecord { nevra, sha256, size, time, fragments, uploaded, epoch_in_name } })
}

/// Admits candidates against what the repository knows: a NEVRA never gets other bytes, and neither does a file name.
/// `FileNameTaken` tells who has to be examined again for a name with the epoch.
/// A package that is known already keeps its record.
pub(crate) fn admit(state: &RepositoryState, candidates: &[Candidate]) -> Result<Vec<PackageRecord>, RepositoryError> {
    let mut admitted: Vec<PackageRecord> = Vec::new();
    let mut by_file_name: HashMap<String, PackageRecord> = HashMap::new();
    for Candidate { record } in candidates {
        let file_name = record.file_name();
        if let Some(known) = state.package(&record.nevra) {
            same_bytes(known, record)?;
            admitted.push(PackageRecord::clone(known));
        } else if let Some(earlier) = by_file_name.get(&file_name) {
            if earlier.nevra != record.nevra {
                return Err(taken(record, file_name, &earlier.nevra));
            }
            same_bytes(earlier, record)?;
            admitted.push(earlier.clone());
        } else if let Some(owner) = state.owner_of_file_name(&file_name) {
            return Err(taken(record, file_name, owner));
        } else {
            by_file_name.insert(file_name, record.clone());
            admitted.push(record.clone());
        }
    }
    Ok(admitted)
}

fn same_bytes(known: &PackageRecord, given: &PackageRecord) -> Result<(), RepositoryError> {
    // What was signed at the door is known by what was uploaded, too: the key may be another one by now.
    let signed = known.uploaded.is_some_and(|uploaded| uploaded == given.uploaded.unwrap_or(given.sha256));
    if known.sha256 == given.sha256 || signed {
        return Ok(());
    }
    Err(RepositoryError::OtherBytes { nevra: known.nevra.clone(), known: known.sha256, given: given.sha256 })
}

fn taken(record: &PackageRecord, file_name: String, owner: &Nevra) -> RepositoryError {
    RepositoryError::FileNameTaken { nevra: record.nevra.clone(), file_name, owner: owner.clone() }
}
