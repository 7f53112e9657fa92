//! Why a folder could not be indexed.

use std::io;
use std::path::PathBuf;

use openpgp::PrivateKeyError;
use rpm_header::ReadHeaderError;

/// Says why a folder was not indexed. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The folder can't be read or written; the cause names the file.
    #[error("`{folder}` can't be indexed")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another run is at work in the folder.
    #[error("`{0}` is being indexed by another run")]
    Busy(PathBuf),
    /// A file with advisories, groups or modules can't be used.
    #[error("`{path}` can't be used as {what}")]
    Attachment {
        /// The file.
        path: PathBuf,
        /// `updateinfo`, `group` or `modules`.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// repomd.xml can't be signed.
    #[error("repomd.xml can't be signed")]
    Sign(#[from] PrivateKeyError),
    /// A worker thread was lost.
    #[error("a worker stopped for no reason that is known")]
    Worker,
}

/// Says why one file is left out, which costs the others nothing.
#[derive(Debug, thiserror::Error)]
pub enum UnusableFile {
    /// It can't be read.
    #[error("it can't be read")]
    Read(#[from] io::Error),
    /// It is no RPM that can be read.
    #[error(transparent)]
    Header(#[from] ReadHeaderError),
    /// It was written to all the while.
    #[error("it changes while it is read")]
    Changing,
    /// Its name can't be written in XML.
    #[error("its name is not UTF-8")]
    Name,
}
