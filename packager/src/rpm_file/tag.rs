//! Numbers of the tags that are written (rpm's `include/rpm/rpmtag.h`), under rpm's names.

/// A tag's number.
pub(super) type Tag = u32;

// Regions.
pub(super) const HEADERSIGNATURES: Tag = 62;
pub(super) const HEADERIMMUTABLE: Tag = 63;

// The signature header.
pub(super) const DSAHEADER: Tag = 267;
pub(super) const RSAHEADER: Tag = 268;
pub(super) const SHA1HEADER: Tag = 269;
pub(super) const LONGSIGSIZE: Tag = 270;
pub(super) const LONGARCHIVESIZE: Tag = 271;
pub(super) const SHA256HEADER: Tag = 273;
pub(super) const SIGSIZE: Tag = 1000;
pub(super) const SIGMD5: Tag = 1004;
pub(super) const SIGPAYLOADSIZE: Tag = 1007;
pub(super) const RESERVEDSPACE: Tag = 1008;

// Identity.
pub(super) const HEADERI18NTABLE: Tag = 100;
pub(super) const NAME: Tag = 1000;
pub(super) const VERSION: Tag = 1001;
pub(super) const RELEASE: Tag = 1002;
pub(super) const EPOCH: Tag = 1003;
pub(super) const SUMMARY: Tag = 1004;
pub(super) const DESCRIPTION: Tag = 1005;
pub(super) const BUILDTIME: Tag = 1006;
pub(super) const BUILDHOST: Tag = 1007;
pub(super) const VENDOR: Tag = 1011;
pub(super) const LICENSE: Tag = 1014;
pub(super) const PACKAGER: Tag = 1015;
pub(super) const GROUP: Tag = 1016;
pub(super) const URL: Tag = 1020;
pub(super) const OS: Tag = 1021;
pub(super) const ARCH: Tag = 1022;
pub(super) const SOURCERPM: Tag = 1044;
pub(super) const RPMVERSION: Tag = 1064;
pub(super) const CHANGELOGTIME: Tag = 1080;
pub(super) const CHANGELOGNAME: Tag = 1081;
pub(super) const CHANGELOGTEXT: Tag = 1082;
pub(super) const PLATFORM: Tag = 1132;
pub(super) const BUGURL: Tag = 5012;
pub(super) const VCS: Tag = 5034;
pub(super) const ENCODING: Tag = 5062;

// Files.
pub(super) const SIZE: Tag = 1009;
pub(super) const FILESIZES: Tag = 1028;
pub(super) const FILEMODES: Tag = 1030;
pub(super) const FILERDEVS: Tag = 1033;
pub(super) const FILEMTIMES: Tag = 1034;
pub(super) const FILEDIGESTS: Tag = 1035;
pub(super) const FILELINKTOS: Tag = 1036;
pub(super) const FILEFLAGS: Tag = 1037;
pub(super) const FILEUSERNAME: Tag = 1039;
pub(super) const FILEGROUPNAME: Tag = 1040;
pub(super) const FILEVERIFYFLAGS: Tag = 1045;
pub(super) const FILEDEVICES: Tag = 1095;
pub(super) const FILEINODES: Tag = 1096;
pub(super) const FILELANGS: Tag = 1097;
pub(super) const DIRINDEXES: Tag = 1116;
pub(super) const BASENAMES: Tag = 1117;
pub(super) const DIRNAMES: Tag = 1118;
pub(super) const LONGFILESIZES: Tag = 5008;
pub(super) const LONGSIZE: Tag = 5009;
pub(super) const FILECAPS: Tag = 5010;
pub(super) const FILEDIGESTALGO: Tag = 5011;

// The payload.
pub(super) const DISTURL: Tag = 1123;
pub(super) const PAYLOADFORMAT: Tag = 1124;
pub(super) const PAYLOADCOMPRESSOR: Tag = 1125;
pub(super) const PAYLOADFLAGS: Tag = 1126;
pub(super) const PAYLOADDIGEST: Tag = 5092;
pub(super) const PAYLOADDIGESTALGO: Tag = 5093;
pub(super) const PAYLOADDIGESTALT: Tag = 5097;

/// A kind of dependency: the tags of its names, flags and versions.
pub(super) type DependencyTags = [Tag; 3];

pub(super) const PROVIDES: DependencyTags = [1047, 1112, 1113];
pub(super) const REQUIRES: DependencyTags = [1049, 1048, 1050];
pub(super) const CONFLICTS: DependencyTags = [1054, 1053, 1055];
pub(super) const OBSOLETES: DependencyTags = [1090, 1114, 1115];
pub(super) const RECOMMENDS: DependencyTags = [5046, 5048, 5047];
pub(super) const SUGGESTS: DependencyTags = [5049, 5051, 5050];
pub(super) const SUPPLEMENTS: DependencyTags = [5052, 5054, 5053];
pub(super) const ENHANCES: DependencyTags = [5055, 5057, 5056];

/// A scriptlet: the tags of its body and its interpreter.
pub(super) type ScriptletTags = [Tag; 2];

pub(super) const PREIN: ScriptletTags = [1023, 1085];
pub(super) const POSTIN: ScriptletTags = [1024, 1086];
pub(super) const PREUN: ScriptletTags = [1025, 1087];
pub(super) const POSTUN: ScriptletTags = [1026, 1088];
pub(super) const VERIFYSCRIPT: ScriptletTags = [1079, 1091];
pub(super) const PRETRANS: ScriptletTags = [1151, 1153];
pub(super) const POSTTRANS: ScriptletTags = [1152, 1154];

/// A family of triggers: the tags of its scripts and of what they watch.
#[derive(Debug, Clone, Copy)]
pub(super) struct TriggerTags {
    pub(super) scripts: Tag,
    pub(super) interpreters: Tag,
    pub(super) watches: DependencyTags,
    pub(super) indexes: Tag,
    /// Of file triggers.
    pub(super) priorities: Option<Tag>,
}

pub(super) const TRIGGERS: TriggerTags =
    TriggerTags { scripts: 1065, interpreters: 1092, watches: [1066, 1068, 1067], indexes: 1069, priorities: None };
pub(super) const FILE_TRIGGERS: TriggerTags = TriggerTags {
    scripts: 5066,
    interpreters: 5067,
    watches: [5069, 5072, 5071],
    indexes: 5070,
    priorities: Some(5084),
};
pub(super) const TRANSACTION_FILE_TRIGGERS: TriggerTags = TriggerTags {
    scripts: 5076,
    interpreters: 5077,
    watches: [5079, 5082, 5081],
    indexes: 5080,
    priorities: Some(5085),
};
