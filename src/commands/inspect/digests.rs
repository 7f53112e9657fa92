//! Whether a file's bytes are those that its headers speak of.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use fs_err::File;
use rpm_header::PackageHeader;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What became of the comparison with the digests in the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Digests {
    pub(super) header: Option<Comparison>,
    pub(super) payload: Option<Comparison>,
}

/// One digest; none where the package has none of SHA-256, as before rpm 4.14, or the bytes are not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Comparison {
    Ok,
    Wrong,
}

impl Digests {
    /// Reads a file to its end and compares; nothing is compared of what is no regular file and can be read only once.
    pub(super) fn compare(path: &Path, header: &PackageHeader) -> io::Result<Self> {
        if !fs_err::metadata(path)?.is_file() {
            return Ok(Self::default());
        }
        let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
        file.seek(SeekFrom::Start(header.header_start))?;
        let length = header.header_end.saturating_sub(header.header_start);
        let compare = |said: Option<&String>, found: String| {
            said.map(|said| if said.eq_ignore_ascii_case(&found) { Comparison::Ok } else { Comparison::Wrong })
        };
        let found = digest(&mut file.by_ref().take(length))?;
        let payload = header.payload_sha256.as_ref();
        Ok(Self {
            header: compare(header.header_sha256.as_ref(), found),
            payload: payload.map(|_| digest(&mut file)).transpose()?.and_then(|found| compare(payload, found)),
        })
    }

    /// What is damaged, if anything is.
    pub(super) fn damage(self) -> Option<&'static str> {
        match (self.header, self.payload) {
            (Some(Comparison::Wrong), Some(Comparison::Wrong)) => Some("its header and its payload are"),
            (Some(Comparison::Wrong), _) => Some("its header is"),
            (_, Some(Comparison::Wrong)) => Some("its payload is"),
            _ => None,
        }
    }
}

fn digest(reader: &mut impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(reader, &mut digest)?;
    Ok(hex::encode(digest.finalize()))
}
