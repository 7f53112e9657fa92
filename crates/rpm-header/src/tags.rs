//! Typed access to a header's values by tag. Names and numbers are rpm's (`include/rpm/rpmtag.h`).

use crate::error::ReadHeaderError;
use crate::section::{Kind, Section, Values};

/// The most values of one tag: files, of which no package has a tenth as many. Short values take far more memory than
/// bytes, and a header of 64 MiB has room for very many.
const MAX_VALUES: usize = 1 << 20;
/// The most values of a tag of which there is a thousandth as many as files: dependencies, changelog entries, triggers.
const MAX_FEW: usize = 1 << 17;

/// A tag: its number and rpm's name for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag {
    number: u32,
    /// For error messages.
    pub(crate) name: &'static str,
}

macro_rules! tags {
    ($($name:ident = $number:literal,)*) => {
        impl Tag {
            $(pub(crate) const $name: Self = Self { number: $number, name: stringify!($name) };)*
        }
    };
}

// The signature header.
tags! {
    DSAHEADER = 267,
    RSAHEADER = 268,
    SHA256HEADER = 273,
    OPENPGP = 278,
    SIGPGP = 1002,
    SIGGPG = 1005,
    SIGPGP5 = 1006,
    SIGPAYLOADSIZE = 1007,
}

// Both headers.
tags! {
    LONGARCHIVESIZE = 271,
}

// The main header.
tags! {
    HEADERIMMUTABLE = 63,
    NAME = 1000,
    VERSION = 1001,
    RELEASE = 1002,
    EPOCH = 1003,
    SUMMARY = 1004,
    DESCRIPTION = 1005,
    BUILDTIME = 1006,
    BUILDHOST = 1007,
    SIZE = 1009,
    DISTRIBUTION = 1010,
    VENDOR = 1011,
    LICENSE = 1014,
    PACKAGER = 1015,
    GROUP = 1016,
    URL = 1020,
    ARCH = 1022,
    PREIN = 1023,
    POSTIN = 1024,
    PREUN = 1025,
    POSTUN = 1026,
    OLDFILENAMES = 1027,
    FILESIZES = 1028,
    FILEMODES = 1030,
    FILEMTIMES = 1034,
    FILEDIGESTS = 1035,
    FILELINKTOS = 1036,
    FILEFLAGS = 1037,
    FILEUSERNAME = 1039,
    FILEGROUPNAME = 1040,
    SOURCERPM = 1044,
    ARCHIVESIZE = 1046,
    PROVIDENAME = 1047,
    REQUIREFLAGS = 1048,
    REQUIRENAME = 1049,
    REQUIREVERSION = 1050,
    NOSOURCE = 1051,
    NOPATCH = 1052,
    CONFLICTFLAGS = 1053,
    CONFLICTNAME = 1054,
    CONFLICTVERSION = 1055,
    RPMVERSION = 1064,
    TRIGGERSCRIPTS = 1065,
    TRIGGERNAME = 1066,
    TRIGGERVERSION = 1067,
    TRIGGERFLAGS = 1068,
    TRIGGERINDEX = 1069,
    VERIFYSCRIPT = 1079,
    CHANGELOGTIME = 1080,
    CHANGELOGNAME = 1081,
    CHANGELOGTEXT = 1082,
    PREINPROG = 1085,
    POSTINPROG = 1086,
    PREUNPROG = 1087,
    POSTUNPROG = 1088,
    OBSOLETENAME = 1090,
    VERIFYSCRIPTPROG = 1091,
    TRIGGERSCRIPTPROG = 1092,
    FILELANGS = 1097,
    SOURCEPACKAGE = 1106,
    PROVIDEFLAGS = 1112,
    PROVIDEVERSION = 1113,
    OBSOLETEFLAGS = 1114,
    OBSOLETEVERSION = 1115,
    DIRINDEXES = 1116,
    BASENAMES = 1117,
    DIRNAMES = 1118,
    DISTURL = 1123,
    PAYLOADCOMPRESSOR = 1125,
    PRETRANS = 1151,
    POSTTRANS = 1152,
    PRETRANSPROG = 1153,
    POSTTRANSPROG = 1154,
    OLDSUGGESTSNAME = 1156,
    OLDSUGGESTSVERSION = 1157,
    OLDSUGGESTSFLAGS = 1158,
    OLDENHANCESNAME = 1159,
    OLDENHANCESVERSION = 1160,
    OLDENHANCESFLAGS = 1161,
    LONGFILESIZES = 5008,
    LONGSIZE = 5009,
    FILECAPS = 5010,
    BUGURL = 5012,
    VCS = 5034,
    RECOMMENDNAME = 5046,
    RECOMMENDVERSION = 5047,
    RECOMMENDFLAGS = 5048,
    SUGGESTNAME = 5049,
    SUGGESTVERSION = 5050,
    SUGGESTFLAGS = 5051,
    SUPPLEMENTNAME = 5052,
    SUPPLEMENTVERSION = 5053,
    SUPPLEMENTFLAGS = 5054,
    ENHANCENAME = 5055,
    ENHANCEVERSION = 5056,
    ENHANCEFLAGS = 5057,
    FILETRIGGERSCRIPTS = 5066,
    FILETRIGGERSCRIPTPROG = 5067,
    FILETRIGGERNAME = 5069,
    FILETRIGGERINDEX = 5070,
    FILETRIGGERVERSION = 5071,
    FILETRIGGERFLAGS = 5072,
    TRANSFILETRIGGERSCRIPTS = 5076,
    TRANSFILETRIGGERSCRIPTPROG = 5077,
    TRANSFILETRIGGERNAME = 5079,
    TRANSFILETRIGGERINDEX = 5080,
    TRANSFILETRIGGERVERSION = 5081,
    TRANSFILETRIGGERFLAGS = 5082,
    FILETRIGGERPRIORITIES = 5084,
    TRANSFILETRIGGERPRIORITIES = 5085,
    PAYLOADDIGEST = 5092,
    PAYLOADDIGESTALGO = 5093,
    PREUNTRANS = 5103,
    POSTUNTRANS = 5104,
    PREUNTRANSPROG = 5105,
    POSTUNTRANSPROG = 5106,
    PAYLOADSIZEALT = 5113,
}

