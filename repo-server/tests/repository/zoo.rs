//! Packages that no builder makes today, but somebody may have made in thirty years: each a healthy one with some tags
//! changed.

use crate::surgery::{Kind, Patient};

const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const SUMMARY: u32 = 1004;
const DESCRIPTION: u32 = 1005;
const BUILDTIME: u32 = 1006;
const SIZE: u32 = 1009;
const VENDOR: u32 = 1011;
const LICENSE: u32 = 1014;
const GROUP: u32 = 1016;
const URL: u32 = 1020;
const ARCH: u32 = 1022;
const OLDFILENAMES: u32 = 1027;
const FILESIZES: u32 = 1028;
const FILEMODES: u32 = 1030;
const FILEFLAGS: u32 = 1037;
const SOURCERPM: u32 = 1044;
const PROVIDES: [u32; 3] = [1047, 1112, 1113];
const REQUIRES: [u32; 3] = [1049, 1048, 1050];
const CONFLICTS: [u32; 3] = [1054, 1053, 1055];
const OBSOLETES: [u32; 3] = [1090, 1114, 1115];
const SUGGESTS: [u32; 3] = [5049, 5051, 5050];
const OLD_SUGGESTS: [u32; 3] = [1156, 1158, 1157];
const OLD_ENHANCES: [u32; 3] = [1159, 1161, 1160];
const NOSOURCE: u32 = 1051;
const CHANGELOG_TIME: u32 = 1080;
const CHANGELOG_NAME: u32 = 1081;
const CHANGELOG_TEXT: u32 = 1082;
const SOURCEPACKAGE: u32 = 1106;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;
const LONGSIZE: u32 = 5009;
/// What belongs to a file, one value for each: of these, createrepo_c wants to know no more than is set here.
const OTHER_OF_FILES: [u32; 16] =
    [1029, 1033, 1034, 1035, 1036, 1039, 1040, 1045, 1095, 1096, 1097, 1140, 1141, 1142, 1143, 5010];

/// Texts that are no UTF-8, or no XML.
const TEXTS: [(&str, &[u8]); 24] = [
    ("latin-1", b"Gr\xfc\xdfe aus K\xf6ln"),
    ("windows-1252", b"\x93quoted\x94 \x80 5"),
    ("latin-1-and-utf-8", b"\xc3\xbc and \xfc"),
    ("all-of-latin-1", &HIGH),
    ("control-characters", b"a\x01b\x02\x08\x0b\x0c\x0e\x1b[31m\x1f\x7fz"),
    ("tabs-and-lines", b"\ta\r\nb\rc\n\n d \t"),
    ("only-blanks", b"  \n "),
    ("u+fffe", b"before \xef\xbf\xbe after"),
    ("u+ffff", b"before \xef\xbf\xbf after"),
    ("u+1fffe", b"a \xf0\x9f\xbf\xbe z"),
    ("byte-order-mark", b"\xef\xbb\xbftext"),
    ("surrogate", b"lone \xed\xa0\x80 one"),
    ("cesu-8", b"pair \xed\xa0\xbd\xed\xb8\x80 of them"),
    ("overlong", b"slash \xc0\xaf and nul \xc0\x80 and \xe0\x80\x80"),
    ("beyond-unicode", b"\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80 \xff\xfe"),
    ("cut-off", b"gr\xc3"),
    ("markup", b"<b>&amp;</b> \"double\" 'single' ]]> <![CDATA[ <!-- -->"),
    ("entities", b"&#0; &#1; &lt; &nbsp; &#xFFFE; %26"),
    ("c1-controls", b"next \xc2\x85 line \xc2\x80 \xc2\x9f"),
    ("separators", b"\xe2\x80\xa8 \xe2\x80\xa9 \xe2\x80\xae right to left"),
    ("astral", b"\xf0\x9f\x8e\x89 \xf4\x8f\xbf\xbd"),
    ("noncharacters", b"\xef\xb7\x90 \xef\xb7\xaf"),
    ("nothing", b""),
    ("replacement", b"\xef\xbf\xbd"),
];

