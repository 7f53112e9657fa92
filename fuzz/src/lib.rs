//! What the fuzz targets share: mutations that know where a header's index is, and a strict reader of XML.

mod mutation;
mod well_formed;

pub use mutation::mutate;
pub use well_formed::assert_well_formed;
