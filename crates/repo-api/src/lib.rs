//! The repository server's HTTP API: its wire types, which client and server share, and its client.
//!
//! Pure values except for [`Client`]. Requests refuse fields that they don't know, answers let them pass, so that a
//! client may talk to a newer server.

mod channel_name;
mod client;
mod file_digest;
mod local_package;
mod messages;
mod problem;

pub use channel_name::{ChannelName, ParseChannelNameError};
pub use client::{Client, ClientError};
pub use file_digest::{FileDigest, ParseFileDigestError};
pub use local_package::{LocalPackage, LocalPackageError};
pub use messages::{
    ChannelList, ChannelSummary, ListedPackage, PackageList, PromoteRequest, Promoted, PublishRequest, Published,
    PublishedPackage, StagedPackage, WithdrawRequest, Withdrawn,
};
pub use problem::{Problem, ProblemKind};
