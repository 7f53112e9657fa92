//! Where two builds of one package differ: bytes first, then what they mean.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::Context;
use rpm_header::{FileEntry, PackageHeader};

/// How many differences are told.
const TOLD: usize = 20;

/// Compares two packages. None where they are the same; else the parts that differ, as texts.
pub(super) fn between(first: &Path, second: &Path) -> anyhow::Result<Option<Vec<String>>> {
    let Some(offset) = first_difference(first, second)? else { return Ok(None) };
    let read = |path: &Path| PackageHeader::read_file(path).with_context(|| format!("`{}`", path.display()));
    let (first, second) = (read(first)?, read(second)?);
    let part = match offset {
        offset if offset < first.header_start => "signature header",
        offset if offset < first.header_end => "header",
        _ => "payload",
    };
    let mut parts = tags(&first, &second);
    parts.extend(entries(&first.files, &second.files));
    if parts.len() > TOLD {
        let more = parts.len() - TOLD;
        parts.truncate(TOLD);
        parts.push(format!("and {more} more"));
    }
    parts.insert(0, format!("the first byte that differs is {offset}, in the {part}"));
    Ok(Some(parts))
}

fn first_difference(first: &Path, second: &Path) -> anyhow::Result<Option<u64>> {
    let open = |path: &Path| Ok::<_, std::io::Error>(BufReader::with_capacity(1 << 18, fs_err::File::open(path)?));
    let (mut first, mut second) = (open(first)?.bytes(), open(second)?.bytes());
    let mut offset = 0;
    loop {
        match (first.next().transpose()?, second.next().transpose()?) {
            (None, None) => return Ok(None),
            (left, right) if left != right => return Ok(Some(offset)),
            _ => offset += 1,
        }
    }
}

/// The tags that differ, files apart.
fn tags(first: &PackageHeader, second: &PackageHeader) -> Vec<String> {
    let tag = |name: &str, read: &dyn Fn(&PackageHeader) -> String| {
        let (before, after) = (read(first), read(second));
        (before != after).then(|| format!("{name}: {} and {}", excerpt(&before), excerpt(&after)))
    };
    [
        tag("NEVRA", &|header| header.nevra.to_string()),
        tag("SUMMARY", &|header| debug(&header.summary)),
        tag("DESCRIPTION", &|header| debug(&header.description)),
        tag("LICENSE", &|header| debug(&header.license)),
        tag("URL", &|header| debug(&header.url)),
        tag("VENDOR", &|header| debug(&header.vendor)),
        tag("GROUP", &|header| debug(&header.group)),
        tag("PACKAGER", &|header| debug(&header.packager)),
        tag("DISTURL", &|header| debug(&header.dist_url)),
        tag("VCS", &|header| debug(&header.vcs)),
        tag("BUILDHOST", &|header| debug(&header.build_host)),
        tag("BUILDTIME", &|header| debug(&header.build_time)),
        tag("PROVIDES", &|header| debug(&header.provides)),
        tag("REQUIRES", &|header| debug(&header.requires)),
        tag("CONFLICTS", &|header| debug(&header.conflicts)),
        tag("OBSOLETES", &|header| debug(&header.obsoletes)),
        tag("RECOMMENDS", &|header| debug(&header.recommends)),
        tag("SUGGESTS", &|header| debug(&header.suggests)),
        tag("SUPPLEMENTS", &|header| debug(&header.supplements)),
        tag("ENHANCES", &|header| debug(&header.enhances)),
        tag("scriptlets", &|header| debug(&header.scriptlets)),
        tag("triggers", &|header| debug(&header.triggers)),
        tag("CHANGELOG", &|header| debug(&header.changelog)),
        tag("signatures", &|header| debug(&header.signatures)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn excerpt(text: &str) -> String {
    if text.chars().count() <= 120 { text.to_owned() } else { text.chars().take(119).chain(['…']).collect() }
}

/// The files that differ, with all that does.
fn entries(first: &[FileEntry], second: &[FileEntry]) -> Vec<String> {
    let (first, second) = (by_path(first), by_path(second));
    let mut parts = Vec::new();
    for (path, left) in &first {
        match second.get(path) {
            None => parts.push(format!("`{path}`: in the first alone")),
            Some(right) if right != left => parts.push(format!("`{path}`: {}", aspects(left, right))),
            Some(_) => {}
        }
    }
    let only_second = second.keys().filter(|path| !first.contains_key(*path));
    parts.extend(only_second.map(|path| format!("`{path}`: in the second alone")));
    parts
}

fn by_path(files: &[FileEntry]) -> BTreeMap<&str, &FileEntry> {
    files.iter().map(|file| (file.path.as_str(), file)).collect()
}

fn aspects(left: &FileEntry, right: &FileEntry) -> String {
    let aspect = |what: &str, read: &dyn Fn(&FileEntry) -> String| {
        let (before, after) = (read(left), read(right));
        (before != after).then(|| format!("{what} {before} and {after}"))
    };
    let aspects = [
        aspect("content", &|file| file.digest.chars().take(12).collect()),
        aspect("mode", &|file| format!("{:o}", file.mode)),
        aspect("owner", &|file| format!("{}:{}", file.user, file.group)),
        aspect("size", &|file| file.size.to_string()),
        aspect("modification time", &|file| file.mtime.to_string()),
        aspect("target", &|file| file.link_target.clone()),
        aspect("flags", &|file| file.flags.to_string()),
        aspect("capabilities", &|file| file.capabilities.clone()),
        aspect("language", &|file| file.language.clone()),
    ];
    aspects.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::inspect::sample_header;

    #[test]
    fn says_which_tags_and_files_differ() {
        let first = sample_header();
        let mut second = sample_header();
        assert!(tags(&first, &second).is_empty() && entries(&first.files, &second.files).is_empty());
        second.build_time = Some(2);
        second.files[0].mtime = 7;
        second.files[0].mode = 0o100_600;
        second.files.pop();
        assert_eq!(tags(&first, &second), ["BUILDTIME: Some(1) and Some(2)"]);
        assert_eq!(
            entries(&first.files, &second.files),
            [
                "`/etc/app/app.properties`: mode 100640 and 100600, modification time 0 and 7",
                "`/usr/share/app/app.WAR`: in the first alone"
            ]
        );
    }

    #[test]
    fn says_where_the_bytes_part() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs_err::write(&path, text).unwrap();
            path
        };
        let first = write("a", "abc");
        for (text, expected) in [("abc", None), ("abd", Some(2)), ("ab", Some(2)), ("abcd", Some(3)), ("", Some(0))] {
            assert_eq!(first_difference(&first, &write("b", text)).unwrap(), expected, "{text}");
        }
    }
}
