//! Asks `rpm -qp` for everything that a [`PackageHeader`] holds.

use std::path::Path;
use std::process::Command;

use rpm_header::{ChangelogEntry, Dependency, FileEntry, PackageHeader, Scriptlet, Trigger};

/// Ends a field, a row of an array, a column of a row.
const FIELD: u8 = 7;
const ROW: u8 = 8;
const COLUMN: u8 = 11;

const SCALARS: &[&str] = &[
    "NAME",
    "EPOCHNUM",
    "VERSION",
    "RELEASE",
    "ARCH",
    "SUMMARY",
    "DESCRIPTION",
    "LICENSE",
    "VENDOR",
    "GROUP",
    "URL",
    "PACKAGER",
    "DISTRIBUTION",
    "DISTURL",
    "VCS",
    "BUGURL",
    "RPMVERSION",
    "BUILDHOST",
    "BUILDTIME",
    "SOURCERPM",
    "LONGSIZE",
    "LONGARCHIVESIZE",
    "PAYLOADCOMPRESSOR",
];
const DEPENDENCIES: &[&str] = &[
    "PROVIDE",
    "REQUIRE",
    "CONFLICT",
    "OBSOLETE",
    "RECOMMEND",
    "SUGGEST",
    "SUPPLEMENT",
    "ENHANCE",
    "OLDSUGGESTS",
    "OLDENHANCES",
];
/// `%preuntrans` and `%postuntrans` came with rpm 4.19.
const SCRIPTLETS: &[(&str, &str)] = &[
    ("%pretrans", "PRETRANS"),
    ("%pre", "PREIN"),
    ("%post", "POSTIN"),
    ("%preun", "PREUN"),
    ("%postun", "POSTUN"),
    ("%posttrans", "POSTTRANS"),
    ("%verify", "VERIFYSCRIPT"),
];
/// The sets of triggers: how their tags begin, and each kind's flag and name.
const TRIGGERS: &[(&str, &[(u32, &str)])] = &[
    (
        "TRIGGER",
        &[(1 << 25, "%triggerprein"), (1 << 16, "%triggerin"), (1 << 17, "%triggerun"), (1 << 18, "%triggerpostun")],
    ),
    ("FILETRIGGER", &[(1 << 16, "%filetriggerin"), (1 << 17, "%filetriggerun"), (1 << 18, "%filetriggerpostun")]),
    (
        "TRANSFILETRIGGER",
        &[(1 << 16, "%transfiletriggerin"), (1 << 17, "%transfiletriggerun"), (1 << 18, "%transfiletriggerpostun")],
    ),
];
const SIGNATURES: &[&str] = &["RSAHEADER", "DSAHEADER", "SIGPGP", "SIGGPG"];

/// rpm's answer, field after field.
struct Answer {
    fields: std::vec::IntoIter<Vec<u8>>,
}

/// Says where rpm reads something else.
pub(crate) fn differences(path: &Path, ours: &PackageHeader) -> Vec<String> {
    let mut answer = Answer::ask(path);
    let mut found = Vec::new();
    compare_scalars(&mut answer, ours, &mut found);
    let kinds = [
        &ours.provides,
        &ours.requires,
        &ours.conflicts,
        &ours.obsoletes,
        &ours.recommends,
        &ours.suggests,
        &ours.supplements,
        &ours.enhances,
        &ours.old_suggests,
        &ours.old_enhances,
    ];
    for (kind, ours) in DEPENDENCIES.iter().zip(kinds) {
        let theirs = if *kind == "PROVIDE" { answer.provides() } else { answer.dependencies() };
        compare(kind, ours, &theirs, &mut found);
    }
    compare("files", &ours.files, &answer.files(), &mut found);
    compare("changelog", &ours.changelog, &answer.changelog(), &mut found);
    compare("scriptlets", &ours.scriptlets, &answer.scriptlets(), &mut found);
    compare("triggers", &ours.triggers, &answer.triggers(), &mut found);
    for tag in SIGNATURES {
        let signature = ours.signatures.iter().find(|signature| signature.tag == *tag);
        let described = signature.map_or("(none)".to_owned(), |signature| {
            signature.info().map_or("unknown".to_owned(), |info| {
                let key_id = info.key_id.unwrap_or_default();
                format!("{}/{}, Key ID {key_id}", info.algorithm, info.hash)
            })
        });
        match without_date(&answer.next()).as_str() {
            // rpm 4.18 does not know all algorithms.
            "(not an OpenPGP signature)" if described.starts_with("ECDSA/") => {}
            expected => compare(tag, &described, &expected.to_owned(), &mut found),
        }
    }
    compare("is_source", &ours.is_source, &(answer.next() == "source"), &mut found);
    assert_eq!(answer.fields.next(), Some(Vec::new()));
    assert_eq!(answer.fields.next(), None);
    found
}

