//! Where everything goes: a pure function from a spec and its contents to the package's files, owners and scriptlets.

mod descriptor;
mod entry;
mod package_layout;
mod plan;
mod scriptlet;

pub use entry::{Entry, EntryKind, Role, Source};
pub use package_layout::{About, Dependencies, PackageLayout};
pub use plan::LayoutError;
pub use scriptlet::{Scriptlet, ScriptletKind, Trigger, TriggerKind};

pub(crate) use plan::plan;
