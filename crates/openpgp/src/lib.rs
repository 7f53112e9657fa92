//! OpenPGP as rpm and yum use it: keys that sign, from a file or held by gpg, and certificates that verify.

mod certificate;
mod gpg;
mod key_file;
mod private_key;
mod private_key_error;
mod trusted_keys;

pub use certificate::{KeyAlgorithm, UnusablePart};
pub use private_key::{PrivateKey, generate};
pub use private_key_error::PrivateKeyError;
pub use trusted_keys::{ParseKeysError, Signer, TrustedKeys, VerifyError};
