//! The repository server: channels of packages in a ledger, their repodata, and the HTTP face for yum clients and the
//! API.
//!
//! A publish walks from an uploaded blob through [`Repository::publish`] to one commit of the ledger; a client's request
//! is answered from one immutable [`RepositoryState`].

mod admission;
mod blob_cache;
mod change;
mod channel;
mod error;
mod http;
mod repodata;
mod repository;
mod resolve;
mod signing_key;
mod state;

pub use admission::Upload;
pub use change::{Action, Change, ChannelView, PackageRecord};
pub use channel::{Channel, Listing, View};
pub use error::RepositoryError;
pub use http::{Access, Server, TokenError, serve};
pub use repodata::{
    AssembledDocument, Compression, Document, DocumentBuilder, DocumentRecord, FileIdentity, Fragments, Member,
    MetadataFile, MetadataKind, PackedMember, PackedPage, PageMembers, ParseCompressionError, ParseFragmentsError,
    ParseMetadataFileError, PlannedPage, plan_pages, render_repomd, repomd_xml,
};
pub use repository::{Outcome, Repository};
pub use signing_key::{SigningKey, SigningKeyError};
pub use state::{FoldError, MetadataRecord, RepositoryState};