impl Section<'_> {
    /// Tells whether the header has the tag.
    pub(crate) fn has(&self, tag: Tag) -> bool {
        self.values(tag.number).is_some()
    }

    /// The first of a tag's strings: the only one, or the one of the C locale.
    pub(crate) fn text(&self, tag: Tag) -> Result<Option<String>, ReadHeaderError> {
        let strings = self.values_of(tag, Kind::Text)?.and_then(|values| strings(values).next());
        Ok(strings.map(decode))
    }

    /// A tag's strings.
    pub(crate) fn texts(&self, tag: Tag) -> Result<Option<Vec<String>>, ReadHeaderError> {
        Ok(self.values_of(tag, Kind::Text)?.map(|values| collect(values, strings(values).map(decode))))
    }

    /// A tag's strings as bytes.
    pub(crate) fn raw_texts(&self, tag: Tag) -> Result<Option<Vec<&[u8]>>, ReadHeaderError> {
        Ok(self.values_of(tag, Kind::Text)?.map(|values| collect(values, strings(values))))
    }

    /// The first of a tag's integers.
    pub(crate) fn number(&self, tag: Tag) -> Result<Option<u64>, ReadHeaderError> {
        Ok(self.numbers(tag)?.and_then(|numbers| numbers.first().copied()))
    }

    /// A tag's integers, of whatever width: builders have differed.
    pub(crate) fn numbers(&self, tag: Tag) -> Result<Option<Vec<u64>>, ReadHeaderError> {
        let Some(values) = self.values(tag.number) else { return Ok(None) };
        let Kind::Integer(width) = values.kind else {
            return Err(wrong_type(tag, values.kind, "integers"));
        };
        limit(tag, values)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Ok(Some(match width {
            // Columns of files are of these two.
            2 => values.bytes.as_chunks().0.iter().map(|bytes| u16::from_be_bytes(*bytes).into()).collect(),
            4 => values.bytes.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes).into()).collect(),
            _ => values.bytes.chunks_exact(width).map(number).collect(),
        }))
    }

    /// Checks that a tag does not have more than [`MAX_FEW`] values.
    pub(crate) fn has_few(&self, tag: Tag) -> Result<(), ReadHeaderError> {
        at_most(tag, self.values(tag.number).map_or(0, |values| values.count), MAX_FEW)
    }

    /// A tag's bytes.
    pub(crate) fn bytes(&self, tag: Tag) -> Result<Option<&[u8]>, ReadHeaderError> {
        Ok(self.values_of(tag, Kind::Binary)?.map(|values| values.bytes))
    }

    /// A tag's integers, as many as another tag has values; zeros where the header does not have it.
    pub(crate) fn numbers_beside(&self, tag: Tag, of: Tag, count: usize) -> Result<Vec<u64>, ReadHeaderError> {
        match self.numbers(tag)? {
            Some(numbers) => check_count(numbers, tag, of, count),
            None => Ok(vec![0; count]),
        }
    }

    /// A tag's strings, as many as another tag has values; empty ones where the header does not have it.
    pub(crate) fn texts_beside(&self, tag: Tag, of: Tag, count: usize) -> Result<Vec<String>, ReadHeaderError> {
        match self.texts(tag)? {
            Some(texts) => check_count(texts, tag, of, count),
            None => Ok(vec![String::new(); count]),
        }
    }

    fn values_of(&self, tag: Tag, kind: Kind) -> Result<Option<Values<'_>>, ReadHeaderError> {
        let Some(values) = self.values(tag.number) else { return Ok(None) };
        if values.kind != kind {
            return Err(wrong_type(tag, values.kind, kind.name()));
        }
        if kind != Kind::Binary {
            limit(tag, values)?;
        }
        Ok(Some(values))
    }
}

