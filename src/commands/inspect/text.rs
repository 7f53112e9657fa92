//! The text of `pkg inspect`: sections only where there is something. Nothing of a package is printed unescaped.

use chrono::DateTime;
use rpm_header::{Dependency, FileEntry, PackageHeader, Signature, Trigger};

use super::Inspected;
use super::digests::{Comparison, Digests};
use crate::render::printable;

/// Lays out everything that an RPM's headers say, without a line end at the end.
pub(super) fn report(inspected: &Inspected<'_>) -> String {
    let header = &inspected.header;
    let mut lines = vec![printable(&header.nevra.to_string()), printable(&header.summary), String::new()];
    lines.extend(facts(inspected));
    section(&mut lines, "Description", block(&header.description));
    section(&mut lines, "Provenance", provenance(&inspected.provenance));
    section(&mut lines, "Configuration", inspected.configuration().map(configuration).collect());
    section(&mut lines, "Jars", inspected.jars().map(|file| printable(&file.path)).collect());
    section(&mut lines, "Files", files(&header.files));
    for (title, dependencies) in dependency_kinds(header) {
        section(&mut lines, title, dependency_lines(dependencies));
    }
    for scriptlet in &header.scriptlets {
        let title = format!("{} ({})", scriptlet.name, printable(&scriptlet.interpreter.join(" ")));
        section(&mut lines, &title, body(&scriptlet.body));
    }
    for trigger in &header.triggers {
        section(&mut lines, &trigger_title(trigger), body(&trigger.body));
    }
    section(&mut lines, "Changelog", changelog(header));
    lines.join("\n")
}

fn body(script: &str) -> Vec<String> {
    let body = block(script);
    if body.is_empty() { vec!["(no script)".to_owned()] } else { body }
}

/// As in a .spec file: `%triggerin (/bin/sh) -- tomcat >= 9`.
fn trigger_title(trigger: &Trigger) -> String {
    let watches: Vec<String> = trigger.watches.iter().map(ToString::to_string).collect();
    let priority = trigger.priority.map(|priority| format!(", priority {priority}")).unwrap_or_default();
    format!("{} ({}{priority}) -- {}", trigger.name, printable(&trigger.interpreter), printable(&watches.join(", ")))
}

fn dependency_kinds(header: &PackageHeader) -> [(&'static str, &[Dependency]); 10] {
    [
        ("Requires", &header.requires),
        ("Provides", &header.provides),
        ("Conflicts", &header.conflicts),
        ("Obsoletes", &header.obsoletes),
        ("Recommends", &header.recommends),
        ("Suggests", &header.suggests),
        ("Supplements", &header.supplements),
        ("Enhances", &header.enhances),
        ("Suggests (old tag)", &header.old_suggests),
        ("Enhances (old tag)", &header.old_enhances),
    ]
}

/// Once each: rpmbuild writes `/bin/sh` for every scriptlet.
fn dependency_lines(dependencies: &[Dependency]) -> Vec<String> {
    let mut lines: Vec<String> = dependencies.iter().map(|one| printable(&one.to_string())).collect();
    lines.dedup();
    lines
}

fn section(lines: &mut Vec<String>, title: &str, content: Vec<String>) {
    if !content.is_empty() {
        lines.extend([String::new(), title.to_owned()]);
        let indented = content.into_iter().map(|line| if line.is_empty() { line } else { format!("  {line}") });
        lines.extend(indented);
    }
}

fn facts(inspected: &Inspected<'_>) -> Vec<String> {
    let header = &inspected.header;
    let text = |value: &Option<String>| value.as_deref().map(printable);
    let built = match (header.build_time.map(time), text(&header.build_host)) {
        (Some(time), Some(host)) => Some(format!("{time} on {host}")),
        (time, host) => time.or(host),
    };
    let file_size = inspected.file_size.map(|bytes| size(bytes) + ", ").unwrap_or_default();
    let size = format!("{file_size}{} installed", size(header.installed_size));
    let facts = [
        ("License", Some(printable(&header.license))),
        ("Vendor", text(&header.vendor)),
        ("Packager", text(&header.packager)),
        ("Group", text(&header.group)),
        ("URL", text(&header.url)),
        ("Sources", text(&header.vcs)),
        ("Build", text(&header.dist_url)),
        ("Bugs", text(&header.bug_url)),
        ("For", text(&header.distribution)),
        ("Built", built),
        ("Built by", text(&header.rpm_version)),
        ("Built from", text(&header.source_rpm)),
        ("Size", Some(size)),
        ("Payload", text(&header.payload_compressor)),
        ("Digests", Some(digests(inspected.digests))),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    let signatures = if header.signatures.is_empty() {
        vec!["none".to_owned()]
    } else {
        header.signatures.iter().map(signature).collect()
    };
    let signatures = signatures.into_iter().map(|signature| ("Signature", signature));
    facts.chain(signatures).map(|(name, value)| format!("{name:<11} {value}")).collect()
}

/// What the lines above do not say yet.
fn provenance(entries: &[(String, String)]) -> Vec<String> {
    let known = |key: &str| matches!(key, "name" | "version" | "release" | "sources" | "source.date");
    let entries: Vec<_> = entries.iter().filter(|(key, _)| !known(key)).collect();
    let width = entries.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    entries.iter().map(|(key, value)| format!("{:<width$} {}", printable(key), printable(value))).collect()
}

fn digests(digests: Digests) -> String {
    let one = |name: &str, comparison: Option<Comparison>| {
        let said = match comparison? {
            Comparison::Ok => "OK",
            Comparison::Wrong => "WRONG",
        };
        Some(format!("{name} {said}"))
    };
    let all = [one("header", digests.header), one("payload", digests.payload)];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn signature(signature: &Signature) -> String {
    let Some(info) = signature.info() else { return format!("unknown ({})", signature.tag) };
    let issuer = info.fingerprint.or(info.key_id).unwrap_or("unknown".to_owned());
    let created = info.created.map(|created| format!(" of {}", time(created.into()))).unwrap_or_default();
    format!("{}/{} by key {issuer}{created} ({})", info.algorithm, info.hash, signature.tag)
}

fn configuration(file: &FileEntry) -> String {
    let flags: Vec<&str> = file.flag_names().filter(|name| *name != "config").collect();
    let flags = if flags.is_empty() { String::new() } else { format!(" ({})", flags.join(", ")) };
    format!("{}{flags}", printable(&file.path))
}

/// Columns as of `ls -l`, as wide as need be.
fn files(files: &[FileEntry]) -> Vec<String> {
    let owner = |file: &FileEntry| printable(&format!("{}:{}", file.user, file.group));
    let owner_width = files.iter().map(|file| owner(file).chars().count()).max().unwrap_or(0);
    let size_width = files.iter().map(|file| file.size.to_string().len()).max().unwrap_or(0);
    let row = |file: &FileEntry| {
        let (permissions, owner, path) = (permissions(file.mode), owner(file), printable(&file.path));
        let target = match printable(&file.link_target) {
            target if target.is_empty() => target,
            target => format!(" -> {target}"),
        };
        let mut notes: Vec<String> = file.flag_names().map(str::to_owned).collect();
        notes.extend((!file.capabilities.is_empty()).then(|| printable(&file.capabilities)));
        notes.extend((!file.language.is_empty()).then(|| format!("language {}", printable(&file.language))));
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        format!("{permissions} {owner:<owner_width$} {:>size_width$} {path}{target}{notes}", file.size)
    };
    files.iter().map(row).collect()
}

/// `st_mode` as `ls -l` shows it.
fn permissions(mode: u16) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    };
    let special = |set: bool, executable: char, other: char| match (set, executable) {
        (false, executable) => executable,
        (true, 'x') => other.to_ascii_lowercase(),
        (true, _) => other,
    };
    let bit = |bit: u16, letter: char| if mode & bit != 0 { letter } else { '-' };
    let mut text = String::from(kind);
    for (shift, special_bit, letter) in [(6, 0o4000, 'S'), (3, 0o2000, 'S'), (0, 0o1000, 'T')] {
        text.push(bit(0o4 << shift, 'r'));
        text.push(bit(0o2 << shift, 'w'));
        text.push(special(mode & special_bit != 0, bit(0o1 << shift, 'x'), letter));
    }
    text
}

fn changelog(header: &PackageHeader) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in &header.changelog {
        let day = time(entry.time);
        let day = day.split(' ').next().unwrap_or(&day);
        lines.push(format!("{day} {}", printable(&entry.author)));
        lines.extend(block(&entry.text).into_iter().map(|line| format!("  {line}")));
    }
    lines
}

