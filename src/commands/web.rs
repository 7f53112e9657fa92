//! Plain downloads from web servers that need not be `pkg`'s.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

use anyhow::bail;
use reqwest::{Client, StatusCode, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may stay silent.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that gives a silent server up.
pub(super) fn client() -> anyhow::Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()?)
}

/// Fetches what is at `url`, up to `limit` bytes, into `file`, which stands at its beginning afterwards.
pub(super) async fn fetch(client: &Client, url: &Url, limit: u64, file: &mut File) -> anyhow::Result<()> {
    let shown = without_password(url);
    let mut response = client.get(url.clone()).send().await.map_err(|error| error.without_url())?;
    if response.status() != StatusCode::OK {
        bail!("`{shown}` answers `{}`", response.status());
    }
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url())? {
        length += chunk.len() as u64;
        if length > limit {
            bail!("`{shown}` is longer than {limit} bytes");
        }
        file.write_all(&chunk)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(())
}

/// A password in a URL is not for logs.
pub(super) fn without_password(url: &Url) -> Url {
    let mut shown = url.clone();
    let _ = shown.set_password(None);
    shown
}
