//! Repodata: what yum clients read of a repository. Pure functions from headers to XML and from XML to documents.
//!
//! The XML of a package is rendered once, when it comes, and kept; documents are put together from those fragments.
//! The format is createrepo_c's, which is its only specification.

mod assembly;
mod attachment;
mod compression;
mod dependencies;
mod document;
mod fragments;
mod kind;
mod member;
mod page;
mod parse_fragments;
mod parse_primary;
mod parse_repomd;
mod primary_path;
mod repomd;
mod updateinfo;
mod xml;

pub use assembly::{AssembledDocument, DocumentBuilder, DocumentRecord};
pub(crate) use attachment::attachment_text;
pub use compression::unpacked;
pub use compression::{Compression, ParseCompressionError};
pub use document::Document;
pub(crate) use fragments::PageText;
pub use fragments::{FileIdentity, Fragments, ParseFragmentsError};
pub use kind::{MetadataFile, MetadataKind, ParseMetadataFileError};
pub use member::{Member, PackedMember};
pub use page::{PackedPage, PageMembers, PlannedPage, plan_pages};
pub(crate) use parse_fragments::Searchable;
pub use parse_primary::{ListedFile, listed_files};
pub use parse_repomd::{ParseRepomdError, RepomdEntry, parse_repomd};
pub use repomd::{render_repomd, repomd_xml};
pub(crate) use updateinfo::named_packages;
pub use updateinfo::{Advisory, AdvisoryError, updateinfo_xml};
