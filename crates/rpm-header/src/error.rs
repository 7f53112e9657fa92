//! Why the headers of a file could not be read.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A part of an `.rpm` file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The 96 bytes at the beginning.
    Lead,
    /// The first header: signatures and digests.
    SignatureHeader,
    /// The second header: what the package is.
    MainHeader,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Lead => "lead",
            Self::SignatureHeader => "signature header",
            Self::MainHeader => "main header",
        })
    }
}

/// Says why a file is no RPM that can be read. Offsets are bytes from the beginning of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadHeaderError {
    /// The file could not be opened.
    #[error("could not open `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("could not read on at byte {offset}, in the {part}")]
    Io {
        /// The part that was being read.
        part: Part,
        /// The bytes that were read before.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// The file ends too early.
    #[error("the file ends at byte {offset}, within the {part}")]
    Truncated {
        /// The part that is not complete.
        part: Part,
        /// The file's size.
        offset: u64,
    },
    /// The file is something else.
    #[error("not an RPM: it begins with `{found}`, an RPM with `edabeedb`")]
    NotRpm {
        /// The first four bytes, hexadecimal.
        found: String,
    },
    /// The lead names a form of signature that rpm gave up in 1996.
    #[error("signature type `{found}` in the lead at byte 78 can't be read; only type `5` (a header) can")]
    SignatureType {
        /// The type.
        found: u16,
    },
    /// A header does not begin as headers do.
    #[error("the {part} at byte {offset} begins with `{found}`, a header with `8eade801`")]
    HeaderMagic {
        /// The header.
        part: Part,
        /// Where it begins.
        offset: u64,
        /// Its first four bytes, hexadecimal.
        found: String,
    },
    /// A header claims more tags or more data than rpm accepts, or no tags at all.
    #[error(
        "the {part} at byte {offset} claims {tags} tags and {bytes} bytes of data; \
         allowed are 1 to {max_tags} tags and {max_bytes} bytes"
    )]
    HeaderSize {
        /// The header.
        part: Part,
        /// Where it begins.
        offset: u64,
        /// The tags it claims.
        tags: u32,
        /// The bytes of data it claims.
        bytes: u32,
        /// The most tags allowed.
        max_tags: u32,
        /// The most bytes of data allowed.
        max_bytes: u32,
    },
    /// The values of a tag don't lie within the header's data.
    #[error("tag `{tag}` (byte {offset}, in the {part}) has values that are not within the header's data")]
    EntryRange {
        /// The header.
        part: Part,
        /// The tag's number.
        tag: u32,
        /// Where its index entry is.
        offset: u64,
    },
    /// Tags share data, which no builder does.
    #[error("tag `{tag}` (byte {offset}, in the {part}) shares its values with another tag")]
    EntryOverlap {
        /// The header.
        part: Part,
        /// The tag's number.
        tag: u32,
        /// Where its index entry is.
        offset: u64,
    },
    /// The immutable region, what signatures cover, is not the whole header.
    #[error("the {part} at byte {offset} has an immutable region that is not the whole header")]
    Region {
        /// The header.
        part: Part,
        /// Where it begins.
        offset: u64,
    },
    /// A tag that every package has is missing.
    #[error("the main header has no `{tag}`")]
    MissingTag {
        /// The tag's name.
        tag: &'static str,
    },
    /// A tag's values are of another type than they have to be.
    #[error("tag `{tag}` holds {found}, it has to hold {allowed}")]
    TagType {
        /// The tag's name.
        tag: &'static str,
        /// What it holds.
        found: &'static str,
        /// What it has to hold.
        allowed: &'static str,
    },
    /// Tags that belong together differ in how many values they have.
    #[error("tag `{tag}` has {found} values, it has to have {expected}, one for each of `{of}`")]
    TagCount {
        /// The tag's name.
        tag: &'static str,
        /// How many values it has.
        found: usize,
        /// How many it has to have.
        expected: usize,
        /// The tag it belongs to.
        of: &'static str,
    },
    /// A tag has too many values.
    #[error("tag `{tag}` has {found} values; allowed are {max}")]
    TooManyValues {
        /// The tag's name.
        tag: &'static str,
        /// How many values it has.
        found: usize,
        /// The most allowed.
        max: usize,
    },
    /// A file names a directory that is not in the list of directories.
    #[error("file {file} is in directory {index} of `DIRNAMES`, which has {directories}")]
    DirectoryIndex {
        /// The file's number, from 0.
        file: usize,
        /// The directory's number, from 0.
        index: u64,
        /// How many directories there are.
        directories: usize,
    },
    /// A trigger names a script that is not in the list of scripts.
    #[error("`{tag}` names script {index}, and there are {scripts}")]
    TriggerIndex {
        /// The tag's name.
        tag: &'static str,
        /// The script's number, from 0.
        index: u64,
        /// How many scripts there are.
        scripts: usize,
    },
    /// The paths of all files together are too long.
    #[error("the paths of the files are more than {max} bytes together")]
    PathsTooLong {
        /// The most bytes allowed.
        max: usize,
    },
    /// A signature in the signature header is not base64.
    #[error("signature {index} of `OPENPGP` is not base64")]
    SignatureEncoding {
        /// The signature's number, from 0.
        index: usize,
        /// Why.
        source: base64::DecodeError,
    },
}
