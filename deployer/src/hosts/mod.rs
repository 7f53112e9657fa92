//! The standard set-up of hosts: what it is made of, what of it a host lacks, bringing it about, and the same for images.

mod images;
mod item;
mod prepare;

pub use self::images::{cloud_init, kickstart};
pub use self::item::{Item, items};
pub use self::prepare::{ItemState, bring, inspect};
