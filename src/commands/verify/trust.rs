//! Whose signatures count: keys that the caller names, or else those that the host takes packages of and those that the
//! environment pins. A key that only the server offers proves nothing.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use openpgp::{TrustedKeys, VerifyError};
use repo_server::package_signer;

use super::link::{Link, short};
use crate::exit::Failure;
use crate::render::with_causes;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// Keys that count, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct Trust {
    keys: Option<TrustedKeys>,
    /// By whose word; empty where there are no keys.
    origin: String,
}

impl Trust {
    /// The keys in files that the caller names; none where there are no files.
    pub(super) fn named(files: &[std::path::PathBuf]) -> Result<Self, Failure> {
        let mut trust = Self::default();
        for file in files {
            trust.add(read(file)?, "--keys");
        }
        Ok(trust)
    }

    /// The keys in a host's rpm database, and those that are offered and have one of the fingerprints.
    pub(super) fn of_host(host: &str, database: &str, offered: Option<&str>, pinned: &[&str]) -> Self {
        let mut trust = Self::default();
        for keys in blocks(database) {
            trust.add(keys, &format!("the rpm database of {host}"));
        }
        for keys in offered.into_iter().flat_map(blocks) {
            for fingerprint in pinned {
                let fingerprint = fingerprint.replace(' ', "").to_uppercase();
                if let Some(key) = keys.one(&fingerprint) {
                    trust.add(key, "the environment's file");
                }
            }
        }
        trust
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_none()
    }

    fn add(&mut self, keys: TrustedKeys, origin: &str) {
        if !self.origin.split(", ").any(|known| known == origin) {
            let separator = if self.origin.is_empty() { "" } else { ", " };
            self.origin = format!("{}{separator}{origin}", self.origin);
        }
        self.keys = Some(match self.keys.take() {
            Some(known) => known.and(keys),
            None => keys,
        });
    }

    fn against(&self, fingerprint: &str) -> String {
        format!("key {} of {}", short(fingerprint), self.origin)
    }

    /// Whether somebody who is trusted signed a package.
    pub(super) fn of_package(&self, package: &mut impl Read) -> Link {
        const LINK: &str = "signature";
        let Some(keys) = &self.keys else { return Self::untrusted(LINK) };
        match package_signer(package, keys) {
            Ok(signer) => Link::proven(LINK, "the package is signed", self.against(&signer.fingerprint)),
            Err(error) => Link::not_proven(LINK, with_causes(&error)),
        }
    }

    /// Whether somebody who is trusted signed a file, by a detached signature.
    pub(super) fn of_file(&self, link: &'static str, what: &str, signature: &[u8], file: &[u8]) -> Link {
        let Some(keys) = &self.keys else { return Self::untrusted(link) };
        match keys.verify_armored(signature, file) {
            Ok(signer) => Link::proven(link, format!("{what} is signed"), self.against(&signer.fingerprint)),
            Err(error @ VerifyError::Untrusted { .. }) => {
                Link::not_proven(link, format!("{what}: {error}: trusted are {}", keys.fingerprints().join(", ")))
            }
            Err(error) => Link::not_proven(link, format!("{what}: {}", with_causes(&error))),
        }
    }

    fn untrusted(link: &'static str) -> Link {
        Link::not_proven(link, "no key is trusted here: `--keys FILE` says whose signatures count")
    }
}

fn read(file: &Path) -> Result<TrustedKeys, Failure> {
    let text = fs_err::read_to_string(file).context("the trusted keys can't be read").map_err(Failure::input)?;
    text.parse().with_context(|| format!("`{}` holds no keys", file.display())).map_err(Failure::input)
}

/// The keys of each block that can be read: a key of old that nobody reads any more hides no other.
fn blocks(text: &str) -> Vec<TrustedKeys> {
    text.split(BEGIN).skip(1).filter_map(|block| format!("{BEGIN}{block}").parse().ok()).collect()
}
