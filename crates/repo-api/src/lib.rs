//! The repository server's HTTP API: its wire types, which client and server share, and its client.
//!
//! Pure values except for [`Client`]. Requests refuse fields that they don't know, answers let them pass, so that a
//! client may talk to a newer server.

mod administration;
mod administration_client;
mod attachment;
mod channel_name;
mod channel_settings;
mod client;
mod download;
mod environment;
mod environment_client;
mod file_digest;
mod jars;
mod local_package;
mod messages;
mod notes;
mod problem;
mod server_ledger;
mod snapshot;
mod token;

pub use administration::{
    Changed, ChannelInfo, ChannelRequest, Difference, HeldPackage, HoldInfo, HoldList, HoldRequest, Log, LogEntry,
    LogQuery, PackageDifference, ReasonRequest, RetainRequest, Retained, TagInfo, TagList, TagRequest, VersionStep,
};
pub use attachment::{AttachRequest, Attached, AttachmentKind, StagedAttachment};
pub use channel_name::{ChannelName, ParseChannelNameError};
pub use channel_settings::{ChannelSettings, ChannelSettingsError, MetadataCompression, Retention, SignaturePolicy};
pub use client::{Client, ClientError};
pub use environment::{
    ApprovalRule, Committed, DeploymentInfo, DeploymentList, DeploymentSummary, EnvironmentInfo, EnvironmentList,
    EnvironmentRequest, EnvironmentSettings, EnvironmentSummary, Freeze, HostInfo, HostOutcome, PackageMove, SeenHost,
    Sighting, SightingRequest, StepInfo,
};
pub use file_digest::{FileDigest, ParseFileDigestError};
pub use jars::{FoundJar, JarCarrier, JarHost, JarList, JarQuery};
pub use local_package::{LocalPackage, LocalPackageError};
pub use messages::{
    ChannelList, ChannelSummary, ListedPackage, PackageList, PromoteRequest, Promoted, PublishRequest, Published,
    PublishedPackage, StagedPackage, Uploaded, WithdrawRequest, Withdrawn,
};
pub use notes::{NotesList, VersionNotes};
pub use problem::{Problem, ProblemKind};
pub use server_ledger::ServerLedger;
pub use snapshot::{Moment, ParseSnapshotError, ParseTagNameError, Snapshot, TagName};
pub use token::{
    Me, NewToken, ParseScopeError, ParseTokenNameError, Permission, Scope, TokenInfo, TokenList, TokenName,
    TokenRequest,
};
