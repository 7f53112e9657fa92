//! How metadata is compressed: in members that can be put one after another.
//!
//! Several gzip members, and several zstd frames, make one file that every client of their kind reads whole (RFC 1952,
//! section 2.2; RFC 8878, section 3.1).

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use libdeflater::{CompressionLvl, Compressor};
use serde::{Deserialize, Serialize};

/// What libdeflate does with about the effort of zlib's level 3 and the result of its level 6.
const GZIP_LEVEL: i32 = 4;
const ZSTD_LEVEL: i32 = 3;
/// The most that a file which somebody gives may hold, unpacked, bytes.
const UNPACKED_LIMIT: u64 = 512 << 20;

/// How a channel's metadata is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// gzip, which every client reads.
    #[default]
    Gzip,
    /// zstd, which yum 3 does not read: smaller and faster.
    Zstd,
}

/// Says that a text names no compression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no compression of metadata: allowed are `gzip` and `zstd`")]
pub struct ParseCompressionError(String);

impl Compression {
    /// The ending of a file that is compressed so, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// The compression of an ending.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        [Self::Gzip, Self::Zstd].into_iter().find(|compression| compression.extension() == extension)
    }

    /// Compresses parts, one after another, to one member. The same parts always give the same bytes.
    pub(crate) fn pack<'a>(self, parts: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => match parts.into_iter().collect::<Vec<_>>().as_slice() {
                [whole] => gzip_member(whole),
                parts => gzip_member(&parts.concat()),
            },
            Self::Zstd => write_all(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?, parts)?.finish(),
        }
    }

    /// Reads what a row of members holds.
    pub(crate) fn unpack<'a>(self, packed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(packed)?),
        })
    }
}

/// Unpacks a file of metadata, told by how it begins: gzip, zstd, xz, or nothing of the kind.
///
/// # Errors
/// For what is damaged, compressed with bzip2, or larger than 512 MiB.
pub fn unpacked(file: &[u8]) -> io::Result<Vec<u8>> {
    let reader: Box<dyn Read + '_> = match file {
        [0x1f, 0x8b, ..] => Compression::Gzip.unpack(file)?,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd.unpack(file)?,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(liblzma::read::XzDecoder::new_multi_decoder(file)),
        [b'B', b'Z', b'h', ..] => return Err(io::Error::other("bzip2 is not read: allowed are gzip, zstd and xz")),
        _ => Box::new(file),
    };
    let mut text = Vec::new();
    reader.take(UNPACKED_LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > UNPACKED_LIMIT {
        return Err(io::Error::other(format!("it holds more than the {UNPACKED_LIMIT} bytes that are allowed")));
    }
    Ok(text)
}

fn gzip_member(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = CompressionLvl::new(GZIP_LEVEL).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut compressor = Compressor::new(level);
    let mut member = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let size = compressor.gzip_compress(bytes, &mut member).map_err(io::Error::other)?;
    member.truncate(size);
    member.shrink_to_fit();
    Ok(member)
}

fn write_all<'a, W: Write>(mut writer: W, parts: impl IntoIterator<Item = &'a [u8]>) -> io::Result<W> {
    for part in parts {
        writer.write_all(part)?;
    }
    Ok(writer)
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

impl FromStr for Compression {
    type Err = ParseCompressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "gzip" | "gz" => Ok(Self::Gzip),
            "zstd" | "zst" => Ok(Self::Zstd),
            _ => Err(ParseCompressionError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_one_after_another() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let members = [&b"one "[..], b"", b"two"].map(|part| compression.pack([part]).unwrap());
            assert_eq!(members[0], compression.pack([&b"on"[..], b"e "]).unwrap());
            let file = members.concat();
            let mut text = String::new();
            compression.unpack(file.as_slice()).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "one two");
            assert_eq!(compression.to_string().parse(), Ok(compression));
            assert_eq!(Compression::of_extension(compression.extension()), Some(compression));
        }
        assert!("xz".parse::<Compression>().is_err());
    }
}
