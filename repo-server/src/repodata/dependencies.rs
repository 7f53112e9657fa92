//! Dependencies as repodata lists them, which is not quite all that the header has.

use std::cmp::Ordering;
use std::collections::HashMap;

use nevra::rpmvercmp;
use rpm_header::{Dependency, FileEntry, PackageHeader};

use super::xml::{push_attribute, push_number};

/// A dependency's version in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Version<'a> {
    epoch: &'a str,
    version: &'a str,
    release: &'a str,
}

/// Appends all dependencies of a package, kind by kind, as createrepo_c orders and lists them; `primary_files` are those
/// that primary lists.
pub(super) fn push_dependencies(xml: &mut String, header: &PackageHeader, primary_files: &[&FileEntry]) {
    let requires = listed_requires(&header.requires, &header.provides, primary_files);
    let (recommended, required) = split(requires.into_iter(), Dependency::MISSING_OK);
    let (old_recommends, old_suggests) = split(header.old_suggests.iter(), Dependency::STRONG);
    let (old_supplements, old_enhances) = split(header.old_enhances.iter(), Dependency::STRONG);
    push_kind(xml, "provides", header.provides.iter());
    push_kind(xml, "requires", required.into_iter());
    push_kind(xml, "conflicts", header.conflicts.iter());
    push_kind(xml, "obsoletes", header.obsoletes.iter());
    push_kind(xml, "suggests", header.suggests.iter().chain(old_suggests));
    push_kind(xml, "enhances", header.enhances.iter().chain(old_enhances));
    push_kind(xml, "recommends", recommended.into_iter().chain(&header.recommends).chain(old_recommends));
    push_kind(xml, "supplements", header.supplements.iter().chain(old_supplements));
}

/// Splits dependencies into those with a flag and those without.
fn split<'a>(entries: impl Iterator<Item = &'a Dependency>, flag: u32) -> (Vec<&'a Dependency>, Vec<&'a Dependency>) {
    entries.partition(|entry| entry.flags & flag != 0)
}

/// Appends `<rpm:NAME>` with its entries, or nothing where there are none.
fn push_kind<'a>(xml: &mut String, name: &str, entries: impl Iterator<Item = &'a Dependency>) {
    let mut entries = entries.filter(|entry| is_readable(entry)).peekable();
    if entries.peek().is_none() {
        return;
    }
    xml.push_str("    <rpm:");
    xml.push_str(name);
    xml.push_str(">\n");
    for entry in entries.filter(|entry| !entry.name.is_empty()) {
        push_entry(xml, entry, name == "requires");
    }
    xml.push_str("    </rpm:");
    xml.push_str(name);
    xml.push_str(">\n");
}

fn push_entry(xml: &mut String, entry: &Dependency, with_pre: bool) {
    xml.push_str("      <rpm:entry");
    push_attribute(xml, "name", &entry.name);
    if let Some(comparison) = entry.comparison() {
        push_attribute(xml, "flags", comparison);
        if let Some(version) = split_version(&entry.version) {
            let parts = [("epoch", version.epoch), ("ver", version.version), ("rel", version.release)];
            for (attribute, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
                push_attribute(xml, attribute, text);
            }
        }
    }
    if with_pre && is_pre(entry) {
        push_number(xml, "pre", 1);
    }
    xml.push_str("/>\n");
}

fn is_pre(entry: &Dependency) -> bool {
    entry.flags & Dependency::PRE != 0
}

/// Whether its version, where there is one, can be told apart: createrepo_c leaves out what has an epoch that is no number.
fn is_readable(entry: &Dependency) -> bool {
    entry.version.is_empty() || split_version(&entry.version).is_some()
}

/// Splits `[epoch:]version[-release]`, any part of which may be empty; the epoch is `0` where none is written. `None` for
/// an empty text and an epoch that is no number.
fn split_version(text: &str) -> Option<Version<'_>> {
    if text.is_empty() {
        return None;
    }
    let (epoch, rest) = match text.split_once(':') {
        None | Some(("", _)) => ("0", text.strip_prefix(':').unwrap_or(text)),
        Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
        Some(_) => return None,
    };
    let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
    Some(Version { epoch, version, release })
}

