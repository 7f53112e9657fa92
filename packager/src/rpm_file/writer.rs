//! Writes a package to a file without a name, in the directory of its destination.

use std::fs::{File, Permissions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use openpgp::{PrivateKey, PrivateKeyError};

use crate::signing::{self, HeaderSignature, UnverifiableSignature};
use crate::{PackageLayout, Target};

use super::archive::KnownContents;
use super::payload::PayloadDigests;
use super::signature_header::{self, Contents};
use super::unfit::{self, UnfitLayout};
use super::unnamed::UnnamedFile;
use super::{header, lead, tag};

/// A package that is written, but not yet under its name.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) file: UnnamedFile,
    pub(super) header: Vec<u8>,
    /// First byte of the payload.
    pub(super) payload_start: u64,
    pub(super) digests: PayloadDigests,
}

impl Draft {
    /// Where it is until it has its name.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the file its name: all of it is there then.
    pub(crate) fn keep(self, path: &Path) -> Result<(), WriteError> {
        self.file.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(WriteError::Output)?;
        self.file.persist(path).map_err(WriteError::Output)
    }
}

/// Says why a package could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The layout cannot become a package.
    #[error(transparent)]
    Unfit(#[from] UnfitLayout),
    /// The output directory cannot be written.
    #[error("could not write to the directory `{}`", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The package could not be written.
    #[error("could not write the package")]
    Output(#[source] io::Error),
    /// A file could not be read.
    #[error("could not read a file of the package")]
    Read(#[source] io::Error),
    /// A file changed while it was read.
    #[error("`{}` changed while it was read: it was {size} bytes long", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size before, in bytes.
        size: u64,
    },
    /// A file is not what it was when the package was planned.
    #[error("`{}` changed while the package was built: what the package says of it would not be true", .0.display())]
    ChangedSince(PathBuf),
    /// A thread could not be started.
    #[error("could not start a thread")]
    Thread(#[source] io::Error),
    /// The target's rpm could not verify the signature.
    #[error("could not sign the package")]
    Unverifiable(#[source] UnverifiableSignature),
    /// The package could not be signed.
    #[error("could not sign the package")]
    Sign(#[source] PrivateKeyError),
    /// The signature is larger than the room that is left for it.
    #[error("the signature is longer than {} bytes", signature_header::LENGTH)]
    SignatureTooLong,
}

/// rpm's limit for a header's data (`lib/header.c`).
const HEADER_MAX: usize = 64 * 1024 * 1024;

const BUFFER_SIZE: usize = 256 * 1024;

/// Writes a package into a temporary file of `directory`, signed where there is a key.
pub(crate) fn write(
    layout: &PackageLayout,
    known: &KnownContents<'_>,
    directory: &Path,
    key: Option<&PrivateKey>,
) -> Result<Draft, WriteError> {
    unfit::check(layout)?;
    let mut header = header::build(layout);
    let header_length = header.length();
    if header_length > HEADER_MAX {
        return Err(UnfitLayout::Header(header_length).into());
    }
    key.map_or(Ok(()), |key| signing::check_target(key, layout.target)).map_err(WriteError::Unverifiable)?;

    let unnamed = create(directory)?;
    let mut file = unnamed.as_file();
    let payload_start = (lead::LENGTH + signature_header::LENGTH + header_length) as u64;
    file.seek(SeekFrom::Start(payload_start)).map_err(WriteError::Output)?;
    let digests = PayloadDigests::write(layout, known, file)?;

    header::put_digests(&mut header, &digests);
    let header = header.encode(tag::HEADERIMMUTABLE);
    let signature = key.map(|key| HeaderSignature::make(&header, layout.source_date, key)).transpose();
    let signature = signature.map_err(WriteError::Sign)?;
    let contents = Contents {
        header: &header,
        size: header.len() as u64 + digests.compressed.length,
        archive_size: digests.archive_length,
        md5: legacy_digest(layout.target, &header, file, payload_start).map_err(WriteError::Output)?,
        signature,
    };
    let signature_header = contents.encode().ok_or(WriteError::SignatureTooLong)?;
    let head = [&lead::encode(&layout.about.nevra)[..], &signature_header, &header].concat();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&head)).map_err(WriteError::Output)?;
    Ok(Draft { file: unnamed, header, payload_start, digests })
}

/// Creates the directory, and in it a file that goes away again unless it is kept.
fn create(directory: &Path) -> Result<UnnamedFile, WriteError> {
    let refused = |source| WriteError::Directory { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(refused)?;
    UnnamedFile::create(directory).map_err(refused)
}

/// MD5 of header and payload: the only digest of the payload that rpm before 4.14 knows.
fn legacy_digest(target: Target, header: &[u8], mut file: &File, payload_start: u64) -> io::Result<Option<[u8; 16]>> {
    if target > Target::El7 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(payload_start))?;
    let mut digest = Md5::new_with_prefix(header);
    io::copy(&mut BufReader::with_capacity(BUFFER_SIZE, file), &mut digest)?;
    Ok(Some(digest.finalize().into()))
}
