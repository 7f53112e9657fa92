//! The server's configuration file, and how it goes together with flags and the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use repo_api::ChannelName;
use repo_server::{Limits, Network, Reading, ServerSettings, TlsFiles};
use serde::Deserialize;

use super::Args;
use super::log::{LogFormat, LogLevel};
use crate::exit::Failure;

const STORE: &str = "repository";
const LISTEN: &str = "127.0.0.1:8080";
const CHANNELS: [&str; 3] = ["dev", "qa", "prod"];

/// What the file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    store: Option<String>,
    key_dir: Option<PathBuf>,
    signing_key: Option<String>,
    signing_passphrase_file: Option<PathBuf>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    channels: Option<Vec<ChannelName>>,
    #[serde(default)]
    proxies: Vec<String>,
    tls: Option<TlsTable>,
    #[serde(default)]
    access: AccessTable,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    log: LogTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsTable {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessTable {
    token_file: Option<PathBuf>,
    read: Option<ReadRule>,
    #[serde(default)]
    private_channels: Vec<ChannelName>,
}

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReadRule {
    /// Everybody.
    Open,
    /// Who has a token.
    Tokens,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    connections: Option<usize>,
    connections_per_address: Option<usize>,
    head_seconds: Option<u64>,
    idle_seconds: Option<u64>,
    stall_seconds: Option<u64>,
    grace_seconds: Option<u64>,
    head_bytes: Option<usize>,
    file_bytes: Option<u64>,
    json_bytes: Option<usize>,
    writes_per_second: Option<u32>,
    writes_at_once: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogTable {
    format: Option<LogFormat>,
    level: Option<LogLevel>,
}

/// All that the server has to know.
#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) store: String,
    pub(super) key_dir: PathBuf,
    pub(super) signing_key: Option<String>,
    pub(super) signing_passphrase_file: Option<PathBuf>,
    pub(super) channels: Vec<ChannelName>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) reading: Reading,
    pub(super) settings: ServerSettings,
    pub(super) log: (LogFormat, Option<LogLevel>),
}

impl Configuration {
    /// Puts flags and environment, which clap has put together, before the file, and the file before the defaults.
    pub(super) fn new(args: Args) -> Result<Self, Failure> {
        let file = args.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let store = args.store.or(file.store).unwrap_or_else(|| STORE.to_owned());
        let key_dir = args.key_dir.or(file.key_dir).map_or_else(|| beside(&store), Ok)?;
        let signing_key = args.signing_key.or(file.signing_key);
        let signing_passphrase_file = args.signing_passphrase_file.or(file.signing_passphrase_file);
        let listen = args.listen.or(file.listen);
        let listen = listen.map_or_else(|| LISTEN.parse().map_err(Failure::input), Ok)?;
        let channels = args.channels.or(file.channels).map_or_else(default_channels, Ok)?;
        let tls = match (args.tls_cert, args.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            _ => file.tls.map(|tls| TlsFiles { certificate: tls.certificate, key: tls.key }),
        };
        let proxies = if args.proxies.is_empty() { file.proxies } else { args.proxies };
        let proxies: Result<Vec<Network>, _> = proxies.iter().map(|proxy| proxy.parse()).collect();
        let public_url = args.public_url.or(file.public_url).map(public_url).transpose()?;
        let private = file.access.private_channels;
        let reading = match args.read.or(file.access.read).unwrap_or(ReadRule::Open) {
            ReadRule::Tokens => Reading::Tokens,
            ReadRule::Open if private.is_empty() => Reading::Open,
            ReadRule::Open => Reading::TokensFor(private.into_iter().collect()),
        };
        Ok(Self {
            store,
            key_dir,
            signing_key,
            signing_passphrase_file,
            channels,
            token_file: args.token_file.or(file.access.token_file),
            reading,
            settings: ServerSettings {
                listen,
                tls,
                proxies: proxies.map_err(Failure::input)?,
                public_url,
                limits: file.limits.over(Limits::default()),
            },
            log: (args.log_format.or(file.log.format).unwrap_or(LogFormat::Text), args.log_level.or(file.log.level)),
        })
    }
}