/// As C's `strtol` reads numbers: blanks and a sign may come before the digits.
fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a dependency asks for or offers, whatever else its flags say.
fn meaning(entry: &Dependency) -> (&str, Option<&str>, &str) {
    (&entry.name, entry.comparison(), &entry.version)
}

/// Gives what a package requires of others, as createrepo_c lists it: without features of rpm itself, without what it
/// provides in the same words, without its own files as far as primary lists them, without repetitions, and of libc's
/// symbol versions only the highest.
fn listed_requires<'a>(
    requires: &'a [Dependency],
    provides: &[Dependency],
    primary_files: &[&FileEntry],
) -> Vec<&'a Dependency> {
    // Sorted, these are searched faster than sets of so few texts.
    let mut provided: Vec<_> = provides.iter().filter(|entry| is_readable(entry)).map(meaning).collect();
    provided.sort_unstable();
    let mut own_files: Vec<&str> =
        primary_files.iter().map(|file| file.path.as_str()).filter(|path| path.starts_with('/')).collect();
    own_files.sort_unstable();
    let is_own = |entry: &Dependency| {
        provided.binary_search(&meaning(entry)).is_ok()
            || (entry.name.starts_with('/') && own_files.binary_search(&entry.name.as_str()).is_ok())
    };
    let mut last_of_name = HashMap::with_capacity(requires.len());
    let mut highest_libc: Option<&Dependency> = None;
    let mut listed = Vec::with_capacity(requires.len());
    for entry in requires {
        let name = entry.name.as_str();
        if name.starts_with("rpmlib(") || is_own(entry) {
            continue;
        }
        let is_needed = entry.flags & Dependency::MISSING_OK == 0;
        if name.starts_with("libc.so.6") && is_needed {
            highest_libc = Some(match highest_libc {
                Some(highest) if compare_libc(&highest.name, name) != Ordering::Less => highest,
                _ => entry,
            });
            continue;
        }
        let said = (meaning(entry), is_pre(entry));
        let is_repeated = if is_needed {
            last_of_name.insert(name, said) == Some(said)
        } else {
            last_of_name.get(name) == Some(&said)
        };
        if !is_repeated {
            listed.push(entry);
        }
    }
    listed.extend(highest_libc);
    listed
}

/// Compares libc's symbol versions: `libc.so.6()` before `libc.so.6(GLIBC_2.3.4)` before `libc.so.6(GLIBC_2.4)`.
fn compare_libc(left: &str, right: &str) -> Ordering {
    let ((left_rank, left), (right_rank, right)) = (symbol_version(left), symbol_version(right));
    left_rank.cmp(&right_rank).then_with(|| rpmvercmp(left, right))
}

/// Gives `2.4` of `libc.so.6(GLIBC_2.4)(64bit)`, and how much there is of a version, nothing being the least.
fn symbol_version(name: &str) -> (u8, &str) {
    let Some((_, after)) = name.split_once('(') else { return (0, "") };
    match after.split_once(')') {
        None => (1, ""),
        Some(("", _)) => (2, ""),
        Some((inside, _)) => inside.find(|c: char| c.is_ascii_digit()).map_or((3, ""), |start| (4, &inside[start..])),
    }
}

#[cfg(test)]
mod tests {
    use super::super::primary_path::is_primary_path;
    use super::*;

    fn dependency(name: &str, flags: u32, version: &str) -> Dependency {
        Dependency { name: name.to_owned(), flags, version: version.to_owned() }
    }

    fn file(path: &str) -> FileEntry {
        FileEntry {
            path: path.to_owned(),
            mode: 0o100_644,
            user: String::new(),
            group: String::new(),
            size: 0,
            mtime: 0,
            digest: String::new(),
            link_target: String::new(),
            flags: 0,
            capabilities: String::new(),
            language: String::new(),
        }
    }

