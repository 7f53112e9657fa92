//! The repository server: channels of packages in a ledger, their repodata, and the HTTP face for yum clients and the
//! API.
//!
//! A publish walks from an uploaded blob through [`Repository::publish`] to one commit of the ledger; a client's request
//! is answered from one immutable [`RepositoryState`].

mod access;
mod admission;
mod clients;
mod door;
mod engine;
mod environments;
mod error;
mod fsck;
mod http;
mod index;
mod pages;
mod payload;
mod policy;
mod repodata;
mod resolve;
mod signing;
mod state;

pub use self::http::{
    BindError, Limits, Network, ParseNetworkError, Server, ServerSettings, TlsError, TlsFiles, serve,
};
pub use access::{Access, Reading, TokenBook, TokenBookError, TokenError, TokenRecord};
pub use admission::Upload;
pub use engine::{AttachmentRequest, CollectionReport, CollectionRun, Outcome, Repository};
pub use environments::EnvironmentError;
pub use error::RepositoryError;
pub use fsck::{Finding, FsckReport, Mending, fsck};
pub use index::{IndexError, IndexOptions, IndexReport, UnusableFile, index, install_repodata};
pub use payload::{PackagedFile, PayloadError, packaged_files};
pub use policy::{PolicyError, Verdict};
pub use repodata::{
    Advisory, AdvisoryError, AssembledDocument, Compression, Document, DocumentBuilder, DocumentRecord, FileIdentity,
    Fragments, ListedFile, Member, MetadataFile, MetadataKind, PackedMember, PackedPage, PageMembers,
    ParseCompressionError, ParseFragmentsError, ParseMetadataFileError, ParseRepomdError, PlannedPage, RepomdEntry,
    listed_files, parse_repomd, plan_pages, render_repomd, repomd_xml, unpacked, updateinfo_xml,
};
pub use signing::{
    KeyDirectory, KeyDirectoryError, KeyRing, KeySource, PackageSignatureError, SigningKeys, Standing, package_signer,
};
pub use state::{
    Action, AttachmentChange, Attachments, Change, Channel, ChannelView, Collection, Entry, FoldError, Hold, Keyed,
    Listing, MetadataRecord, PackageFile, PackageRecord, Page, PageStep, Presence, RepositoryState, Shown, SortedMap,
    Span, Tag, View,
};