impl LimitsTable {
    fn over(self, usual: Limits) -> Limits {
        let seconds = |given: Option<u64>, usual| given.map_or(usual, Duration::from_secs);
        Limits {
            connections: self.connections.unwrap_or(usual.connections),
            connections_per_address: self.connections_per_address.unwrap_or(usual.connections_per_address),
            head: seconds(self.head_seconds, usual.head),
            idle: seconds(self.idle_seconds, usual.idle),
            stall: seconds(self.stall_seconds, usual.stall),
            grace: seconds(self.grace_seconds, usual.grace),
            head_size: self.head_bytes.unwrap_or(usual.head_size),
            file_size: self.file_bytes.unwrap_or(usual.file_size),
            json_size: self.json_bytes.unwrap_or(usual.json_size),
            writes_per_second: self.writes_per_second.unwrap_or(usual.writes_per_second),
            writes_at_once: self.writes_at_once.unwrap_or(usual.writes_at_once),
        }
    }
}

fn read(path: &Path) -> Result<File, Failure> {
    let text = fs_err::read_to_string(path).context("the configuration can't be read").map_err(Failure::input)?;
    toml::from_str(&text)
        .map_err(|error| anyhow!("`{}` is no configuration of a server: {error}", path.display()))
        .map_err(Failure::input)
}

fn default_channels() -> Result<Vec<ChannelName>, Failure> {
    CHANNELS.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(Failure::input)
}

/// The keys of a store in a directory are kept beside it: whoever has a copy of the store can't sign.
pub(in crate::commands) fn beside(store: &str) -> Result<PathBuf, Failure> {
    if store.contains("://") {
        let failure = Failure::input(anyhow!("the signing key of store `{store}` has no place yet"));
        return Err(failure.hint("name a directory on this machine with --key-dir"));
    }
    Ok(PathBuf::from(format!("{}.keys", store.trim_end_matches('/'))))
}

fn public_url(url: String) -> Result<String, Failure> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#@\"<>\\".contains(&byte);
    if rest.is_empty() || !rest.bytes().all(fits) {
        return Err(Failure::input(anyhow!(
            "`{url}` is no address of a server: allowed is `https://HOST[:PORT][/PATH]`"
        )));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn configured(file: &str, flags: &[&str]) -> Result<Configuration, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("repository.toml");
        std::fs::write(&path, file).unwrap();
        let mut line = vec!["serve", "--config", path.to_str().unwrap()];
        line.extend(flags);
        Configuration::new(Line::parse_from(line).args)
    }

    #[test]
    fn flags_come_before_the_file_and_the_file_before_defaults() {
        let file = "store = '/srv/a'\nlisten = '0.0.0.0:80'\nproxies = ['10.0.0.0/8']\n\
                    [access]\nprivate_channels = ['prod']\n[limits]\nidle_seconds = 5\n[log]\nformat = 'json'";
        let configuration = configured(file, &["--listen", "127.0.0.1:81"]).unwrap();
        assert_eq!(configuration.store, "/srv/a");
        assert_eq!(configuration.key_dir, Path::new("/srv/a.keys"));
        assert_eq!(configuration.settings.listen.to_string(), "127.0.0.1:81");
        assert_eq!(configuration.settings.limits.idle, Duration::from_secs(5));
        assert_eq!(configuration.settings.limits.head, Limits::default().head);
        assert_eq!(configuration.log.0, LogFormat::Json);
        assert!(matches!(configuration.reading, Reading::TokensFor(_)));
        assert_eq!(configuration.channels.len(), 3);
        let closed = configured(file, &["--read", "tokens"]).unwrap();
        assert_eq!(closed.reading, Reading::Tokens);
    }

    #[test]
    fn what_does_not_hold_is_refused() {
        for (file, says) in [
            ("sotre = 'a'", "unknown field `sotre`"),
            ("[limits]\nidle = 5", "unknown field `idle`"),
            ("listen = 'here'", "socket address"),
            ("proxies = ['10.0.0.0/99']", "is no network"),
            ("public_url = 'rpm.example.org'", "no address of a server"),
            ("channels = ['Dev']", "not a channel name"),
            ("store = 's3://bucket/a'", "has no place"),
            ("[tls]\ncertificate = 'a'", "missing field `key`"),
        ] {
            let failure = configured(file, &[]).unwrap_err();
            assert!(failure.error.to_string().contains(says), "{file}: {}", failure.error);
        }
    }
}
