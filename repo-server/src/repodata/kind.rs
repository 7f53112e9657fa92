//! The kinds of metadata documents, and the names of their files.

use std::fmt;
use std::str::FromStr;

use ledger::Digest;
use serde::{Deserialize, Serialize};

use super::compression::Compression;

const COMMON: &str = "http://linux.duke.edu/metadata/common";
const RPM: &str = "http://linux.duke.edu/metadata/rpm";

/// The kinds of metadata documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataKind {
    /// What packages are, need and provide.
    Primary,
    /// All their files.
    Filelists,
    /// Their changelogs.
    Other,
    /// Advisories: what updates mend.
    Updateinfo,
    /// Groups of packages, also known as comps.
    Group,
    /// Module streams of EL 8 and 9.
    Modules,
}

/// The name of a document's file in `repodata/`: `SHA256-primary.xml.gz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MetadataFile {
    /// The sha256 of the file.
    pub digest: Digest,
    /// What it is.
    pub kind: MetadataKind,
    /// How it is compressed; comps are there without compression too.
    pub compression: Option<Compression>,
}

/// Says that a text is no name of a metadata file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a metadata file")]
pub struct ParseMetadataFileError(String);

impl MetadataKind {
    /// All kinds, in repomd.xml's order.
    pub const ALL: [Self; 6] =
        [Self::Primary, Self::Filelists, Self::Other, Self::Updateinfo, Self::Group, Self::Modules];

    /// The kinds that describe packages, which every channel shows.
    pub const OF_PACKAGES: [Self; 3] = [Self::Primary, Self::Filelists, Self::Other];

    /// The kind's name in repomd.xml.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Filelists => "filelists",
            Self::Other => "other",
            Self::Updateinfo => "updateinfo",
            Self::Group => "group",
            Self::Modules => "modules",
        }
    }

    /// What its file is called after the digest, without the ending of a compression.
    fn stem(self) -> &'static str {
        match self {
            Self::Primary => "primary.xml",
            Self::Filelists => "filelists.xml",
            Self::Other => "other.xml",
            Self::Updateinfo => "updateinfo.xml",
            Self::Group => "comps.xml",
            Self::Modules => "modules.yaml",
        }
    }

    /// The beginning of a document that describes so many packages.
    pub(super) fn opening(self, packages: usize) -> String {
        let root = match self {
            Self::Primary => format!("<metadata xmlns=\"{COMMON}\" xmlns:rpm=\"{RPM}\""),
            Self::Filelists => "<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\"".to_owned(),
            Self::Other => "<otherdata xmlns=\"http://linux.duke.edu/metadata/other\"".to_owned(),
            Self::Updateinfo | Self::Group | Self::Modules => return String::new(),
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root} packages=\"{packages}\">\n")
    }

    /// The end of such a document.
    pub(super) fn closing(self) -> &'static str {
        match self {
            Self::Primary => "</metadata>",
            Self::Filelists => "</filelists>",
            Self::Other => "</otherdata>",
            Self::Updateinfo | Self::Group | Self::Modules => "",
        }
    }
}

impl fmt::Display for MetadataKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for MetadataKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

impl fmt::Display for MetadataFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.digest, self.kind.stem())?;
        match self.compression {
            Some(compression) => write!(formatter, ".{}", compression.extension()),
            None => Ok(()),
        }
    }
}

impl FromStr for MetadataFile {
    type Err = ParseMetadataFileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseMetadataFileError(text.to_owned());
        let (digest, name) = text.split_once('-').ok_or_else(wrong)?;
        let digest = digest.parse().map_err(|_| wrong())?;
        let find = |kind: &MetadataKind| Some((*kind, name.strip_prefix(kind.stem())?));
        let (kind, ending) = MetadataKind::ALL.iter().find_map(find).ok_or_else(wrong)?;
        let compression = match ending.strip_prefix('.') {
            None if ending.is_empty() => None,
            extension => Some(extension.and_then(Compression::of_extension).ok_or_else(wrong)?),
        };
        Ok(Self { digest, kind, compression })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_read_back() {
        for kind in MetadataKind::ALL {
            for compression in [None, Some(Compression::Gzip), Some(Compression::Zstd)] {
                let file = MetadataFile { digest: Digest::of(b""), kind, compression };
                assert_eq!(file.to_string().parse(), Ok(file));
            }
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let digest = Digest::of(b"");
        for bad in ["primary.xml.gz", &format!("{digest}-primary.xml.xz"), &format!("{digest}-primary.xmlgz"), "a-b"] {
            assert!(bad.parse::<MetadataFile>().is_err(), "{bad}");
        }
    }
}
