//! Reads a written package back before it gets its name: what is in the file must be what was meant.

use std::io::{self, Read};

use crc32fast::Hasher;
use fs_err::File;
use openpgp::{PrivateKey, PrivateKeyError};
use rpm_header::{PackageHeader, ReadHeaderError};

use crate::PackageLayout;

use super::Draft;

/// Says why a package that was written is not what was meant.
#[derive(Debug, thiserror::Error)]
pub enum ReadBackError {
    /// It could not be read.
    #[error("could not read the package back")]
    Read(#[source] io::Error),
    /// It did not reach the disk.
    #[error("could not write the package to the disk")]
    Sync(#[source] io::Error),
    /// Its headers are not those of an RPM.
    #[error("the package that was written has no readable header")]
    Header(#[source] ReadHeaderError),
    /// A part differs from what was written.
    #[error("the {0} read back differs from what was written; is the disk sound?")]
    Differs(&'static str),
    /// The signature does not hold.
    #[error("the signature read back does not verify")]
    Signature(#[source] PrivateKeyError),
}

const BUFFER_SIZE: usize = 256 * 1024;

/// Compares identity, files, header and length with what was meant, and gives the size of the whole file.
///
/// Where there is a key, the signature is verified with its public half, and the payload that it vouches for is read back
/// as well.
pub(crate) fn read_back(draft: &Draft, layout: &PackageLayout, key: Option<&PrivateKey>) -> Result<u64, ReadBackError> {
    let mut file = File::open(draft.file.path()).map_err(ReadBackError::Read)?;
    let mut head = Vec::new();
    file.by_ref().take(draft.payload_start).read_to_end(&mut head).map_err(ReadBackError::Read)?;
    let header = PackageHeader::read(&mut head.as_slice()).map_err(ReadBackError::Header)?;
    check_header(&header, &head, draft, layout)?;
    let length = draft.digests.compressed.length;
    let size = draft.payload_start + length;
    if file.metadata().map_err(ReadBackError::Read)?.len() != size {
        return Err(ReadBackError::Differs("length"));
    }
    if let Some(key) = key {
        let packet = header.signatures.first().ok_or(ReadBackError::Differs("signature"))?;
        key.verify(&draft.header, &packet.packet).map_err(ReadBackError::Signature)?;
        if check_rest(&mut file)? != (draft.digests.checksum, length) {
            return Err(ReadBackError::Differs("payload"));
        }
    }
    draft.file.reach_disk().map_err(ReadBackError::Sync)?;
    Ok(size)
}

fn check_header(
    header: &PackageHeader,
    head: &[u8],
    draft: &Draft,
    layout: &PackageLayout,
) -> Result<(), ReadBackError> {
    let start = head.len().saturating_sub(draft.header.len());
    if head[start..] != draft.header || header.header_start != start as u64 || header.header_end != draft.payload_start
    {
        return Err(ReadBackError::Differs("header"));
    }
    let read = header.files.iter().map(|file| (file.path.as_str(), file.size, file.digest.as_str()));
    let meant = layout.entries.iter().zip(&draft.digests.files);
    let meant = meant.map(|(entry, digest)| (entry.path.as_str(), entry.size(), digest.as_str()));
    if header.nevra != layout.about.nevra || !read.eq(meant) {
        return Err(ReadBackError::Differs("list of files"));
    }
    Ok(())
}

/// Gives the CRC-32 and the length of what is left of a file.
fn check_rest(file: &mut File) -> Result<(u32, u64), ReadBackError> {
    let mut checksum = Hasher::new();
    let mut length = 0;
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((checksum.finalize(), length)),
            Ok(count) => {
                checksum.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ReadBackError::Read(error)),
        }
    }
}
