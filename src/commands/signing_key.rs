//! The key that signs packages and repositories: from a file, or held by gpg.

use std::path::Path;

use anyhow::{Context, anyhow};
use openpgp::PrivateKey;

use crate::exit::Failure;

/// Holds the passphrase of a key's file, where no file with it is named.
const PASSPHRASE: &str = "PKG_SIGN_PASSPHRASE";

/// Loads the key of a file, whose passphrase is the first line of another file or in `PKG_SIGN_PASSPHRASE`; or asks gpg
/// for it (`gpg:NAME`).
pub(crate) fn load_signing_key(key: &str, passphrase_file: Option<&Path>) -> Result<PrivateKey, Failure> {
    if let Some(name) = key.strip_prefix("gpg:") {
        return PrivateKey::of_gpg(name, None).map_err(Failure::input);
    }
    let passphrase = match passphrase_file {
        None => std::env::var(PASSPHRASE).ok(),
        Some(path) => {
            let text = fs_err::read_to_string(path).context("the passphrase can't be read").map_err(Failure::input)?;
            let line = text.lines().next().filter(|line| !line.is_empty());
            let line = line.ok_or_else(|| anyhow!("`{}` holds no passphrase in its first line", path.display()));
            Some(line.map_err(Failure::input)?.to_owned())
        }
    };
    PrivateKey::load(Path::new(key), passphrase.as_deref()).map_err(Failure::input)
}
