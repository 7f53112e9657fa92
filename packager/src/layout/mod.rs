//! Where everything goes: a pure function from a spec and its contents to the package's files, owners and scriptlets.

mod descriptor;
mod entry;
mod environment_choice;
mod layout_error;
mod package_layout;
mod placed;
mod plan;
mod scriptlet;
mod system;
mod together;
mod tomcat;

pub use entry::{Entry, EntryKind, Role, Source};
pub use layout_error::{DescriptorError, LayoutError};
pub use package_layout::{About, Dependencies, PackageLayout};
pub use scriptlet::{Scriptlet, ScriptletKind, Trigger, TriggerKind};

pub(crate) use placed::{Placed, Standing};
pub(crate) use plan::plan;
pub(crate) use together::check_together;
