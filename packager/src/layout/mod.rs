//! Where everything goes: a pure function from a spec and its contents to the package's files, owners and scriptlets.

mod descriptor;
mod entry;
mod plan;
mod scriptlet;

pub use entry::{Entry, EntryKind, Source};
pub use plan::{LayoutError, PackageLayout};
pub use scriptlet::Scriptlet;

pub(crate) use plan::plan;
