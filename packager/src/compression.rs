//! How a payload is compressed.

use std::str::FromStr;

use crate::ValueError;

/// A payload's compressor and its level. WARs are compressed already, so that the fast levels are as small as the slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// zstd, level 1 to 22: rpm 4.14 (RHEL 8) and newer.
    Zstd(i32),
    /// gzip, level 1 to 9: any rpm.
    Gzip(u32),
    /// xz, level 0 to 9: any rpm since 4.6.
    Xz(u32),
    /// None.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(3)
    }
}

impl FromStr for Compression {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ValueError::Compression(text.to_owned());
        let (method, level) = match text.split_once(':') {
            Some((method, level)) => (method, Some(level.parse::<u8>().map_err(|_| refused())?)),
            None => (text, None),
        };
        match (method, level) {
            ("zstd", None) => Ok(Self::default()),
            ("zstd", Some(level @ 1..=22)) => Ok(Self::Zstd(level.into())),
            ("gzip", None) => Ok(Self::Gzip(1)),
            ("gzip", Some(level @ 1..=9)) => Ok(Self::Gzip(level.into())),
            ("xz", None) => Ok(Self::Xz(2)),
            ("xz", Some(level @ 0..=9)) => Ok(Self::Xz(level.into())),
            ("none", None) => Ok(Self::None),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        for (text, expected) in [
            ("zstd", Compression::Zstd(3)),
            ("zstd:19", Compression::Zstd(19)),
            ("gzip", Compression::Gzip(1)),
            ("gzip:9", Compression::Gzip(9)),
            ("xz:0", Compression::Xz(0)),
            ("none", Compression::None),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for bad in ["", "lzma", "gzip:0", "gzip:10", "zstd:23", "zstd:", "none:1", "zstd:-1"] {
            assert!(bad.parse::<Compression>().is_err(), "{bad}");
        }
    }
}