    #[test]
    fn entries() {
        let (equal, less) = (Dependency::EQUAL, Dependency::LESS);
        for (entry, expected) in [
            (dependency("a", 0, ""), r#"name="a""#),
            (dependency("a", equal, "1.0-2"), r#"name="a" flags="EQ" epoch="0" ver="1.0" rel="2""#),
            (dependency("a", less | equal, "3:1.0"), r#"name="a" flags="LE" epoch="3" ver="1.0""#),
            (dependency("a", less, "-1:-2"), r#"name="a" flags="LT" epoch="-1" rel="2""#),
            (dependency("a", less, "-"), r#"name="a" flags="LT" epoch="0""#),
            (dependency("a", Dependency::GREATER, ":1"), r#"name="a" flags="GT" epoch="0" ver="1""#),
            (dependency("a", equal, ""), r#"name="a" flags="EQ""#),
            (dependency("(a or b)", 0, ""), r#"name="(a or b)""#),
            (dependency("a", 0x200, ""), r#"name="a" pre="1""#),
            (dependency("a", 0x20, ""), r#"name="a" pre="1""#),
            (dependency("a", 0x180, ""), r#"name="a" pre="1""#),
            (dependency("a", 0x800, ""), r#"name="a""#),
        ] {
            let mut xml = String::new();
            push_entry(&mut xml, &entry, true);
            assert_eq!(xml.trim(), format!("<rpm:entry {expected}/>"));
        }
    }

    #[test]
    fn provides_have_no_pre() {
        let mut xml = String::new();
        push_kind(&mut xml, "provides", [dependency("a", 0x40, "")].iter());
        assert!(!xml.contains("pre="), "{xml}");
        push_kind(&mut xml, "conflicts", [].iter());
        assert!(!xml.contains("conflicts"), "{xml}");
    }

    #[test]
    fn what_createrepo_leaves_out() {
        let mut xml = String::new();
        push_kind(&mut xml, "obsoletes", [dependency("a", 8, "x:1"), dependency("", 0, "")].iter());
        assert_eq!(xml, "    <rpm:obsoletes>\n    </rpm:obsoletes>\n");
        for (epoch, expected) in [("1", true), (" +1", true), ("", false), ("-", false), ("1 ", false), ("x", false)] {
            assert_eq!(is_number(epoch), expected, "{epoch:?}");
        }
    }

    #[test]
    fn requires_that_are_listed() {
        let requires = [
            dependency("rpmlib(CompressedFileNames)", 0x0100_000a, "3.0.4-1"),
            dependency("/bin/sh", 0x200, ""),
            dependency("/bin/sh", 0x200, ""),
            dependency("/bin/sh", 0, ""),
            dependency("own-capability", 0x8, "1"),
            dependency("own-capability", 0, ""),
            dependency("/usr/bin/own", 0, ""),
            dependency("/usr/share/own", 0, ""),
            dependency("libc.so.6()(64bit)", 0, ""),
            dependency("libc.so.6(GLIBC_2.34)(64bit)", 0, ""),
            dependency("libc.so.6(GLIBC_2.4)(64bit)", 0, ""),
            dependency("libm.so.6", 0, ""),
        ];
        let provides = [dependency("own-capability", 0x1000_0008, "1")];
        let files = [file("/usr/bin/own"), file("/usr/share/own")];
        let primary_files: Vec<_> = files.iter().filter(|file| is_primary_path(&file.path)).collect();
        let listed = listed_requires(&requires, &provides, &primary_files);
        let names: Vec<_> = listed.iter().map(|entry| entry.name.as_str()).collect();
        let libc = "libc.so.6(GLIBC_2.34)(64bit)";
        assert_eq!(names, ["/bin/sh", "/bin/sh", "own-capability", "/usr/share/own", "libm.so.6", libc]);
    }
}
