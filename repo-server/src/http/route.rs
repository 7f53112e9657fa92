//! The URLs of channels' files, which clients of many kinds build by themselves, and what no URL may hold.

use percent_encoding::percent_decode_str;
use repo_api::{ChannelName, Moment, TagName};

use super::metrics::Label;
use crate::repodata::MetadataFile;

/// What a URL stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// `/CHANNEL/keys.asc`
    ChannelKeys(ChannelName),
    /// `/CHANNEL/metalink`
    Metalink(ChannelName),
    /// `/CHANNEL/@TAG/…`
    TaggedFile {
        /// The channel.
        channel: ChannelName,
        /// The tag.
        tag: TagName,
        /// Which of its files.
        file: ChannelFile,
    },
    /// `/CHANNEL/CHANNEL.repo`
    RepoFile(ChannelName),
    /// `/CHANNEL/mirrorlist`
    MirrorList(ChannelName),
    /// `/CHANNEL/…` and `/CHANNEL/@N/…`
    File {
        /// The channel.
        channel: ChannelName,
        /// The commit; `None` for the newest.
        at: Option<u64>,
        /// Which of its files.
        file: ChannelFile,
    },
}

/// A file of a channel, as yum clients know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChannelFile {
    /// `repodata/repomd.xml`
    Repomd,
    /// `repodata/repomd.xml.asc`
    RepomdSignature,
    /// `repodata/repomd.xml.key`
    RepomdKey,
    /// `repodata/SHA256-primary.xml.gz` and its like
    Metadata(MetadataFile),
    /// `Packages/FILE`
    Package(String),
}

/// Says why a path is no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// No client would ask for this: `..`, an escape that is none, a control character.
    Malformed,
    /// There is nothing of that name.
    Unknown,
}

impl Route {
    /// Reads the path of a URL, percent-encoded as it came.
    pub(super) fn parse(path: &str) -> Result<Self, NoRoute> {
        let path = path.strip_prefix('/').ok_or(NoRoute::Malformed)?;
        let segments: Vec<String> = path.split('/').map(segment).collect::<Result<_, _>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            // What the table of routes knows nothing of is no channel.
            ["api" | "keys", ..] => Err(NoRoute::Unknown),
            [channel, rest @ ..] => channel_route(parsed(channel)?, rest),
            [] => Err(NoRoute::Unknown),
        }
    }
}

impl Route {
    /// The channel that has to be readable for it.
    pub(super) fn channel(&self) -> &ChannelName {
        match self {
            Self::RepoFile(channel)
            | Self::MirrorList(channel)
            | Self::Metalink(channel)
            | Self::ChannelKeys(channel)
            | Self::File { channel, .. }
            | Self::TaggedFile { channel, .. } => channel,
        }
    }

    /// What it is counted under.
    pub(super) fn label(&self) -> Label {
        match self {
            Self::ChannelKeys(_) => Label::Key,
            Self::RepoFile(_) | Self::MirrorList(_) | Self::Metalink(_) => Label::ClientSetup,
            Self::File { file, .. } | Self::TaggedFile { file, .. } => match file {
                ChannelFile::Package(_) => Label::Package,
                ChannelFile::Metadata(_) => Label::Metadata,
                _ => Label::Repomd,
            },
        }
    }
}

/// Tells whether no client would ask for a path: see [`NoRoute::Malformed`].
pub(super) fn is_malformed(path: &str) -> bool {
    path.strip_prefix('/').is_none_or(|path| path.split('/').any(|raw| segment(raw).is_err()))
}

fn channel_route(channel: ChannelName, segments: &[&str]) -> Result<Route, NoRoute> {
    match segments {
        ["mirrorlist"] => Ok(Route::MirrorList(channel)),
        ["metalink"] => Ok(Route::Metalink(channel)),
        ["keys.asc"] => Ok(Route::ChannelKeys(channel)),
        [file] if file.strip_suffix(".repo") == Some(channel.as_str()) => Ok(Route::RepoFile(channel)),
        [at, rest @ ..] if at.starts_with('@') => {
            let file = channel_file(rest)?;
            match parsed(&at[1..])? {
                Moment::Commit(at) => Ok(Route::File { channel, at: Some(at), file }),
                Moment::Tag(tag) => Ok(Route::TaggedFile { channel, tag, file }),
            }
        }
        rest => Ok(Route::File { channel, at: None, file: channel_file(rest)? }),
    }
}

