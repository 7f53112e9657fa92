//! What holds packages: a yum repository, a folder of packages, or a single package's file; by path or by URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, anyhow};
use nevra::Name;
use packager::{ListedPackage, Primary, listed};
use reqwest::{Client, Url};

use super::inspect::package_source::PackageSource;
use super::web;

/// What a repository's metadata may be long, in bytes, as it is sent.
const REPOMD_LIMIT: u64 = 4 << 20;
const PRIMARY_LIMIT: u64 = 1 << 30;

/// Something that holds packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// A yum repository's base URL, which ends in `/`.
    Url(Url),
    /// A package's URL, which ends in `.rpm`.
    Package(Url),
    Path(PathBuf),
}

impl Holder {
    /// Lists what it holds of these names.
    pub(super) async fn read(&self, names: &[Name]) -> anyhow::Result<Vec<ListedPackage>> {
        match self {
            Self::Path(path) => Ok(listed(path, names)?),
            Self::Package(url) => {
                let nevra = PackageSource::Url(url.clone()).read().await?.header.nevra;
                let listed = ListedPackage { nevra, href: String::new() };
                Ok(Some(listed).filter(|package| names.contains(&package.nevra.name)).into_iter().collect())
            }
            Self::Url(base) => {
                let client = web::client()?;
                let repomd = fetch(&client, base.join("repodata/repomd.xml")?, REPOMD_LIMIT).await?;
                let primary = Primary::locate(repomd)?;
                let packages = fetch(&client, base.join(&primary.href)?, PRIMARY_LIMIT).await?;
                Ok(primary.read(packages, names)?)
            }
        }
    }

    /// The package where there is only one, else the newest of this name.
    pub(super) async fn newest(&self, name: &Name) -> anyhow::Result<PackageSource> {
        match self {
            Self::Path(path) if !path.is_dir() => return Ok(PackageSource::File(path.clone())),
            Self::Package(url) => return Ok(PackageSource::Url(url.clone())),
            Self::Path(_) | Self::Url(_) => {}
        }
        let failed = || format!("could not find out what `{self}` holds");
        let listed = self.read(std::slice::from_ref(name)).await.with_context(failed)?;
        let newest = listed.into_iter().max_by(|left, right| left.nevra.evr.cmp(&right.nevra.evr));
        self.package(&newest.ok_or_else(|| anyhow!("`{self}` holds no package named `{name}`"))?.href)
    }

    /// Where a package is that it lists.
    pub(super) fn package(&self, href: &str) -> anyhow::Result<PackageSource> {
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
    let mut file = tempfile::tempfile()?;
    web::fetch(client, &url, limit, &mut file).await?;
    Ok(file)
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
                write!(formatter, "{}", web::without_password(url).as_str().trim_end_matches('/'))
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
