//! What an RPM's headers say of it.

use std::fmt;

use nevra::Nevra;

/// Everything that the lead, the signature header and the main header of an RPM say; the payload is never read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageHeader {
    /// Name, epoch, version, release and architecture; `src` (or `nosrc`) as architecture for a source package.
    pub nevra: Nevra,
    /// Whether it is a source package.
    pub is_source: bool,
    /// SUMMARY, one line.
    pub summary: String,
    /// DESCRIPTION.
    pub description: String,
    /// LICENSE.
    pub license: String,
    /// VENDOR.
    pub vendor: Option<String>,
    /// GROUP.
    pub group: Option<String>,
    /// URL.
    pub url: Option<String>,
    /// PACKAGER.
    pub packager: Option<String>,
    /// DISTRIBUTION.
    pub distribution: Option<String>,
    /// DISTURL: where the build is.
    pub dist_url: Option<String>,
    /// VCS: where the sources are kept, and the commit.
    pub vcs: Option<String>,
    /// BUGURL: where bugs are reported.
    pub bug_url: Option<String>,
    /// RPMVERSION: the version of rpm, or the name and version of another builder.
    pub rpm_version: Option<String>,
    /// BUILDHOST.
    pub build_host: Option<String>,
    /// BUILDTIME, seconds since 1970.
    pub build_time: Option<u64>,
    /// SOURCERPM: the file name of the source package it was built from.
    pub source_rpm: Option<String>,
    /// SIZE/LONGSIZE: installed size, bytes.
    pub installed_size: u64,
    /// PAYLOADSIZE/LONGARCHIVESIZE: size of the uncompressed payload, bytes; 0 where not recorded.
    pub archive_size: u64,
    /// PAYLOADCOMPRESSOR, such as `gzip`, `zstd`; not recorded for payloads that are not compressed, nor for the gzip of
    /// ancient packages.
    pub payload_compressor: Option<String>,
    /// SHA256 of the signature header: the digest of the main header, hexadecimal.
    pub header_sha256: Option<String>,
    /// PAYLOADDIGEST, where it is SHA-256: the digest of the payload as it is in the file, hexadecimal.
    pub payload_sha256: Option<String>,
    /// First byte of the main header within the file (repodata's `header-range start`).
    pub header_start: u64,
    /// First byte after the main header (repodata's `header-range end`); the payload begins here.
    pub header_end: u64,
    /// PROVIDES.
    pub provides: Vec<Dependency>,
    /// REQUIRES, `rpmlib(…)` included.
    pub requires: Vec<Dependency>,
    /// CONFLICTS.
    pub conflicts: Vec<Dependency>,
    /// OBSOLETES.
    pub obsoletes: Vec<Dependency>,
    /// RECOMMENDS.
    pub recommends: Vec<Dependency>,
    /// SUGGESTS.
    pub suggests: Vec<Dependency>,
    /// SUPPLEMENTS.
    pub supplements: Vec<Dependency>,
    /// ENHANCES.
    pub enhances: Vec<Dependency>,
    /// OLDSUGGESTS, of packages for SUSE and Mandriva before rpm 4.12; rpm no longer heeds them. Those with
    /// [`Dependency::STRONG`] are recommendations.
    pub old_suggests: Vec<Dependency>,
    /// OLDENHANCES, likewise; those with [`Dependency::STRONG`] are supplements.
    pub old_enhances: Vec<Dependency>,
    /// The files, in the order of the header.
    pub files: Vec<FileEntry>,
    /// The changelog, newest first as in the header.
    pub changelog: Vec<ChangelogEntry>,
    /// The scriptlets.
    pub scriptlets: Vec<Scriptlet>,
    /// The triggers: those of packages, then those of files, then those of a transaction's files.
    pub triggers: Vec<Trigger>,
    /// The OpenPGP signatures of the signature header.
    pub signatures: Vec<Signature>,
}

/// One dependency: a name, and a version with its comparison where there is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependency {
    /// The capability's name, or a whole rich dependency in parentheses.
    pub name: String,
    /// The raw RPMSENSE flags (rpm's `include/rpm/rpmds.h`).
    pub flags: u32,
    /// The version as in the header, `[epoch:]version[-release]`; empty where none is asked for.
    pub version: String,
}

/// One file that the package owns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileEntry {
    /// Absolute path, without the `./` of source packages' payloads. Bytes that are no UTF-8 are kept losslessly as far
    /// as the text allows (Latin-1 decoded).
    pub path: String,
    /// FILEMODES: type and permission bits, as `st_mode`.
    pub mode: u16,
    /// FILEUSERNAME.
    pub user: String,
    /// FILEGROUPNAME.
    pub group: String,
    /// FILESIZES, bytes.
    pub size: u64,
    /// FILEMTIMES, seconds since 1970.
    pub mtime: u32,
    /// FILEDIGESTS, hexadecimal; empty for what has none.
    pub digest: String,
    /// FILELINKTOS: the target of a symbolic link; empty otherwise.
    pub link_target: String,
    /// FILEFLAGS: raw RPMFILE flags (rpm's `include/rpm/rpmfiles.h`).
    pub flags: u32,
    /// FILECAPS: capabilities in the text form of `cap_to_text(3)`; empty for what has none.
    pub capabilities: String,
    /// FILELANGS: the language that it is for, several apart by `|`; empty for all.
    pub language: String,
}

/// What kind of thing a file entry is, in repodata's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file, a link or a device.
    File,
    /// A directory.
    Directory,
    /// `%ghost`: owned, but not in the payload.
    Ghost,
}

