//! Where everything stands in the store: one function per kind of object.

use object_store::path::Path;
use uuid::Uuid;

use crate::Digest;

/// A blob: `blobs/<first two digits>/<sha256>`, so that no directory grows without bound.
pub(crate) fn blob(digest: &Digest) -> Path {
    let digest = digest.to_string();
    Path::from_iter(["blobs", &digest[..2], &digest])
}

/// What a composite blob consists of: `composites/<first two digits>/<sha256>.json`.
pub(crate) fn composite(digest: &Digest) -> Path {
    let digest = digest.to_string();
    Path::from_iter(["composites", &digest[..2], &format!("{digest}.json")])
}

/// A blob on its way in whose digest is not known yet.
pub(crate) fn incoming() -> Path {
    Path::from_iter(["incoming", &Uuid::new_v4().to_string()])
}

/// A commit: `ledgers/<name>/<number of 12 digits>.json`; the parts of a name such as `environments/prod` are folders.
pub(crate) fn commit(ledger: &str, number: u64) -> Path {
    let parts = std::iter::once("ledgers").chain(ledger.split('/').filter(|part| !part.is_empty()));
    let number = format!("{number:012}.json");
    Path::from_iter(parts.chain(std::iter::once(number.as_str())))
}

/// The newest checkpoint of a ledger: `checkpoints/<name>.json`.
pub(crate) fn checkpoint(ledger: &str) -> Path {
    Path::from_iter(["checkpoints", &format!("{}.json", ledger.replace('/', "-"))])
}

/// The newest abridgement of a ledger: `checkpoints/<name>-abridged.json`.
pub(crate) fn abridgement(ledger: &str) -> Path {
    Path::from_iter(["checkpoints", &format!("{}-abridged.json", ledger.replace('/', "-"))])
}

/// The object by which a store is asked whether it honours create-if-absent.
pub(crate) fn probe() -> Path {
    Path::from_iter(["probes", &Uuid::new_v4().to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        assert_eq!(commit("environments/prod", 7).as_ref(), "ledgers/environments/prod/000000000007.json");
        assert_eq!(commit("../x", 1).as_ref(), "ledgers/%2E%2E/x/000000000001.json");
        let digest = Digest::of(b"");
        assert_eq!(blob(&digest).as_ref(), format!("blobs/e3/{digest}"));
    }
}
