//! Signed agreement to a plan: who says that this very plan may be carried out on this environment, and until when.
//!
//! Signatures are those of `ssh-keygen -Y` (PROTOCOL.sshsig of OpenSSH), so that everybody who deploys has a key already,
//! agents and security keys work, and the list of those who may approve is a file that ssh-keygen(1) documents under
//! ALLOWED SIGNERS.

mod digest;
mod signers;
mod statement;

pub use digest::plan_digest;
pub use signers::{AllowedSigners, VerifyError};
pub use statement::{Approval, SignError, Statement};
