//! Where ledgers and files are read: the repository server's API, or its store.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use futures::TryStreamExt;
use ledger::{Digest, DigestBuilder, Ledger, Position, Store};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use repo_api::{ChannelName, Client, EnvironmentSettings, ServerLedger, TagName};
use repo_server::{Change, ChannelView};
use serde_json::Value;

/// The largest metadata document that is read, bytes.
const DOCUMENT_LIMIT: usize = 1 << 30;
/// What may not stand in the path of a URL as it is.
const PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'^').add(b'+').add(b' ');

/// Where all is read.
#[derive(Debug, Clone)]
pub(super) enum Evidence {
    Server(Client),
    Store(Store),
}

/// What a channel shows to yum clients.
pub(super) struct ShownMetadata {
    pub(super) repomd: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl Evidence {
    /// The ledger of the repository.
    pub(super) fn repository(&self) -> Ledger<Change> {
        match self {
            Self::Server(client) => Ledger::remote(Arc::new(ServerLedger::of_repository(client.clone())), "repository"),
            Self::Store(store) => store.ledger("repository"),
        }
    }

    /// The ledger of an environment.
    pub(super) fn environment(&self, name: &TagName) -> Ledger<Value> {
        let ledger = format!("environments/{name}");
        match self {
            Self::Server(client) => {
                Ledger::remote(Arc::new(ServerLedger::of_environment(client.clone(), name)), &ledger)
            }
            Self::Store(store) => store.ledger(&ledger),
        }
    }

    /// Writes a package's file to the disk and gives the sha256 of what came.
    pub(super) async fn file(
        &self,
        channel: &ChannelName,
        (name, sha256): (&str, &Digest),
        to: &Path,
    ) -> anyhow::Result<String> {
        let store = match self {
            Self::Server(client) => {
                let path = format!("{channel}/Packages/{}", utf8_percent_encode(name, PATH));
                return Ok(client.download(&path, to).await?.to_string());
            }
            Self::Store(store) => store,
        };
        let blob = store.open_blob(sha256, None).await?.ok_or_else(|| anyhow!("the store has no blob `{sha256}`"))?;
        let mut file = fs_err::File::create(to)?;
        let mut digest = DigestBuilder::new();
        let mut stream = blob.into_stream();
        while let Some(bytes) = stream.try_next().await? {
            digest.update(&bytes);
            file.write_all(&bytes)?;
        }
        Ok(digest.finish().to_string())
    }

    /// Reads what a channel shows since a commit, or what the server says that it shows now.
    pub(super) async fn metadata(
        &self,
        channel: &ChannelName,
        since: Option<&(u64, ChannelView)>,
    ) -> anyhow::Result<ShownMetadata> {
        match (self, since) {
            (Self::Server(client), _) => {
                let path = format!("{}/repomd.xml", folder(channel, since));
                let repomd = client.read_file(&path, DOCUMENT_LIMIT).await?;
                let signature = client.read_file(&format!("{path}.asc"), DOCUMENT_LIMIT).await?;
                Ok(ShownMetadata { repomd, signature })
            }
            (Self::Store(store), Some((_, view))) => {
                let signature = blob(store, &view.signature).await?;
                Ok(ShownMetadata { repomd: blob(store, &view.repomd).await?, signature })
            }
            (Self::Store(_), None) => Err(anyhow!("which commit shows it is not known")),
        }
    }

    /// Reads a document that repomd.xml names.
    pub(super) async fn document(
        &self,
        channel: &ChannelName,
        since: Option<&(u64, ChannelView)>,
        (file, sha256): (&str, &str),
    ) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Server(client) => {
                Ok(client.read_file(&format!("{}/{file}", folder(channel, since)), DOCUMENT_LIMIT).await?)
            }
            Self::Store(store) => blob(store, &sha256.parse()?).await,
        }
    }

    /// The OpenPGP keys by which the server says that it signs; none of a store, which does not hold them.
    pub(super) async fn offered_keys(&self) -> Option<String> {
        match self {
            Self::Server(client) => {
                String::from_utf8(client.read_file("keys/repository.asc", DOCUMENT_LIMIT).await.ok()?).ok()
            }
            Self::Store(_) => None,
        }
    }

    /// What is asked of deployments to an environment.
    pub(super) async fn settings(&self, environment: &TagName) -> anyhow::Result<EnvironmentSettings> {
        let store = match self {
            Self::Server(client) => return Ok(client.environment(environment, None).await?.settings),
            Self::Store(store) => store,
        };
        let rules: Ledger<Value> = store.ledger("rules");
        let commits = rules.since(&Position::start()).await?;
        let of = commits.iter().rev().find(|commit| commit.payload["environment"] == environment.as_str());
        let settings = of.map(|commit| serde_json::from_value(commit.payload["settings"].clone())).transpose();
        Ok(settings.context("the rules of the environment can't be read")?.unwrap_or_default())
    }

    /// The environments, with the hosts of each, by the ledgers.
    pub(super) async fn environments(&self) -> anyhow::Result<BTreeMap<TagName, Vec<String>>> {
        let Self::Server(client) = self else { return Ok(BTreeMap::new()) };
        let mut found = BTreeMap::new();
        for summary in client.environments().await?.environments {
            let info = client.environment(&summary.name, None).await?;
            found.insert(summary.name, info.hosts.into_iter().map(|host| host.host).collect());
        }
        Ok(found)
    }
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(client) => formatter.write_str(client.server()),
            Self::Store(_) => formatter.write_str("the store"),
        }
    }
}

fn folder(channel: &ChannelName, since: Option<&(u64, ChannelView)>) -> String {
    match since {
        Some((commit, _)) => format!("{channel}/@{commit}/repodata"),
        None => format!("{channel}/repodata"),
    }
}

async fn blob(store: &Store, digest: &Digest) -> anyhow::Result<Vec<u8>> {
    let bytes = store.blob(digest).await?.ok_or_else(|| anyhow!("the store has no blob `{digest}`"))?;
    Ok(bytes.to_vec())
}