/// Every byte above 0x9f.
const HIGH: [u8; 96] = {
    let mut bytes = [0; 96];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = 0xa0 + index as u8;
        index += 1;
    }
    bytes
};

/// Versions as dependencies have them.
const VERSIONS: [&[u8]; 24] = [
    b"",
    b"1",
    b"1-2",
    b"0:1-2",
    b"3:1",
    b":1",
    b":",
    b"-",
    b"1-",
    b"-1",
    b"1:",
    b"1:-2",
    b"1-2-3",
    b"1:2:3",
    b"a:1",
    b"-1:2",
    b"+1:2",
    b" 1 ",
    b"4294967295:1",
    b"4294967296:1",
    b"007:1",
    b"1~rc^git",
    b"%{version}",
    b"\xfc-1",
];

/// Gives all of them, by name. `healthy` has to have files, dependencies, and a changelog.
pub(crate) fn packages(healthy: &Patient) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (name, text) in TEXTS {
        all.push((format!("text-{name}"), with_text(healthy, text)));
    }
    all.push(("versions".to_owned(), versions(healthy)));
    all.extend(dependencies(healthy));
    all.extend(files(healthy));
    all.extend(changelogs(healthy));
    all.extend(identities(healthy));
    all.extend(old_formats(healthy));
    let close = |(name, patient): (String, Patient)| {
        let bytes = patient.named(&name).close();
        (name, bytes)
    };
    all.into_iter().map(close).collect()
}

fn with_text(healthy: &Patient, text: &[u8]) -> Patient {
    let path = [b"/usr/share/", text].concat();
    let in_text = [b"about ", text].concat();
    set_files(healthy, &[(&path, 0o100_644, 0), (b"/etc/plain", 0o100_644, 0)])
        .text(VENDOR, text)
        .text(LICENSE, text)
        .text(URL, text)
        .translated(SUMMARY, &[text])
        .translated(DESCRIPTION, &[&in_text])
        .translated(GROUP, &[text])
        .numbers(CHANGELOG_TIME, Kind::Int32, &[1_700_000_000, 1_600_000_000])
        .texts(CHANGELOG_NAME, &[text, &in_text])
        .texts(CHANGELOG_TEXT, &[&in_text, text])
        .relations(REQUIRES, &[(text, 8, b"1"), (&in_text, 0, b"")])
        .relations(CONFLICTS, &[(b"other", 8, text)])
}

fn versions(healthy: &Patient) -> Patient {
    let rows: Vec<_> = VERSIONS.iter().map(|version| (&b"versioned"[..], 8, *version)).collect();
    let requires: Vec<_> = VERSIONS.iter().map(|version| (&b"other"[..], 4, *version)).collect();
    healthy.clone().relations(PROVIDES, &rows).relations(REQUIRES, &requires)
}