/// One changelog entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// CHANGELOGNAME: usually `Name <mail> - version-release`.
    pub author: String,
    /// CHANGELOGTIME, seconds since 1970.
    pub time: u64,
    /// CHANGELOGTEXT.
    pub text: String,
}

/// One scriptlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlet {
    /// Its name in a .spec file, such as `%post`.
    pub name: &'static str,
    /// The interpreter with its arguments, such as `["/bin/sh"]`.
    pub interpreter: Vec<String>,
    /// The script.
    pub body: String,
}

/// One trigger: a script that is run when other packages, or files, come or go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name in a .spec file, such as `%triggerin` or `%transfiletriggerin`.
    pub name: &'static str,
    /// The packages, or the path prefixes, that it watches; their flags hold the kind of trigger as well.
    pub watches: Vec<Dependency>,
    /// The interpreter, such as `/bin/sh` or `<lua>`.
    pub interpreter: String,
    /// The script.
    pub body: String,
    /// Of file triggers: a higher one runs earlier.
    pub priority: Option<u64>,
}

/// One OpenPGP signature packet of the signature header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The tag it stands under, such as `RSAHEADER`, `DSAHEADER`, `OPENPGP`, `SIGPGP`.
    pub tag: &'static str,
    /// The packet's bytes.
    pub packet: Vec<u8>,
}

impl FileEntry {
    /// RPMFILE_CONFIG: `%config`.
    pub const CONFIG: u32 = 1;
    /// RPMFILE_DOC: `%doc`.
    pub const DOC: u32 = 1 << 1;
    /// RPMFILE_MISSINGOK: `%config(missingok)`.
    pub const MISSING_OK: u32 = 1 << 3;
    /// RPMFILE_NOREPLACE: `%config(noreplace)`.
    pub const NO_REPLACE: u32 = 1 << 4;
    /// RPMFILE_GHOST: `%ghost`.
    pub const GHOST: u32 = 1 << 6;
    /// RPMFILE_LICENSE: `%license`.
    pub const LICENSE: u32 = 1 << 7;

    /// Tells what kind of thing it is, in repodata's terms.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        if self.flags & Self::GHOST != 0 {
            FileKind::Ghost
        } else if self.mode & 0o170_000 == 0o040_000 {
            FileKind::Directory
        } else {
            FileKind::File
        }
    }

    /// Names the flags as .spec files and rpm's documentation do, such as `config`, `noreplace`, `ghost`; unknown flags
    /// are left out.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        let known = [
            (Self::CONFIG, "config"),
            (Self::DOC, "doc"),
            (1 << 2, "icon"),
            (Self::MISSING_OK, "missingok"),
            (Self::NO_REPLACE, "noreplace"),
            (1 << 5, "specfile"),
            (Self::GHOST, "ghost"),
            (Self::LICENSE, "license"),
            (1 << 8, "readme"),
            (1 << 11, "pubkey"),
            (1 << 12, "artifact"),
        ];
        let flags = self.flags;
        known.into_iter().filter(move |(flag, _)| flags & flag != 0).map(|(_, name)| name)
    }

    /// Tells whether it is configuration.
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.flags & Self::CONFIG != 0
    }
}

impl Dependency {
    /// RPMSENSE_SERIAL of rpm 2: the version is a serial number.
    const SERIAL: u32 = 1;
    /// RPMSENSE_LESS.
    pub const LESS: u32 = 1 << 1;
    /// RPMSENSE_GREATER.
    pub const GREATER: u32 = 1 << 2;
    /// RPMSENSE_EQUAL.
    pub const EQUAL: u32 = 1 << 3;
    /// RPMSENSE_POSTTRANS and RPMSENSE_PRETRANS: needed by the scriptlets around a transaction.
    pub const TRANSACTION: u32 = 1 << 5 | 1 << 7;
    /// RPMSENSE_PREREQ, RPMSENSE_SCRIPT_PRE, RPMSENSE_SCRIPT_POST and [`Dependency::TRANSACTION`]: needed before the
    /// package's own scriptlets (`pre="1"` of createrepo_c since 1.1.1; those before leave the last out).
    pub const PRE: u32 = 1 << 6 | 1 << 9 | 1 << 10 | Self::TRANSACTION;
    /// RPMSENSE_MISSINGOK: a requirement that need not be met, of packages before there were recommendations.
    pub const MISSING_OK: u32 = 1 << 19;
    /// RPMSENSE_STRONG of OLDSUGGESTS and OLDENHANCES.
    pub const STRONG: u32 = 1 << 27;
    /// RPMSENSE_RPMLIB: a feature of rpm itself.
    pub const RPMLIB: u32 = 1 << 24;

    /// The comparison in repodata's terms (`LT`, `GT`, `EQ`, `LE`, `GE`); `None` where any version will do, or
    /// where a serial number is compared, as rpm 2 could.
    #[must_use]
    pub fn comparison(&self) -> Option<&'static str> {
        match self.flags & (Self::SERIAL | Self::LESS | Self::GREATER | Self::EQUAL) {
            Self::LESS => Some("LT"),
            Self::GREATER => Some("GT"),
            Self::EQUAL => Some("EQ"),
            flags if flags == Self::LESS | Self::EQUAL => Some("LE"),
            flags if flags == Self::GREATER | Self::EQUAL => Some("GE"),
            _ => None,
        }
    }
}

/// As in a .spec file: `java-headless >= 1:17`.
impl fmt::Display for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.comparison() {
            Some("LT") => "<",
            Some("GT") => ">",
            Some("EQ") => "=",
            Some("LE") => "<=",
            Some("GE") => ">=",
            _ => return formatter.write_str(&self.name),
        };
        write!(formatter, "{} {sign} {}", self.name, self.version)
    }
}