fn check_count<T>(values: Vec<T>, tag: Tag, of: Tag, expected: usize) -> Result<Vec<T>, ReadHeaderError> {
    if values.len() != expected {
        return Err(ReadHeaderError::TagCount { tag: tag.name, found: values.len(), expected, of: of.name });
    }
    Ok(values)
}

fn limit(tag: Tag, values: Values<'_>) -> Result<(), ReadHeaderError> {
    at_most(tag, values.count, MAX_VALUES)
}

fn at_most(tag: Tag, found: usize, max: usize) -> Result<(), ReadHeaderError> {
    if found > max {
        return Err(ReadHeaderError::TooManyValues { tag: tag.name, found, max });
    }
    Ok(())
}

fn wrong_type(tag: Tag, found: Kind, allowed: &'static str) -> ReadHeaderError {
    ReadHeaderError::TagType { tag: tag.name, found: found.name(), allowed }
}

fn strings(values: Values<'_>) -> impl Iterator<Item = &[u8]> {
    let mut rest = values.bytes;
    (0..values.count).map_while(move |_| {
        let (string, after) = rest.split_at_checked(memchr::memchr(0, rest)?)?;
        rest = &after[1..];
        Some(string)
    })
}

/// Collects what is made of each of a tag's values, in memory that fits.
fn collect<T>(values: Values<'_>, each: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::with_capacity(values.count);
    all.extend(each);
    all
}

/// Decodes UTF-8 or, where it is none, Latin-1: headers before rpm 4.15 don't say what they hold, and createrepo_c
/// decodes the same.
pub(crate) fn decode(bytes: &[u8]) -> String {
    decode_owned(bytes.to_owned())
}

/// The same of bytes that need not be copied.
pub(crate) fn decode_owned(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}