fn dependencies(healthy: &Patient) -> Vec<(String, Patient)> {
    let senses: Vec<(&[u8], u32, &[u8])> = (0..16).map(|flags| (&b"sense"[..], flags, &b"1-1"[..])).collect();
    let pre: Vec<(&[u8], u32, &[u8])> = (0..32).map(|bit| (&b"bit"[..], 1 << bit, &b""[..])).collect();
    let twice: [(&[u8], u32, &[u8]); 7] = [
        (b"a", 8, b"1"),
        (b"a", 8, b"1"),
        (b"b", 0, b""),
        (b"a", 8, b"1"),
        (b"b", 0x40, b""),
        (b"b", 0, b""),
        (b"a", 8, b"0:1"),
    ];
    let own: [(&[u8], u32, &[u8]); 8] = [
        (b"a", 8, b"1"),
        (b"a", 12, b"1"),
        (b"b", 0, b""),
        (b"/etc/features/d", 0, b""),
        (b"/usr/bin/own", 0x400, b""),
        (b"/usr/share/own", 0, b""),
        (b"rpmlib(Anything)", 0x0100_000a, b"1"),
        (b"rpmlib", 0, b""),
    ];
    let libc: [(&[u8], u32, &[u8]); 9] = [
        (b"libc.so.6", 0, b""),
        (b"libc.so.6()(64bit)", 0, b""),
        (b"libc.so.6(GLIBC_2.2.5)(64bit)", 0, b""),
        (b"libc.so.6(GLIBC_2.34)(64bit)", 0, b""),
        (b"libc.so.6(GLIBC_2.4)", 0, b""),
        (b"libc.so.6(GLIBC_PRIVATE)(64bit)", 0, b""),
        (b"libc.so.60", 0, b""),
        (b"libc.so.6(", 0, b""),
        (b"libm.so.6(GLIBC_2.29)", 0, b""),
    ];
    let rich: [(&[u8], u32, &[u8]); 3] =
        [(b"(a if b else (c or d < 1))", 0, b""), (b"((a)", 0, b""), (b"(a with b >= 2 without c)", 0x0800_0000, b"")];
    vec![
        ("senses".to_owned(), healthy.clone().relations(PROVIDES, &senses).relations(OBSOLETES, &senses)),
        ("flag-bits".to_owned(), healthy.clone().relations(REQUIRES, &pre).relations(SUGGESTS, &pre)),
        ("twice".to_owned(), healthy.clone().relations(REQUIRES, &twice).relations(PROVIDES, &twice)),
        ("twice-provided".to_owned(), healthy.clone().relations(PROVIDES, &twice[..2]).relations(REQUIRES, &own)),
        ("libc".to_owned(), healthy.clone().relations(REQUIRES, &libc)),
        ("libc-reversed".to_owned(), {
            let reversed: Vec<_> = libc.iter().rev().copied().collect();
            healthy.clone().relations(REQUIRES, &reversed)
        }),
        ("rich".to_owned(), healthy.clone().relations(REQUIRES, &rich).relations(SUGGESTS, &rich)),
        ("missing-ok".to_owned(), {
            let rows: [(&[u8], u32, &[u8]); 3] = [(b"a", 1 << 19, b""), (b"a", 0, b""), (b"b", 1 << 19 | 0x408, b"1")];
            healthy.clone().relations(REQUIRES, &rows)
        }),
        ("weak-of-old".to_owned(), {
            let rows: [(&[u8], u32, &[u8]); 2] = [(b"strong", 1 << 27, b""), (b"weak", 8, b"1")];
            healthy.clone().relations(OLD_SUGGESTS, &rows).relations(OLD_ENHANCES, &rows)
        }),
        ("nothing-needed".to_owned(), healthy.clone().without(&REQUIRES).without(&CONFLICTS).without(&OBSOLETES)),
        ("provides-nothing".to_owned(), healthy.clone().without(&PROVIDES)),
    ]
}

