//! Fetching the keys of the standard set-up: what is fetched counts only if it has the fingerprint that the file pins.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use deployer::{Standard, StandardKey};
use openpgp::TrustedKeys;

const LIMIT: Duration = Duration::from_secs(20);
/// More than any keyring that a repository offers, in bytes.
const SIZE: usize = 1024 * 1024;

/// Gives the armored key of each fingerprint.
pub(super) async fn pinned_keys(standard: &Standard) -> anyhow::Result<BTreeMap<String, String>> {
    let mut keys = BTreeMap::new();
    for key in standard.repositories.iter().flat_map(|repository| &repository.keys) {
        if !keys.contains_key(&key.fingerprint) {
            keys.insert(key.fingerprint.clone(), pinned(key).await?);
        }
    }
    Ok(keys)
}

async fn pinned(key: &StandardKey) -> anyhow::Result<String> {
    let text = fetch(&key.url).await.with_context(|| format!("key `{}` can't be fetched", key.url))?;
    let found: TrustedKeys = text.parse().with_context(|| format!("key `{}`", key.url))?;
    let wanted = |fingerprint: &&str| fingerprint.eq_ignore_ascii_case(&key.fingerprint);
    let fingerprints = found.fingerprints();
    let Some(one) = fingerprints.iter().copied().find(wanted).and_then(|fingerprint| found.one(fingerprint)) else {
        bail!(
            "`{}` has not the key `{}` that the environment pins; it has `{}`",
            key.url,
            key.fingerprint,
            fingerprints.join("`, `")
        );
    };
    Ok(one.armored()?)
}

async fn fetch(url: &str) -> anyhow::Result<String> {
    if let Some(path) = url.strip_prefix("file://") {
        return Ok(fs_err::read_to_string(path)?);
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(LIMIT).build()?;
    let mut answer = client.get(url).send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > SIZE {
            bail!("it is larger than {SIZE} bytes");
        }
    }
    Ok(String::from_utf8(bytes)?)
}
