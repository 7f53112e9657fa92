//! The hosts that packages are deployed to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::pattern::expand_pattern;
use super::reader::{Checked, Reader, Text, at};
use super::ssh::RawSsh;
use super::{EnvironmentProblem, SshSettings};
use crate::HostName;

/// A host that packages are deployed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// How to reach it, and what it is called.
    pub endpoint: Endpoint,
    /// What the balancers call it.
    pub server: String,
    /// What it is for: hooks, tasks and clusters can name hosts by their roles.
    pub roles: BTreeSet<String>,
    /// What `{KEY}` stands for on this host: its own variables before those of the environment.
    pub variables: BTreeMap<String, String>,
    /// How `ssh` reaches it, where that differs from the environment's settings.
    pub ssh: Option<SshSettings>,
}

/// A machine that `ssh` reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// What it is called in plans, events and errors.
    pub name: HostName,
    /// The destination given to `ssh`.
    pub address: String,
}

impl Endpoint {
    /// The address without a login.
    #[must_use]
    pub fn bare_address(&self) -> &str {
        self.address.rsplit_once('@').map_or(self.address.as_str(), |(_, address)| address)
    }
}

impl Host {
    /// The host's name.
    #[must_use]
    pub fn name(&self) -> &HostName {
        &self.endpoint.name
    }

    /// Replaces `{host}`, `{address}`, `{server}` and `{KEY}` for each of its variables; other braces stay.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let own = [
            ("host", self.name().as_str()),
            ("address", self.endpoint.bare_address()),
            ("server", self.server.as_str()),
        ];
        let variables = self.variables.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let mut filled = text.to_owned();
        for (key, value) in own.into_iter().chain(variables) {
            let place = format!("{{{key}}}");
            if filled.contains(&place) {
                filled = filled.replace(&place, value);
            }
        }
        filled
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHost {
    pub(super) name: Text,
    pub(super) address: Option<Text>,
    pub(super) server: Option<Text>,
    #[serde(default)]
    pub(super) roles: Vec<Text>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Text>,
    pub(super) ssh: Option<RawSsh>,
}

impl Reader<'_> {
    /// The hosts that an entry stands for: one, or as many as its pattern says.
    pub(super) fn hosts(
        &self,
        raw: &RawHost,
        settings: &SshSettings,
        variables: &BTreeMap<String, String>,
    ) -> Checked<Vec<Host>> {
        let names = self.expanded(&raw.name)?;
        let addresses = self.beside(raw.address.as_ref(), &names)?;
        let servers = self.beside(raw.server.as_ref(), &names)?;
        let ssh = raw.ssh.as_ref().map(|ssh| self.ssh(ssh, settings)).transpose()?;
        let roles: BTreeSet<String> = raw.roles.iter().map(|role| self.word("role", role)).collect::<Checked<_>>()?;
        let mut all = variables.clone();
        all.extend(self.variables(&raw.variables)?);
        let hosts = names.into_iter().zip(addresses).zip(servers).map(|((name, address), server)| {
            let name: HostName = name.parse().map_err(|problem| at(&raw.name, EnvironmentProblem::Name(problem)))?;
            let address = match (&raw.address, address) {
                (Some(place), Some(address)) => self.as_destination("address", place, address)?,
                _ => name.to_string(),
            };
            let server = match (&raw.server, server) {
                (Some(place), Some(server)) => self.as_word("server", place, server)?,
                _ => name.to_string(),
            };
            let (roles, variables, ssh) = (roles.clone(), all.clone(), ssh.clone());
            Ok(Host { endpoint: Endpoint { name, address }, server, roles, variables, ssh })
        });
        hosts.collect()
    }

    /// All that a pattern stands for.
    pub(super) fn expanded(&self, text: &Text) -> Checked<Vec<String>> {
        expand_pattern(&self.text(text)?).map_err(|problem| at(text, problem))
    }

    /// A pattern beside another: as many values as there are names, or none.
    fn beside(&self, text: Option<&Text>, names: &[String]) -> Checked<Vec<Option<String>>> {
        let Some(text) = text else { return Ok(vec![None; names.len()]) };
        let values = self.expanded(text)?;
        if values.len() == names.len() {
            return Ok(values.into_iter().map(Some).collect());
        }
        let (value, count) = (text.get_ref().clone(), values.len());
        Err(at(text, EnvironmentProblem::Beside { value, count, names: names.len() }))
    }

    /// `KEY = "value"`, for `{KEY}`.
    pub(super) fn variables(&self, raw: &BTreeMap<String, Text>) -> Checked<BTreeMap<String, String>> {
        let fits = |key: &str| {
            let reserved = ["host", "address", "server", "version", "release"];
            let begins_well = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            begins_well && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !reserved.contains(&key)
        };
        let variable = |(key, text): (&String, &Text)| {
            if !fits(key) {
                let rule = "not a word of letters, digits and `_`, or one that has a meaning already (`host`, \
                            `address`, `server`, `version`, `release`)";
                return Err(at(text, EnvironmentProblem::Text { field: "variable", value: key.clone(), rule }));
            }
            Ok((key.clone(), self.text(text)?))
        };
        raw.iter().map(variable).collect()
    }
}