fn files(healthy: &Patient) -> Vec<(String, Patient)> {
    let kinds: [(&[u8], u64, u64); 10] = [
        (b"/etc/socket", 0o140_755, 0),
        (b"/etc/link", 0o120_777, 0),
        (b"/etc/block", 0o060_600, 0),
        (b"/etc/directory", 0o040_755, 0),
        (b"/etc/character", 0o020_600, 0),
        (b"/etc/fifo", 0o010_600, 0),
        (b"/etc/nothing", 0, 0),
        (b"/etc/ghost-directory", 0o040_755, 1 << 6),
        (b"/etc/ghost", 0o100_644, 1 << 6 | 1),
        (b"/etc/all-flags", 0o100_644, 0xffff_ffff),
    ];
    let places: [(&[u8], u64, u64); 14] = [
        (b"/etc", 0o040_755, 0),
        (b"/etc/", 0o040_755, 0),
        (b"/bin", 0o120_777, 0),
        (b"/usr/lib/sendmail", 0o100_755, 0),
        (b"/usr/lib/sendmail.d", 0o100_755, 0),
        (b"/opt/a/bin/b", 0o100_755, 0),
        (b"/opt/cabin/b", 0o100_755, 0),
        (b"/opt/etc/b", 0o100_755, 0),
        (b"relative/bin/x", 0o100_755, 0),
        (b"/usr/bin/..", 0o100_755, 0),
        (b"//usr//bin//x", 0o100_755, 0),
        (b"/a\nb\tc d", 0o100_644, 0),
        (b"/", 0o040_755, 0),
        (b"/usr/bin/", 0o040_755, 0),
    ];
    let many: Vec<Vec<u8>> = (0..14_000).map(|number| format!("/usr/share/many/{number}").into_bytes()).collect();
    let many: Vec<(&[u8], u64, u64)> = many.iter().map(|path| (path.as_slice(), 0o100_644, 0)).collect();
    let none: Vec<u32> = [FILESIZES, FILEMODES, FILEFLAGS, DIRINDEXES, BASENAMES, DIRNAMES].to_vec();
    let no_files = healthy.clone().without(&none).without(&OTHER_OF_FILES);
    vec![
        ("file-kinds".to_owned(), set_files(healthy, &kinds)),
        ("file-places".to_owned(), set_files(healthy, &places)),
        ("same-file-twice".to_owned(), set_files(healthy, &[kinds[1], kinds[1], kinds[3]])),
        ("many-files".to_owned(), set_files(healthy, &many)),
        ("no-files".to_owned(), no_files),
        ("files-without-modes".to_owned(), set_files(healthy, &places[3..7]).without(&[FILEMODES, FILEFLAGS])),
        ("files-without-flags".to_owned(), set_files(healthy, &kinds[..5]).without(&[FILEFLAGS])),
    ]
}

fn changelogs(healthy: &Patient) -> Vec<(String, Patient)> {
    let changelog = |times: &[u64]| {
        let texts: Vec<Vec<u8>> = (0..times.len()).map(|number| format!("- change {number}").into_bytes()).collect();
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let names: Vec<&[u8]> = times.iter().map(|_| &b"Ana <ana@example.org> - 1-1"[..]).collect();
        let times = healthy.clone().numbers(CHANGELOG_TIME, Kind::Int32, times);
        times.texts(CHANGELOG_NAME, &names).texts(CHANGELOG_TEXT, &texts)
    };
    let descending: Vec<u64> = (0..40).map(|age| 1_700_000_000 - age * 86_400).collect();
    vec![
        ("changes-forty".to_owned(), changelog(&descending)),
        ("changes-same-time".to_owned(), changelog(&[1_700_000_000; 14])),
        ("changes-a-second-apart".to_owned(), changelog(&[1003, 1002, 1002, 1001, 1001, 1001, 1000])),
        ("changes-unordered".to_owned(), changelog(&[5, 900, 900, 3, 3, 900, 0, 0])),
        ("changes-extreme".to_owned(), changelog(&[0xffff_ffff, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0])),
        ("changes-none".to_owned(), healthy.clone().without(&[CHANGELOG_TIME, CHANGELOG_NAME, CHANGELOG_TEXT])),
    ]
}

fn identities(healthy: &Patient) -> Vec<(String, Patient)> {
    let source = healthy.clone().without(&[SOURCERPM]).numbers(SOURCEPACKAGE, Kind::Int32, &[1]);
    vec![
        ("epoch-none".to_owned(), healthy.clone().without(&[EPOCH])),
        ("epoch-zero".to_owned(), healthy.clone().numbers(EPOCH, Kind::Int32, &[0])),
        ("epoch-highest".to_owned(), healthy.clone().numbers(EPOCH, Kind::Int32, &[0xffff_ffff])),
        ("odd+name_1.2".to_owned(), healthy.clone().text(VERSION, b"1_2+3~4^5.6").text(RELEASE, b"0.el9_1+x")),
        ("odd-arch".to_owned(), healthy.clone().text(ARCH, b"sparc64v")),
        ("source".to_owned(), source.clone()),
        ("nosrc".to_owned(), source.numbers(NOSOURCE, Kind::Int32, &[0])),
        (
            "bare".to_owned(),
            healthy.clone().without(&[SUMMARY, DESCRIPTION, LICENSE, GROUP, URL, VENDOR, BUILDTIME, SIZE, 1015, 1007]),
        ),
        ("large".to_owned(), healthy.clone().without(&[SIZE]).numbers(LONGSIZE, Kind::Int64, &[1 << 40])),
        (
            "translated".to_owned(),
            healthy.clone().texts(100, &[b"C", b"de"]).translated(SUMMARY, &[b"greets", b"gr\xc3\xbc\xc3\x9ft"]),
        ),
        ("future".to_owned(), healthy.clone().numbers(BUILDTIME, Kind::Int32, &[0xffff_ffff])),
    ]
}

