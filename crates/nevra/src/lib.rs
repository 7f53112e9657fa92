//! Package identities: name, epoch, version, release and architecture, parsed, ordered and printed as rpm does.
//!
//! Pure values, no I/O. There is one order of versions in the project and it is here: [`Evr`]'s `Ord`, which is
//! rpm's `rpmvercmp` (rpm 4.18, `rpmio/rpmvercmp.c`) applied to epoch, version and release in turn.

mod evr;
mod name;
mod nevra;
mod rpmvercmp;

pub use evr::{Evr, ParseEvrError};
pub use name::{Arch, Name, ParseNameError};
pub use nevra::{Nevra, PackageQuery, ParseNevraError};
pub use rpmvercmp::rpmvercmp;
