//! A client that trusts nothing: it follows a channel from its first URL to the packages, and checks every digest and
//! signature on the way.

use std::io::Read;
use std::net::IpAddr;

use ledger::Digest;
use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey};

use crate::xml_tree::Element;

/// What a client is told to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    BaseUrl,
    MirrorList,
    Metalink,
}

/// A client of one channel.
pub(crate) struct Reader {
    http: reqwest::Client,
    channel: String,
    way: Way,
    key: SignedPublicKey,
}

/// A package as metadata names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) href: String,
    pub(crate) sha256: String,
}

/// What a client found.
pub(crate) struct Found {
    /// Relative to which packages are.
    pub(crate) base: String,
    pub(crate) revision: u64,
    pub(crate) packages: Vec<Named>,
}

impl Reader {
    /// A client at an address of its own, as hosts have one.
    pub(crate) fn new(server: &str, channel: &str, way: Way, address: IpAddr, key: &str) -> Self {
        // dnf opens a connection for each file it verifies.
        let http = http().local_address(address).pool_max_idle_per_host(0);
        let (key, _) = SignedPublicKey::from_string(key).unwrap();
        Self { http: http.build().unwrap(), channel: format!("{server}/{channel}"), way, key }
    }

    /// Reads the channel's metadata, all of it.
    pub(crate) async fn refresh(&self) -> Result<Found, String> {
        let base = self.base().await?;
        let repomd = self.get(&format!("{}/repodata/repomd.xml", base.url)).await?;
        if let Some(sha256) = base.repomd
            && Digest::of(&repomd).to_string() != sha256
        {
            return Err(format!("{}: repomd.xml is not what the metalink names", base.url));
        }
        let signature = self.get(&format!("{}/repodata/repomd.xml.asc", base.url)).await?;
        let signature = String::from_utf8(signature).map_err(|error| error.to_string())?;
        let (signature, _) = DetachedSignature::from_string(&signature).map_err(|error| error.to_string())?;
        signature.verify(&self.key, &repomd[..]).map_err(|error| format!("{}: signature: {error}", base.url))?;
        let repomd = Element::try_parse(&String::from_utf8_lossy(&repomd))?;
        let revision = repomd.child("revision").and_then(|revision| revision.text.parse().ok()).ok_or("no revision")?;
        let mut packages = Vec::new();
        for data in repomd.children.iter().filter(|child| child.name == "data") {
            let xml = self.document(&base.url, data).await?;
            if data.attributes["type"] == "primary" {
                packages = named(&xml)?;
            }
        }
        Ok(Found { base: base.url, revision, packages })
    }

    /// Reads a package.
    pub(crate) async fn package(&self, base: &str, named: &Named) -> Result<Vec<u8>, String> {
        let bytes = self.get(&format!("{base}/{}", named.href)).await?;
        let same = Digest::of(&bytes).to_string() == named.sha256;
        if same { Ok(bytes) } else { Err(format!("{base}/{}: other bytes than named", named.href)) }
    }

    async fn base(&self) -> Result<Base, String> {
        let text = match self.way {
            Way::BaseUrl => return Ok(Base { url: self.channel.clone(), repomd: None }),
            Way::MirrorList => self.get(&format!("{}/mirrorlist", self.channel)).await?,
            Way::Metalink => self.get(&format!("{}/metalink", self.channel)).await?,
        };
        let text = String::from_utf8(text).map_err(|error| error.to_string())?;
        if self.way == Way::MirrorList {
            let url = text.lines().next().unwrap_or_default().trim_end_matches('/').to_owned();
            return Ok(Base { url, repomd: None });
        }
        let inside = |before: &str, after: &str| text.split_once(before)?.1.split_once(after).map(|(text, _)| text);
        let url = inside("<url", "</url>").and_then(|url| url.split_once('>')).map(|(_, url)| url);
        let url = url.and_then(|url| url.strip_suffix("/repodata/repomd.xml"));
        let repomd = inside("<hash type=\"sha256\">", "<").map(str::to_owned);
        url.map(|url| Base { url: url.to_owned(), repomd }).ok_or_else(|| format!("no URL in {text}"))
    }

    /// Reads a metadata document and checks both of its digests and sizes.
    async fn document(&self, base: &str, data: &Element) -> Result<String, String> {
        let text = |name: &str| data.child(name).map_or("", |child| child.text.as_str());
        let href = data.child("location").map_or("", |location| location.attributes["href"].as_str());
        let bytes = self.get(&format!("{base}/{href}")).await?;
        let mut xml = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut xml).map_err(|error| error.to_string())?;
        for (bytes, checksum, size) in [(&bytes, "checksum", "size"), (&xml, "open-checksum", "open-size")] {
            let digest = Digest::of(bytes).to_string();
            if data.child(checksum).is_some_and(|said| said.text != digest) {
                return Err(format!("{base}/{href}: {checksum} is {digest}"));
            }
            if data.child(size).is_some() && text(size) != bytes.len().to_string() {
                return Err(format!("{base}/{href}: {size} is {}", bytes.len()));
            }
        }
        String::from_utf8(xml).map_err(|error| error.to_string())
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let response = self.http.get(url).send().await.map_err(|error| format!("{url}: {error:?}"))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| format!("{url}: {error:?}"))?;
        if status.is_success() { Ok(bytes.into()) } else { Err(format!("{url}: {status}")) }
    }
}

/// A client of HTTP that goes straight to the server.
pub(crate) fn http() -> reqwest::ClientBuilder {
    // The same provider that the project's own client installs.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

struct Base {
    url: String,
    /// The sha256 that repomd.xml has to have.
    repomd: Option<String>,
}

fn named(xml: &str) -> Result<Vec<Named>, String> {
    let metadata = Element::try_parse(xml)?;
    let count = metadata.children.len().to_string();
    if metadata.attributes.get("packages") != Some(&count) {
        return Err(format!("{count} packages, and {:?} announced", metadata.attributes.get("packages")));
    }
    let named = |package: &Element| {
        let href = package.child("location")?.attributes.get("href")?.clone();
        Some(Named { href, sha256: package.child("checksum")?.text.clone() })
    };
    metadata
        .children
        .iter()
        .map(|package| named(package).ok_or_else(|| "a package without a place".to_owned()))
        .collect()
}
