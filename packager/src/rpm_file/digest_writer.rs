//! A writer that knows the digest and the length of what went through it.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// Passes everything on, counting and digesting.
pub(super) struct DigestWriter<W> {
    inner: W,
    digest: Sha256,
    length: u64,
}

/// Digest and length of what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// sha256, 64 hexadecimal digits.
    pub(super) sha256: String,
    /// Bytes.
    pub(super) length: u64,
}

impl<W: Write> DigestWriter<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, digest: Sha256::new(), length: 0 }
    }

    pub(super) fn finish(self) -> (W, Written) {
        (self.inner, Written { sha256: hex::encode(self.digest.finalize()), length: self.length })
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