fn compare_scalars(answer: &mut Answer, ours: &PackageHeader, found: &mut Vec<String>) {
    let or_none = |value: &Option<String>| value.clone().unwrap_or("(none)".to_owned());
    let number = |value: u64| value.to_string();
    let evr = &ours.nevra.evr;
    let values = [
        ours.nevra.name.to_string(),
        evr.epoch().to_string(),
        evr.version().to_owned(),
        evr.release().to_owned(),
        ours.nevra.arch.to_string(),
        ours.summary.clone(),
        ours.description.clone(),
        ours.license.clone(),
        or_none(&ours.vendor),
        or_none(&ours.group),
        or_none(&ours.url),
        or_none(&ours.packager),
        or_none(&ours.distribution),
        or_none(&ours.dist_url),
        or_none(&ours.vcs),
        or_none(&ours.bug_url),
        or_none(&ours.rpm_version),
        or_none(&ours.build_host),
        ours.build_time.map_or("(none)".to_owned(), number),
        or_none(&ours.source_rpm),
        number(ours.installed_size),
        number(ours.archive_size),
        or_none(&ours.payload_compressor),
    ];
    for (field, value) in SCALARS.iter().zip(values) {
        let expected = match (*field, answer.next()) {
            // rpm names the architecture of the machine that built a source package.
            ("ARCH", _) if ours.is_source => continue,
            // rpm 4.18 does not know where version 6 packages keep it.
            ("LONGARCHIVESIZE", none) if none == "(none)" => continue,
            (_, expected) => expected,
        };
        compare(field, &value, &expected, found);
    }
}

fn compare<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, theirs: &T, found: &mut Vec<String>) {
    if ours != theirs {
        found.push(format!("{what}: {ours:?} instead of {theirs:?}"));
    }
}

/// `RSA/SHA256, Tue 03 Feb 2026, Key ID …` without the date in the middle.
fn without_date(signature: &str) -> String {
    match (signature.find(", "), signature.find(", Key ID")) {
        (Some(first), Some(last)) => format!("{}{}", &signature[..first], &signature[last..]),
        _ => signature.to_owned(),
    }
}

fn format() -> String {
    let mut format: String = SCALARS.iter().map(|tag| format!("%{{{tag}}}\\a")).collect();
    for kind in DEPENDENCIES {
        format += &format!("[%{{{kind}NAME}}\\v%{{{kind}FLAGS}}\\v%{{{kind}VERSION}}\\b]\\a");
    }
    let columns = [
        "FILENAMES",
        "FILEMODES",
        "FILEUSERNAME",
        "FILEGROUPNAME",
        "LONGFILESIZES",
        "FILEMTIMES",
        "FILEDIGESTS",
        "FILELINKTOS",
        "FILEFLAGS",
        "FILECAPS",
        "FILELANGS",
    ];
    format += &format!("[%{{{}}}\\b]\\a", columns.join("}\\v%{"));
    format += "[%{CHANGELOGNAME}\\v%{CHANGELOGTIME}\\v%{CHANGELOGTEXT}\\b]\\a";
    for (_, tag) in SCRIPTLETS {
        format += &format!("%|{tag}?{{%{{{tag}}}}}:{{(none)}}|\\a[%{{{tag}PROG}}\\v]\\a");
    }
    for (set, kinds) in TRIGGERS {
        let priority = if kinds.len() == 3 { format!("\\v%{{{set}PRIORITIES}}") } else { String::new() };
        format += &format!("[%{{{set}NAME}}\\v%{{{set}FLAGS}}\\v%{{{set}VERSION}}\\v%{{{set}INDEX}}\\b]\\a");
        format += &format!("[%{{{set}SCRIPTS}}\\v%{{{set}SCRIPTPROG}}{priority}\\b]\\a");
    }
    for tag in SIGNATURES {
        format += &format!("%{{{tag}:pgpsig}}\\a");
    }
    format + "%|SOURCERPM?{binary}:{source}|\\a"
}

