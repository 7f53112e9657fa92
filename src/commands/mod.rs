//! The commands, one file each: arguments, the call into a library, what to print.

pub(crate) mod attach;
pub(crate) mod build;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod history;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod inspect;
pub(crate) mod lint;
pub(crate) mod log;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod publish;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod tag;
pub(crate) mod token;
pub(crate) mod withdraw;
