//! How `ssh` reaches the hosts.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::reader::{Checked, Reader, Text};

/// How the system's `ssh` is called. What is not said here is left to the user's own configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSettings {
    /// The login name on the hosts.
    pub user: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The private key (`ssh -i`).
    pub key_file: Option<PathBuf>,
    /// The host to go through (`ssh -J`).
    pub jump_host: Option<String>,
    /// The configuration file to use (`ssh -F`).
    pub config_file: Option<PathBuf>,
    /// Whether root's rights come from `sudo -n`; otherwise the login has them.
    pub sudo: bool,
    /// Further `ssh -o` options, as `Key=value`; they count before the times that are set for every connection.
    pub options: Vec<String>,
    /// Whether connections stay for two minutes after the program's end, for the next one to use.
    pub keep_connections: bool,
    /// How long a host that can't be reached any more is waited for while a transaction runs there; other steps give up
    /// after half a minute.
    pub reconnect_timeout: Duration,
}

impl Default for SshSettings {
    fn default() -> Self {
        Self {
            user: None,
            port: None,
            key_file: None,
            jump_host: None,
            config_file: None,
            sudo: false,
            options: Vec::new(),
            keep_connections: false,
            // A host that restarts is back by then.
            reconnect_timeout: Duration::from_secs(120),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSsh {
    pub(super) user: Option<Text>,
    pub(super) port: Option<u16>,
    pub(super) key_file: Option<Text>,
    pub(super) jump_host: Option<Text>,
    pub(super) config_file: Option<Text>,
    pub(super) sudo: Option<bool>,
    #[serde(default)]
    pub(super) options: Vec<Text>,
    pub(super) keep_connections: Option<bool>,
    pub(super) reconnect_timeout: Option<Text>,
}

impl Reader<'_> {
    /// The settings of a section, before those of a wider one.
    pub(super) fn ssh(&self, raw: &RawSsh, wider: &SshSettings) -> Checked<SshSettings> {
        let text = |text: &Option<Text>, field| text.as_ref().map(|text| self.destination(field, text)).transpose();
        let path = |text: &Option<Text>| text.as_ref().map(|text| self.path(text)).transpose();
        // Whatever comes first counts for `ssh`.
        let mut options = raw.options.iter().map(|option| self.ssh_option(option)).collect::<Checked<Vec<_>>>()?;
        options.extend(wider.options.iter().cloned());
        Ok(SshSettings {
            user: text(&raw.user, "user")?.or_else(|| wider.user.clone()),
            port: raw.port.or(wider.port),
            key_file: path(&raw.key_file)?.or_else(|| wider.key_file.clone()),
            jump_host: text(&raw.jump_host, "jump_host")?.or_else(|| wider.jump_host.clone()),
            config_file: path(&raw.config_file)?.or_else(|| wider.config_file.clone()),
            sudo: raw.sudo.unwrap_or(wider.sudo),
            options,
            keep_connections: raw.keep_connections.unwrap_or(wider.keep_connections),
            reconnect_timeout: self.time(raw.reconnect_timeout.as_ref(), wider.reconnect_timeout)?,
        })
    }
}
