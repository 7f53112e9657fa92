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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{Environment, EnvironmentError};

    fn parse(text: &str) -> Result<Environment, EnvironmentError> {
        let text = format!(
            "name = 'a'\nledger = 'l'\napproval = 'none'\nrepository.ids = ['r']\nservice.name = 's'\n\
             health.url = 'http://{{address}}/'\nssh = {{ user = 'deploy', sudo = true }}\nvariables = {{ ZONE = 'x' }}\n\
             strategy = {{ kind = 'rolling' }}\n{text}"
        );
        Environment::parse(&text, Path::new("a.toml"), &|_| None)
    }

    #[test]
    fn an_entry_can_stand_for_many_hosts() {
        let environment = parse(
            "[[hosts]]\nname = 'web[08-10]'\naddress = 'root@10.0.0.[8-10]'\nserver = 's[8-10]'\nroles = ['web']\n\
             variables = { CONTEXT = 'shop' }\nssh = { port = 2222 }\n[[hosts]]\nname = 'db'\n",
        )
        .unwrap();
        let names: Vec<&str> = environment.hosts.iter().map(|host| host.name().as_str()).collect();
        assert_eq!(names, ["web08", "web09", "web10", "db"]);
        let host = &environment.hosts[1];
        assert_eq!(
            host.fill("{host} {address} {server} {CONTEXT} {ZONE} {version}"),
            "web09 10.0.0.9 s9 shop x {version}"
        );
        let ssh = host.ssh.as_ref().unwrap();
        assert_eq!((ssh.user.as_deref(), ssh.port, ssh.sudo), (Some("deploy"), Some(2222), true));
        assert!(host.roles.contains("web") && environment.hosts[3].ssh.is_none());
    }

    #[test]
    fn a_command_tells_hosts() {
        let told = r#"{"web": {"hosts": ["web1", "${HOME}"]}, "db": ["db1"],
            "_meta": {"hostvars": {"web1": {"ansible_host": "10.0.0.1"}}}}"#;
        let inventory = |told: &str, roles: &str| {
            parse(&format!("[inventory]\ncommand = ['printf', '%s', '''{told}''']\nroles = [{roles}]\n"))
        };
        let environment = inventory(&told.replace("${HOME}", "web2"), "'web'").unwrap();
        let hosts: Vec<&str> = environment.hosts.iter().map(|host| host.endpoint.address.as_str()).collect();
        assert_eq!(hosts, ["10.0.0.1", "web2"]);
        for (text, expected) in [
            // What a program tells is no text of ours: nothing is filled in.
            (told.replace("${HOME}", "$HOME"), "a.toml:11: `$HOME` is not a name"),
            ("{}".to_owned(), "a.toml:10: the list of hosts is empty"),
            ("nonsense".to_owned(), "a.toml:11: inventory `printf %s nonsense` prints no JSON"),
        ] {
            let error = inventory(&text, "'web'").unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let error = parse("[inventory]\ncommand = ['false']\n").unwrap_err().to_string();
        assert!(error.contains("inventory `false` failed (exit status: 1)"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_line() {
        for (text, expected) in [
            ("[[hosts]]\nname = 'web[1-2'\n", "a.toml:11: pattern `web[1-2` can't be read: it has `[` without `]`"),
            (
                "[[hosts]]\nname = 'web[1-2]'\naddress = '10.0.0.1'\n",
                "a.toml:12: `10.0.0.1` stands for 1, the hosts' `name` for 2",
            ),
            ("[[hosts]]\nname = 'w'\nvariables = { host = 'x' }\n", "variable `host` is not a word"),
            ("[[hosts]]\nname = 'w'\nssh = { user = '-x' }\n", "user `-x` is not what `ssh` takes"),
            ("[[hosts]]\nname = 'w[1-2]'\n[[hosts]]\nname = 'w2'\n", "host `w2` is there twice"),
            ("", "the list of hosts is empty"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn strategies_that_can_not_be_are_refused() {
        let clusters = "[[clusters]]\nname = 'a'\nhosts = ['w1']\n[[clusters]]\nname = 'b'\nhosts = ['role:r']\n";
        let balancer = "[[balancer]]\nkind = 'haproxy'\nhost = 'lb'\nbackend = 'b'\n";
        let parse = |strategy: &str, more: &str| {
            let hosts = "[[hosts]]\nname = 'w1'\n[[hosts]]\nname = 'w2'\nroles = ['r']\n";
            let text = format!(
                "name = 'a'\nledger = 'l'\napproval = 'none'\nrepository.ids = ['r']\nservice.name = 's'\n\
                 health.url = 'http://{{address}}/'\nstrategy = {{ {strategy} }}\n{hosts}{more}"
            );
            Environment::parse(&text, Path::new("a.toml"), &|_| None)
        };
        let both = format!("{clusters}{balancer}");
        parse("kind = 'clusters', batch_size = '50%', min_serving = 1, soak = '2m'", &both).unwrap();
        parse("kind = 'canary', canary = '10%', soak = '5m', min_serving = '50%'", balancer).unwrap();
        let twice = format!("{both}[[clusters]]\nname = 'c'\nhosts = ['w1']\n");
        let proxied = clusters.replacen("hosts = ['w1']", "hosts = ['w1']\nproxies = [{ name = 'p' }]", 1);
        for (strategy, more, expected) in [
            ("kind = 'rolling', soak = '1s'", "", "a.toml:7: `soak` is for `kind = \"canary\"`"),
            ("kind = 'canary', canary = 1", "", "needs `canary` (how many hosts come first) and `soak`"),
            ("kind = 'all-at-once', min_serving = 1", "", "have no meaning where all hosts go at once"),
            ("kind = 'rolling', batch_size = '0%'", "", "a part of the hosts is written as `\"1%\"` to `\"100%\"`"),
            ("kind = 'clusters'", balancer, "needs at least two `[[clusters]]`"),
            ("kind = 'clusters'", clusters, "needs something that takes a cluster out"),
            ("kind = 'clusters', min_serving = 2", &both, "`min_serving` = 2"),
            ("kind = 'clusters'", &twice, "host of clusters `w1` is there twice"),
            ("kind = 'clusters'", &proxied, "clusters with `proxies` need a `[[front]]`"),
            ("kind = 'clusters'", &both.replace("'w1'", "'w9'"), "a.toml:15: no host of the environment is `w9`"),
        ] {
            let error = parse(strategy, more).unwrap_err().to_string();
            assert!(error.contains(expected), "{strategy}: {error}");
        }
    }
}
