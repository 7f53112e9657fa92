//! Who signed a package.

use openpgp::{TrustedKeys, VerifyError};
use serde::Serialize;

use super::visible::Visible;
use super::written::Time;
use crate::signing::{PackageHead, SigningKeys};

/// A signature, as a page shows it.
#[derive(Debug, Serialize)]
pub(super) struct SignatureRow {
    /// What was signed: `header`, or `header and payload`.
    of: &'static str,
    algorithm: &'static str,
    hash: &'static str,
    key: Option<String>,
    /// The owner of the key, where it is known here.
    owner: Option<String>,
    made: Option<Time>,
    holds: bool,
    verdict: String,
}

/// Looks at the signatures of a package with the keys that the server and the channels know.
pub(super) fn signatures(head: &PackageHead, keys: &SigningKeys, visible: &Visible) -> Vec<SignatureRow> {
    let known = known(keys, visible);
    head.parsed
        .signatures
        .iter()
        .filter_map(|signature| {
            let info = signature.info()?;
            let signer = head.signer(signature, &known);
            let (holds, verdict) = match &signer {
                Some(Ok(_)) => (true, "holds".to_owned()),
                Some(Err(VerifyError::Untrusted { .. })) => (false, "made by a key that is not known here".to_owned()),
                Some(Err(error)) => (false, format!("does not hold: {error}")),
                None => (false, "not checked here: it covers the payload too".to_owned()),
            };
            let key = match &signer {
                Some(Ok(signer)) => Some(signer.fingerprint.clone()),
                _ => info.fingerprint.or(info.key_id),
            };
            let owner = key.as_ref().and_then(|key| {
                let mut owners = known.owners();
                owners.find(|(fingerprint, _)| fingerprint.ends_with(key.as_str())).map(|(_, owner)| owner.to_owned())
            });
            Some(SignatureRow {
                of: if signer.is_some() { "header" } else { "header and payload" },
                algorithm: info.algorithm,
                hash: info.hash,
                key,
                owner,
                made: info.created.and_then(|seconds| Time::of_seconds(seconds.into())),
                holds,
                verdict,
            })
        })
        .collect()
}

fn known(keys: &SigningKeys, visible: &Visible) -> TrustedKeys {
    let of_channels = visible.channels().values().filter_map(|channel| channel.settings().signature_keys.as_ref());
    let of_channels = of_channels.filter_map(|keys| keys.parse::<TrustedKeys>().ok());
    of_channels.fold(keys.all(), TrustedKeys::and)
}
