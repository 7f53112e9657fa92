//! Where a package's headers come from: a file, or a web server, of which only as many bytes are asked for as it takes.

use std::fmt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};
use rpm_header::{PackageHeader, ReadHeaderError};

use crate::commands::web;

/// How many bytes are asked for first; then as many again as there are.
const FIRST: usize = 256 * 1024;
/// More than the largest headers that rpm accepts: 64 MiB and 256 MiB of data, and their indexes.
const LIMIT: usize = 324 * 1024 * 1024;

/// A file or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum PackageSource {
    File(PathBuf),
    Url(Url),
}

/// Headers, and the size of the whole file as far as it is known.
pub(in crate::commands) struct Fetched {
    pub(in crate::commands) header: PackageHeader,
    pub(in crate::commands) file_size: Option<u64>,
}

/// A package on this machine.
pub(in crate::commands) enum WholeFile {
    Own(PathBuf),
    Fetched(tempfile::NamedTempFile),
}

impl WholeFile {
    pub(in crate::commands) fn path(&self) -> &Path {
        match self {
            Self::Own(path) => path,
            Self::Fetched(file) => file.path(),
        }
    }
}

impl PackageSource {
    /// Reads the headers.
    pub(in crate::commands) async fn read(&self) -> anyhow::Result<Fetched> {
        let failed = || format!("could not inspect `{self}`");
        match self {
            Self::File(path) => {
                refuse_named_pipe(path).with_context(failed)?;
                let header = match PackageHeader::read_file(path) {
                    Err(error @ ReadHeaderError::Open { .. }) => return Err(error.into()),
                    other => other.with_context(failed)?,
                };
                Ok(Fetched { header, file_size: Some(fs_err::metadata(path)?.len()) })
            }
            Self::Url(url) => fetch(url).await.with_context(failed),
        }
    }

    /// The whole package as a file that can be read more than once: itself, or what is fetched from the URL, which goes
    /// with the value; nothing for a pipe.
    pub(in crate::commands) async fn whole(&self) -> anyhow::Result<Option<WholeFile>> {
        match self {
            Self::File(path) => Ok(path.is_file().then(|| WholeFile::Own(path.clone()))),
            Self::Url(url) => {
                let mut file = tempfile::NamedTempFile::new()?;
                web::fetch(&web::client()?, url, u64::MAX, file.as_file_mut()).await?;
                Ok(Some(WholeFile::Fetched(file)))
            }
        }
    }
}

/// A pipe that nobody writes to would never end; one that comes of a shell's `<(…)`, in `/dev`, has its writer.
fn refuse_named_pipe(path: &Path) -> anyhow::Result<()> {
    let is_pipe = std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
    if is_pipe && !path.starts_with("/dev") && !path.starts_with("/proc") {
        bail!("it is a named pipe; allowed are files and URLs");
    }
    Ok(())
}

/// Asks for ranges until the headers are there; of a server that knows no ranges, reads on in its one answer.
async fn fetch(url: &Url) -> anyhow::Result<Fetched> {
    let client = web::client()?;
    let mut bytes = Vec::new();
    let mut wanted = FIRST;
    let (mut response, mut file_size) = request(&client, url, bytes.len(), wanted).await?;
    loop {
        let complete = response.status() == StatusCode::OK;
        let ended = read_up_to(&mut response, &mut bytes, wanted).await?;
        match PackageHeader::read(&mut bytes.as_slice()) {
            Err(ReadHeaderError::Truncated { .. }) if file_size != Some(bytes.len() as u64) && !(complete && ended) => {
            }
            read => return Ok(Fetched { header: read?, file_size }),
        }
        if bytes.len() >= LIMIT {
            bail!("the headers are larger than {LIMIT} bytes");
        }
        wanted = bytes.len().saturating_mul(2).clamp(FIRST, LIMIT);
        if !complete {
            (response, file_size) = request(&client, url, bytes.len(), wanted).await?;
        }
    }
}

/// Asks for the bytes from `start` to before `end`; gives the answer and the size of the whole file.
async fn request(client: &Client, url: &Url, start: usize, end: usize) -> anyhow::Result<(Response, Option<u64>)> {
    let range = format!("bytes={start}-{}", end - 1);
    let response = client.get(url.clone()).header(RANGE, range).send().await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let (first, size) = content_range(range).ok_or_else(|| anyhow!("the server's range `{range}` is none"))?;
            if first != start as u64 {
                bail!("the server sends bytes from {first} on, asked for were those from {start} on");
            }
            Ok((response, size))
        }
        // A server that knows no ranges, and one that made its mind up in between.
        StatusCode::OK if start == 0 => {
            let size = response.content_length();
            Ok((response, size))
        }
        status => bail!("the server answers `{status}`"),
    }
}

/// Reads until there are `wanted` bytes; tells whether the answer ended before.
async fn read_up_to(response: &mut Response, bytes: &mut Vec<u8>, wanted: usize) -> anyhow::Result<bool> {
    while bytes.len() < wanted {
        match response.chunk().await? {
            Some(chunk) => bytes.extend_from_slice(&chunk),
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// The first byte and the whole size of `bytes 0-99/1234` (RFC 9110, section 14.4).
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, size.parse().ok()))
}

impl FromStr for PackageSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("http://") || text.starts_with("https://") {
            let url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
            return Ok(Self::Url(url));
        }
        match text {
            "" => Err("it is empty".to_owned()),
            path => Ok(Self::File(path.into())),
        }
    }
}

impl fmt::Display for PackageSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Url(url) => write!(formatter, "{}", web::without_password(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_urls() {
        let shown = |text: &str| text.parse::<PackageSource>().map(|source| source.to_string());
        assert_eq!(shown("dist/a.rpm").unwrap(), "dist/a.rpm");
        assert_eq!(shown("https://ana:x@example.org/a.rpm").unwrap(), "https://ana@example.org/a.rpm");
        assert!(shown("https://").is_err() && shown("").is_err());
    }

    #[test]
    fn content_ranges() {
        for (text, expected) in [
            ("bytes 0-99/1234", Some((0, Some(1234)))),
            ("bytes 100-199/*", Some((100, None))),
            ("bytes */1234", None),
            ("", None),
        ] {
            assert_eq!(content_range(text), expected, "{text}");
        }
    }
}
