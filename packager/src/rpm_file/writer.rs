//! Writes a package to a temporary file beside its destination.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rpm::{Header, IndexTag, Lead, PackageMetadata};
use tempfile::NamedTempFile;

use crate::{PackageLayout, SigningKey, SigningKeyError};

use super::header;
use super::payload::PayloadDigests;
use super::signature_header::{self, Contents};

/// A package that is written, but not yet under its name.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) file: NamedTempFile,
    pub(super) header: Vec<u8>,
    /// First byte of the payload.
    pub(super) payload_start: u64,
    pub(super) digests: PayloadDigests,
}

impl Draft {
    /// Gives the file its name, durably.
    pub(crate) fn keep(self, path: &Path) -> Result<(), WriteError> {
        let mode = std::fs::Permissions::from_mode(0o644);
        self.file.as_file().set_permissions(mode).map_err(WriteError::Output)?;
        self.file.persist(path).map_err(|error| WriteError::Output(error.error))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(WriteError::Output)
    }
}

/// Says why a package could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
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
    /// A file changed its size while it was read.
    #[error("`{}` changed while it was read: it was {size} bytes long", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size before, in bytes.
        size: u64,
    },
    /// The package grew beyond what its format allows.
    #[error("the package is {0} bytes long; allowed are 4294967295")]
    TooLarge(u64),
    /// The header could not be encoded.
    #[error("could not encode the header")]
    Header(#[source] rpm::Error),
    /// The package could not be signed.
    #[error("could not sign the package")]
    Sign(#[source] SigningKeyError),
    /// The signature is larger than the room that is left for it.
    #[error("the signature is longer than {} bytes", signature_header::LENGTH)]
    SignatureTooLong,
}

/// Bytes of the lead (rpm's `docs/manual/format_lead.md`).
const LEAD_LENGTH: usize = 96;

const BUFFER_SIZE: usize = 128 * 1024;

/// Writes a package into a temporary file of `directory`, signed where there is a key.
pub(crate) fn write(layout: &PackageLayout, directory: &Path, key: Option<&SigningKey>) -> Result<Draft, WriteError> {
    let mut file = create(directory)?;
    let gap = encode(layout, header::build(layout, &PayloadDigests::unknown(layout)))?.header_bytes();
    let header_length = gap.map_err(WriteError::Header)?.len();
    let payload_start = (LEAD_LENGTH + signature_header::LENGTH + header_length) as u64;
    file.seek(SeekFrom::Start(payload_start)).map_err(WriteError::Output)?;
    let digests = PayloadDigests::write(layout, BufWriter::with_capacity(BUFFER_SIZE, &mut file))?;

    let mut metadata = encode(layout, header::build(layout, &digests))?;
    let header = metadata.header_bytes().map_err(WriteError::Header)?;
    let contents = Contents {
        header: &header,
        size: narrow(header.len() as u64 + digests.compressed.length)?,
        archive_size: narrow(digests.archive.length)?,
        signature: key.map(|key| key.sign(&header, layout.source_date)).transpose().map_err(WriteError::Sign)?,
    };
    metadata.signature = contents.build().ok_or(WriteError::SignatureTooLong)?;
    let mut head = Vec::new();
    metadata.write(&mut head).map_err(WriteError::Header)?;
    debug_assert_eq!(head.len() as u64, payload_start);
    file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&head)).map_err(WriteError::Output)?;
    file.as_file().sync_all().map_err(WriteError::Output)?;
    Ok(Draft { file, header, payload_start, digests })
}

/// Creates the directory, and in it a file that goes away again unless it is kept.
fn create(directory: &Path) -> Result<NamedTempFile, WriteError> {
    let refused = |source| WriteError::Directory { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(refused)?;
    tempfile::Builder::new().prefix(".pkg-").suffix(".part").tempfile_in(directory).map_err(refused)
}

/// Puts a header between an empty signature header and nothing, which is what the `rpm` crate can encode.
fn encode(layout: &PackageLayout, header: Header<IndexTag>) -> Result<PackageMetadata, WriteError> {
    let signature = rpm::SignatureHeaderBuilder::new().build().map_err(WriteError::Header)?;
    let (name, evr) = (&layout.about.nevra.name, &layout.about.nevra.evr);
    let lead = Lead::new(&format!("{name}-{}-{}", evr.version(), evr.release()));
    Ok(PackageMetadata { lead, signature, header })
}

fn narrow(length: u64) -> Result<u32, WriteError> {
    u32::try_from(length).map_err(|_| WriteError::TooLarge(length))
}