/// The lines of a text, without empty ones at the end.
fn block(text: &str) -> Vec<String> {
    text.trim_end().lines().map(printable).collect()
}

fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| format!("second {seconds}"), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {} ({bytes} bytes)", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::inspect::tests::{inspected, sample};

    const REPORT: &str = "\
app-1:1.4.0-57.noarch
An \\u{1b}[31mapplication

License     MIT
Built       1970-01-01 00:00:01 UTC
Size        4.0 KiB (4096 bytes), 12 bytes installed
Digests     header OK
Signature   unknown (RSAHEADER)

Provenance
  commit 0123
  branch main\\u{1b}

Configuration
  /etc/app/app.properties (noreplace)

Jars
  /usr/share/app/app.WAR

Files
  -rw-r----- root:tomcat 12 /etc/app/app.properties (config, noreplace)
  drwxr-xr-x root:root    0 /usr/share/app/exploded.war
  lrwxrwxrwx root:root    7 /usr/share/app/app.WAR -> app.bin

Requires
  java >= 17

%post (/bin/sh -e)
  echo one

  echo two

%postun (/sbin/ldconfig)
  (no script)

Changelog
  1970-01-01 Ana <ana@example.org>
    - First";

    #[test]
    fn report_shows_what_there_is() {
        let source = "app.rpm".parse().unwrap();
        assert_eq!(report(&inspected(&source, sample())), REPORT);
    }

    #[test]
    fn permissions_as_ls_shows_them() {
        for (mode, text) in [
            (0o100_644, "-rw-r--r--"),
            (0o040_750, "drwxr-x---"),
            (0o120_777, "lrwxrwxrwx"),
            (0o104_755, "-rwsr-xr-x"),
            (0o102_644, "-rw-r-Sr--"),
            (0o041_777, "drwxrwxrwt"),
            (0o020_600, "crw-------"),
        ] {
            assert_eq!(permissions(mode), text, "{mode:o}");
        }
    }

    #[test]
    fn sizes_and_times() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB (1536 bytes)");
        assert_eq!(size(u64::MAX), "16777216.0 TiB (18446744073709551615 bytes)");
        assert_eq!(time(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(time(u64::MAX), "second 18446744073709551615");
    }

    #[test]
    fn blocks_hold_no_control_characters() {
        assert_eq!(block("one\u{1b}[2J\n\n two\r\n\n"), ["one\\u{1b}[2J", "", " two"]);
    }
}
