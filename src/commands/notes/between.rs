//! The notes of all versions between two, as the packages in a channel tell them.

use std::collections::BTreeMap;

use nevra::{Evr, Name};
use repo_api::{ChannelName, Client, ClientError};
use rpm_header::{ChangelogEntry, PackageHeader, ReadHeaderError};

use crate::render::printable;

/// What one version tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionNotes {
    /// The version.
    pub(crate) evr: Evr,
    /// The text of its changelog, line by line, safe for a terminal.
    pub(crate) lines: Vec<String>,
}

/// How many versions between are asked for; the newest.
const VERSIONS: usize = 20;
/// How much of a package is read first; four times as much until its header is there.
const FIRST: usize = 64 * 1024;
const LIMIT: usize = 64 << 20;

/// The notes of each version of a package that is newer than `from` and not newer than `to`, newest first; where `to` is the
/// older one, of those that are taken back. They come from the changelogs in the packages' headers, whoever built them, so
/// that a promotion carries them along.
pub(crate) async fn notes_between(
    client: &Client,
    channel: &ChannelName,
    name: &Name,
    (from, to): (Option<&Evr>, &Evr),
) -> Result<Vec<VersionNotes>, ClientError> {
    let is_back = from.is_some_and(|from| from.compare(to).is_gt());
    let (older, newer) = if is_back { (Some(to), from.unwrap_or(to)) } else { (from, to) };
    let is_between = |evr: &Evr| older.is_none_or(|older| evr.compare(older).is_gt()) && evr.compare(newer).is_le();
    let listed = client.packages(channel).await?;
    let mut packages: Vec<_> = listed
        .packages
        .into_iter()
        .filter(|package| package.nevra.name == *name && is_between(&package.nevra.evr))
        .collect();
    packages.sort_by(|left, right| right.nevra.evr.compare(&left.nevra.evr));
    // The first version on a host: its own notes say enough.
    packages.truncate(if from.is_some() { VERSIONS } else { 1 });
    let mut found: BTreeMap<String, VersionNotes> = BTreeMap::new();
    for package in packages {
        let Some(header) = package_header(client, &package.url).await? else { continue };
        for (evr, lines) in told(&header, is_between) {
            found.entry(evr.to_string()).or_insert(VersionNotes { evr, lines });
        }
    }
    let mut found: Vec<VersionNotes> = found.into_values().collect();
    found.sort_by(|left, right| right.evr.compare(&left.evr));
    Ok(found)
}

/// Reads a package's header, and no more of it than that takes; none where it is no package.
pub(crate) async fn package_header(client: &Client, url: &str) -> Result<Option<PackageHeader>, ClientError> {
    let mut wanted = FIRST;
    loop {
        let bytes = client.read_beginning(url, wanted).await?;
        match PackageHeader::read(&mut bytes.as_slice()) {
            Ok(header) => return Ok(Some(header)),
            Err(ReadHeaderError::Truncated { .. }) if bytes.len() == wanted && wanted < LIMIT => wanted *= 4,
            Err(_) => return Ok(None),
        }
    }
}

/// What a changelog tells of the versions that are wanted: entries say at their end which version they are of; where the
/// newest does not, it is the package's own.
fn told(header: &PackageHeader, is_wanted: impl Fn(&Evr) -> bool) -> Vec<(Evr, Vec<String>)> {
    let own = &header.nevra.evr;
    let entries = header.changelog.iter().enumerate().filter_map(|(index, entry)| {
        let evr = evr_of(entry, own).or_else(|| (index == 0).then(|| own.clone()))?;
        Some((evr, entry.text.lines().map(|line| printable(line.trim_end())).collect()))
    });
    entries.filter(|(evr, _)| is_wanted(evr)).collect()
}

/// `Name <mail> - [epoch:]version-release`, or `Name <mail> version-release`; without an epoch, it is the package's.
fn evr_of(entry: &ChangelogEntry, own: &Evr) -> Option<Evr> {
    let last = entry.author.rsplit(' ').next()?;
    let (epoch, rest) = match last.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().ok()?, rest),
        None => (own.epoch(), last),
    };
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, own.release()));
    let is_version = version.starts_with(|first: char| first.is_ascii_digit());
    Evr::new(epoch, version, release).ok().filter(|_| is_version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::inspect::sample_header;

    #[test]
    fn entries_belong_to_versions() {
        let mut header = sample_header();
        let entry =
            |author: &str, text: &str| ChangelogEntry { author: author.to_owned(), time: 0, text: text.to_owned() };
        header.changelog = vec![
            entry("Ana <a@example.org> - 1.4.0-57", "- four\u{1b}[31m\n- more"),
            entry("Ana <a@example.org> - 1:1.3.0-50", "- three"),
            entry("Ana <a@example.org> 1.2-1", "- two"),
            entry("Ana <a@example.org>", "- none"),
        ];
        let after: Evr = "1:1.2-1".parse().unwrap();
        let told = told(&header, |evr| evr.compare(&after).is_gt());
        let rows: Vec<(String, usize)> = told.iter().map(|(evr, lines)| (evr.to_string(), lines.len())).collect();
        assert_eq!(rows, [("1:1.4.0-57".to_owned(), 2), ("1:1.3.0-50".to_owned(), 1)]);
        assert_eq!(told[0].1[0], "- four\\u{1b}[31m");
        header.changelog = vec![entry("Ana", "- own")];
        assert_eq!(super::told(&header, |_| true)[0].0.to_string(), "1:1.4.0-57");
    }
}