impl Answer {
    fn ask(path: &Path) -> Self {
        let output = Command::new("rpm")
            .env("LC_ALL", "C.UTF-8")
            .args(["-qp", "--nosignature", "--nodigest", "--qf", &format()])
            .arg(path)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        let fields: Vec<Vec<u8>> = output.stdout.split(|byte| *byte == FIELD).map(<[u8]>::to_vec).collect();
        Self { fields: fields.into_iter() }
    }

    fn next(&mut self) -> String {
        decode(&self.fields.next().unwrap())
    }

    /// The rows of an array whose columns are all there.
    fn rows<const N: usize>(&mut self) -> Vec<[String; N]> {
        let field = self.fields.next().unwrap();
        let rows = field.split(|byte| *byte == ROW).filter(|row| !row.is_empty() && !row.starts_with(b"(none)"));
        let columns = |row: &[u8]| row.split(|byte| *byte == COLUMN).map(decode).collect::<Vec<_>>();
        rows.map(|row| columns(row).try_into().unwrap()).collect()
    }

    /// Without the duplicate that rpm makes when it lets an ancient package provide itself and does not see that it does.
    fn provides(&mut self) -> Vec<Dependency> {
        let mut provides = self.dependencies();
        if provides.len() > 1 && provides.last() == provides.first() {
            provides.pop();
        }
        provides
    }

    fn dependencies(&mut self) -> Vec<Dependency> {
        let rows = self.rows().into_iter();
        rows.map(|[name, flags, version]| Dependency { name, flags: number(&flags), version }).collect()
    }

    fn files(&mut self) -> Vec<FileEntry> {
        let rows = self.rows().into_iter();
        rows.map(|[path, mode, user, group, size, mtime, digest, link_target, flags, capabilities, language]| {
            FileEntry {
                path,
                mode: number::<u32>(&mode) as u16,
                user,
                group,
                size: number(&size),
                mtime: number(&mtime),
                digest,
                link_target,
                flags: number(&flags),
                capabilities: or_empty(capabilities),
                language: or_empty(language),
            }
        })
        .collect()
    }

    fn changelog(&mut self) -> Vec<ChangelogEntry> {
        let rows = self.rows().into_iter();
        rows.map(|[author, time, text]| ChangelogEntry { author, time: number(&time), text }).collect()
    }

    fn scriptlets(&mut self) -> Vec<Scriptlet> {
        let mut scriptlets = Vec::new();
        for (name, _) in SCRIPTLETS {
            let (body, interpreter) = (self.next(), self.next());
            if body == "(none)" && interpreter.is_empty() {
                continue;
            }
            let interpreter = if interpreter.is_empty() { "/bin/sh".to_owned() } else { interpreter };
            let interpreter = interpreter.split_terminator(char::from(COLUMN)).map(str::to_owned).collect();
            let body = if body == "(none)" { String::new() } else { body };
            scriptlets.push(Scriptlet { name, interpreter, body });
        }
        scriptlets
    }

    fn triggers(&mut self) -> Vec<Trigger> {
        let mut triggers = Vec::new();
        for (_, kinds) in TRIGGERS {
            let watched: Vec<[String; 4]> = self.rows();
            let scripts: Vec<Vec<String>> = match kinds.len() {
                3 => self.rows::<3>().into_iter().map(Vec::from).collect(),
                _ => self.rows::<2>().into_iter().map(Vec::from).collect(),
            };
            for (script, columns) in scripts.into_iter().enumerate() {
                let of_script = watched.iter().filter(|row| row[3] == script.to_string());
                let watches: Vec<Dependency> = of_script
                    .map(|[name, flags, version, _]| Dependency {
                        name: name.clone(),
                        flags: number(flags),
                        version: version.clone(),
                    })
                    .collect();
                let (_, name) = kinds.iter().find(|(flag, _)| watches[0].flags & flag != 0).unwrap();
                let priority = columns.get(2).map(|priority| number(priority));
                let (body, interpreter) = (columns[0].clone(), columns[1].clone());
                triggers.push(Trigger { name, watches, interpreter, body, priority });
            }
        }
        triggers
    }
}

/// What rpm shows as `(none)` where the package has no such tag at all.
fn or_empty(text: String) -> String {
    if text == "(none)" { String::new() } else { text }
}

fn number<T: std::str::FromStr + Default>(text: &str) -> T {
    text.parse().unwrap_or_default()
}

fn decode(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect())
}