fn channel_file(segments: &[&str]) -> Result<ChannelFile, NoRoute> {
    match segments {
        ["repodata", "repomd.xml"] => Ok(ChannelFile::Repomd),
        ["repodata", "repomd.xml.asc"] => Ok(ChannelFile::RepomdSignature),
        ["repodata", "repomd.xml.key"] => Ok(ChannelFile::RepomdKey),
        ["repodata", file] => Ok(ChannelFile::Metadata(parsed(file)?)),
        ["Packages", file] if file.ends_with(".rpm") => Ok(ChannelFile::Package((*file).to_owned())),
        _ => Err(NoRoute::Unknown),
    }
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, NoRoute> {
    text.parse().map_err(|_| NoRoute::Unknown)
}

fn segment(raw: &str) -> Result<String, NoRoute> {
    let escapes_hold = raw.match_indices('%').all(|(at, _)| {
        let digits = raw.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let text = percent_decode_str(raw).decode_utf8().map_err(|_| NoRoute::Malformed)?;
    let trick = text == "." || text == ".." || text.contains(['/', '\\']) || text.chars().any(char::is_control);
    if trick || !escapes_hold { Err(NoRoute::Malformed) } else { Ok(text.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn file(at: Option<u64>, file: ChannelFile) -> Route {
        Route::File { channel: "dev".parse().unwrap(), at, file }
    }

    #[test]
    fn urls() {
        let dev: ChannelName = "dev".parse().unwrap();
        let name = format!("{SHA256}-primary.xml.gz");
        let metadata = ChannelFile::Metadata(name.parse().unwrap());
        let package = ChannelFile::Package("a+b-1.0~rc1^2-1.noarch.rpm".to_owned());
        for (path, route) in [
            ("/dev/dev.repo", Route::RepoFile(dev.clone())),
            ("/dev/mirrorlist", Route::MirrorList(dev.clone())),
            ("/dev/metalink", Route::Metalink(dev.clone())),
            ("/dev/keys.asc", Route::ChannelKeys(dev.clone())),
            (
                "/dev/@june/repodata/repomd.xml",
                Route::TaggedFile { channel: dev.clone(), tag: "june".parse().unwrap(), file: ChannelFile::Repomd },
            ),
            ("/dev/repodata/repomd.xml", file(None, ChannelFile::Repomd)),
            ("/dev/repodata/repomd.xml.asc", file(None, ChannelFile::RepomdSignature)),
            ("/dev/@7/repodata/repomd.xml.key", file(Some(7), ChannelFile::RepomdKey)),
            ("/dev/%407/repodata/repomd.xml", file(Some(7), ChannelFile::Repomd)),
            (&format!("/dev/repodata/{SHA256}-primary.xml.gz"), file(None, metadata)),
            ("/dev/Packages/a%2Bb-1.0~rc1%5E2-1.noarch.rpm", file(None, package)),
        ] {
            assert_eq!(Route::parse(path).as_ref(), Ok(&route), "{path}");
        }
    }

    #[test]
    fn unknown() {
        for path in [
            "/",
            "/api/v1/mirrorlist",
            "/dev",
            "/dev/",
            "//",
            "/dev/prod.repo",
            "/dev//repodata/repomd.xml",
            "/dev/repodata/repomd.xml/",
            "/dev/@07/repodata/repomd.xml",
            "/dev/@/repodata/repomd.xml",
            "/dev/@99999999999999999999/repodata/repomd.xml",
            "/dev/@1/@2/repodata/repomd.xml",
            "/dev/repodata/e3b0-primary.xml.gz",
            "/dev/repodata/primary.xml.gz",
            "/dev/media.1/media",
            "/Dev/repodata/repomd.xml",
            "/api/v2/channels",
            "/api/dev/mirrorlist",
            "/keys/repository.key",
            "/keys/mirrorlist",
            "/api/v1/blobs/e3b0",
        ] {
            assert_eq!(Route::parse(path), Err(NoRoute::Unknown), "{path}");
        }
    }

    #[test]
    fn malformed() {
        for path in [
            "",
            "dev/mirrorlist",
            "/../etc/passwd",
            "/dev/Packages/../../keys/repository.key",
            "/dev/Packages/%2e%2e/x.rpm",
            "/dev/Packages/..%2f..%2fx.rpm",
            "/dev/Packages/..%5cx.rpm",
            "/dev/Packages/a%00.rpm",
            "/dev/Packages/a%0a.rpm",
            "/dev/Packages/%ff.rpm",
            "/dev/Packages/%zz.rpm",
            "/dev/Packages/a.rpm%2",
        ] {
            assert_eq!(Route::parse(path), Err(NoRoute::Malformed), "{path}");
        }
    }
}
