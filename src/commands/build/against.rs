//! `pkg build --against`: what a repository, a folder or a file holds already. No package may sort below that, and lint
//! looks at each as the successor of the newest.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use nevra::{Name, Nevra};
use packager::{ListedPackage, Primary, listed, not_below};
use reqwest::{Client, Url};
use rpm_header::PackageHeader;

use crate::commands::inspect::package_source::PackageSource;
use crate::exit::Failure;

/// What a repository's metadata may be long, in bytes, as it is sent.
const REPOMD_LIMIT: u64 = 4 << 20;
const PRIMARY_LIMIT: u64 = 1 << 30;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may stay silent.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// What packages are held against.
#[derive(Debug, clap::Args)]
pub(super) struct AgainstArgs {
    /// Refuse a package that sorts below one of its name that is there already, and check it as that one's successor: in
    /// the yum repository at this URL or in this folder, in a folder of packages, or a single package's file or URL. Give
    /// it once for each.
    #[arg(long, value_name = "URL|DIR|FILE")]
    against: Vec<Holder>,
    /// Build also what sorts below what is there already.
    #[arg(long, requires = "against")]
    allow_older: bool,
}

/// Something that holds packages.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    /// A yum repository's base URL, which ends in `/`.
    Url(Url),
    /// A package's URL, which ends in `.rpm`.
    Package(Url),
    Path(PathBuf),
}

impl AgainstArgs {
    /// Checks the order of all packages, before anything is written. Gives the newest of each name that is there.
    pub(super) async fn check(&self, packages: &[Nevra]) -> Result<Vec<PackageHeader>, Failure> {
        let names: Vec<Name> = packages.iter().map(|package| package.name.clone()).collect();
        let mut newest: BTreeMap<Name, (Nevra, PackageSource)> = BTreeMap::new();
        for holder in &self.against {
            let failed = || format!("could not find out what `{holder}` holds");
            let there = holder.read(&names).await.with_context(failed).map_err(Failure::input)?;
            let nevras: Vec<Nevra> = there.iter().map(|package| package.nevra.clone()).collect();
            for package in packages.iter().filter(|_| !self.allow_older) {
                not_below(package, &nevras).map_err(|error| {
                    let hint = "give it a higher version or release, or `--allow-older` if it is meant to be older";
                    Failure::input(anyhow!("{error} (`{holder}`)")).hint(hint)
                })?;
            }
            for ListedPackage { nevra, href } in there {
                if newest.get(&nevra.name).is_none_or(|(other, _)| other.evr < nevra.evr) {
                    let source = holder.package(&href).map_err(Failure::input)?;
                    newest.insert(nevra.name.clone(), (nevra, source));
                }
            }
        }
        let mut headers = Vec::new();
        for (_, source) in newest.values() {
            headers.push(source.read().await.map_err(Failure::input)?.header);
        }
        Ok(headers)
    }
}

impl Holder {
    async fn read(&self, names: &[Name]) -> anyhow::Result<Vec<ListedPackage>> {
        match self {
            Self::Path(path) => Ok(listed(path, names)?),
            Self::Package(url) => {
                let nevra = PackageSource::Url(url.clone()).read().await?.header.nevra;
                let listed = ListedPackage { nevra, href: String::new() };
                Ok(Some(listed).filter(|package| names.contains(&package.nevra.name)).into_iter().collect())
            }
            Self::Url(base) => {
                let _ = rustls::crypto::ring::default_provider().install_default();
                let client = Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()?;
                let repomd = fetch(&client, base.join("repodata/repomd.xml")?, REPOMD_LIMIT).await?;
                let primary = Primary::locate(repomd)?;
                let packages = fetch(&client, base.join(&primary.href)?, PRIMARY_LIMIT).await?;
                Ok(primary.read(packages, names)?)
            }
        }
    }

    /// Where a package is that it lists.
    fn package(&self, href: &str) -> anyhow::Result<PackageSource> {
        Ok(match self {
            Self::Path(path) if path.is_file() => PackageSource::File(path.clone()),
            Self::Path(path) => PackageSource::File(path.join(href)),
            Self::Package(url) => PackageSource::Url(url.clone()),
            Self::Url(base) => PackageSource::Url(base.join(href)?),
        })
    }
}

/// Fetches a file into a temporary one, which stands at its beginning.
async fn fetch(client: &Client, url: Url, limit: u64) -> anyhow::Result<std::fs::File> {
    let shown = without_password(&url);
    let mut response = client.get(url).send().await.map_err(|error| error.without_url())?;
    if !response.status().is_success() {
        bail!("`{shown}` answers `{}`", response.status());
    }
    let mut file = tempfile::tempfile()?;
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url())? {
        length += chunk.len() as u64;
        if length > limit {
            bail!("`{shown}` is longer than {limit} bytes");
        }
        file.write_all(&chunk)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// A password in a URL is not for logs.
fn without_password(url: &Url) -> Url {
    let mut shown = url.clone();
    let _ = shown.set_password(None);
    shown
}

impl FromStr for Holder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("http://") || text.starts_with("https://") {
            let mut url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
            if url.path().ends_with(".rpm") {
                return Ok(Self::Package(url));
            }
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            return Ok(Self::Url(url));
        }
        match text {
            "" => Err("it is empty".to_owned()),
            path => Ok(Self::Path(path.into())),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(formatter, "{}", path.display()),
            Self::Url(url) | Self::Package(url) => {
                write!(formatter, "{}", without_password(url).as_str().trim_end_matches('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths() {
        let shown = |text: &str| text.parse::<Holder>().map(|holder| holder.to_string());
        assert_eq!(shown("https://ana:x@example.org/prod").unwrap(), "https://ana@example.org/prod");
        assert_eq!(shown("dist").unwrap(), "dist");
        assert_eq!(shown("https://ana:x@example.org/a.rpm").unwrap(), "https://ana@example.org/a.rpm");
        assert!(shown("http://").is_err() && shown("").is_err());
        let Holder::Url(base) = "http://h/a/prod".parse::<Holder>().unwrap() else { panic!("no URL") };
        assert_eq!(base.join("repodata/x").unwrap().as_str(), "http://h/a/prod/repodata/x");
    }
}
