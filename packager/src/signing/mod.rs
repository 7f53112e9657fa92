//! Signatures: which part of an OpenPGP key makes them, from a file or from gpg.

mod certificate;
mod gpg;
mod key_file;
mod signing_error;
mod signing_key;

pub use certificate::{KeyAlgorithm, UnusablePart};
pub use signing_error::SigningKeyError;
pub use signing_key::SigningKey;

pub(crate) use signing_key::HeaderSignature;
