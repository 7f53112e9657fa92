//! Versions and releases: found where they are said, shown with their source, mapped so that rpm's order is the order of
//! the releases, and held against what a repository lists already.

mod checkout;
mod ci;
pub(crate) mod gradle;
mod mapping;
mod order;
mod pom;
mod release;
mod repository;
mod source;
mod surroundings;
mod version_error;
mod war;

pub use checkout::Checkout;
pub use ci::CiBuild;
pub use mapping::MappedVersion;
pub use order::{OrderError, not_below};
pub use repository::{ListedPackage, Primary, RepositoryError, listed};
pub use source::{FoundVersion, VersionSource};
pub use surroundings::Surroundings;
pub use version_error::VersionError;
