//! Signatures: the keys that sign repomd.xml, and the signatures of packages, checked or made at the door.

mod door;
mod header_index;
mod key_directory;
mod key_ring;
mod package_signature;

pub(crate) use door::signed_prefix;
pub use key_directory::{KeyDirectory, KeyDirectoryError};
pub use key_ring::{KeyRing, KeySource, SigningKeys, Standing};
pub(crate) use package_signature::{PackageHead, check_payload, verify_package};
pub use package_signature::{PackageSignatureError, package_signer};
