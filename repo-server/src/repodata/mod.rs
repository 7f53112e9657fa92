//! Repodata: what yum clients read of a repository. Pure functions from headers to XML and from XML to documents.
//!
//! The XML of a package is rendered once, when it comes, and kept; documents are put together from those fragments.
//! The format is createrepo_c's, which is its only specification.

mod dependencies;
mod document;
mod fragments;
mod primary_path;
mod repomd;
mod xml;

pub use document::{Document, MetadataKind};
pub use fragments::{FileIdentity, Fragments, ParseFragmentsError};
pub use repomd::render_repomd;