/// As rpm 2 to 4.0 wrote them: whole paths, provides without versions, no region.
fn old_formats(healthy: &Patient) -> Vec<(String, Patient)> {
    let old = healthy
        .clone()
        .without(&[BASENAMES, DIRNAMES, DIRINDEXES, PROVIDES[1], PROVIDES[2], CHANGELOG_TIME])
        .without(&[CHANGELOG_NAME, CHANGELOG_TEXT])
        .without(&OTHER_OF_FILES)
        .without_region();
    let of_old = |names: &[&[u8]]| {
        let count = names.len();
        old.clone()
            .texts(OLDFILENAMES, names)
            .numbers(FILESIZES, Kind::Int32, &vec![7; count])
            .numbers(FILEMODES, Kind::Int16, &vec![0o100_644; count])
            .numbers(FILEFLAGS, Kind::Int32, &vec![0; count])
    };
    vec![
        ("old-paths".to_owned(), of_old(&[b"/usr/bin/a", b"/etc/b", b"/usr/share/c"])),
        ("old-unsorted-paths".to_owned(), of_old(&[b"/z/z", b"/a/a", b"/a/b/c", b"/z/a"])),
        ("old-provides".to_owned(), of_old(&[b"/usr/bin/a"]).texts(PROVIDES[0], &[b"old-provides", b"other"])),
        ("without-region".to_owned(), healthy.clone().without_region()),
    ]
}

/// Gives it these files: path, mode, flags.
fn set_files(healthy: &Patient, files: &[(&[u8], u64, u64)]) -> Patient {
    let split = |path: &[u8]| path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let names: Vec<&[u8]> = files.iter().map(|(path, ..)| &path[split(path)..]).collect();
    let directories: Vec<&[u8]> = files.iter().map(|(path, ..)| &path[..split(path)]).collect();
    let numbers = |of: &dyn Fn(usize) -> u64| -> Vec<u64> { (0..files.len()).map(of).collect() };
    healthy
        .clone()
        .without(&OTHER_OF_FILES)
        .texts(BASENAMES, &names)
        .texts(DIRNAMES, &directories)
        .numbers(DIRINDEXES, Kind::Int32, &numbers(&|index| index as u64))
        .numbers(FILESIZES, Kind::Int32, &numbers(&|_| 7))
        .numbers(FILEMODES, Kind::Int16, &numbers(&|index| files[index].1))
        .numbers(FILEFLAGS, Kind::Int32, &numbers(&|index| files[index].2))
}

impl Patient {
    /// Gives it these dependencies of a kind, by its tags for names, flags and versions.
    fn relations(self, [names, flags, versions]: [u32; 3], rows: &[(&[u8], u32, &[u8])]) -> Self {
        let column = |of: &dyn Fn(usize) -> u64| -> Vec<u64> { (0..rows.len()).map(of).collect() };
        self.texts(names, &rows.iter().map(|row| row.0).collect::<Vec<_>>())
            .numbers(flags, Kind::Int32, &column(&|index| u64::from(rows[index].1)))
            .texts(versions, &rows.iter().map(|row| row.2).collect::<Vec<_>>())
    }
}
