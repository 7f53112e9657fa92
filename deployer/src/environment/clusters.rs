//! Clusters: hosts that are taken out of service together, and what stands before them.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::reader::{Checked, Located, Reader, Text, at, refuse_empty};
use super::{Balancer, Endpoint, EnvironmentProblem, Host};
use crate::{ClusterName, HostName};

/// Hosts that are taken out of service together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// Its hosts, in the environment's order. Never empty.
    pub hosts: Vec<HostName>,
    /// The reverse proxies through which all of its requests come; without any, it is the hosts that the environment's
    /// balancers are told of.
    pub proxies: Vec<Proxy>,
}

/// A reverse proxy before the hosts of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How to reach it, and what it is called.
    pub endpoint: Endpoint,
    /// What the balancers before the clusters call it.
    pub server: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCluster {
    name: Text,
    hosts: Spanned<Vec<Text>>,
    #[serde(default)]
    proxies: Vec<RawProxy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProxy {
    name: Text,
    address: Option<Text>,
    server: Option<Text>,
}

impl Reader<'_> {
    pub(super) fn clusters(
        &self,
        raw: Spanned<Vec<RawCluster>>,
        hosts: &[Host],
        front: &[Balancer],
    ) -> Checked<Vec<Cluster>> {
        let span = raw.span();
        let mut clusters: Vec<Cluster> = Vec::new();
        for raw in raw.get_ref() {
            let cluster = self.cluster(raw, hosts)?;
            let other = clusters.iter().flat_map(|other| &other.hosts).find(|host| cluster.hosts.contains(host));
            let twice = |field, value: String| Located {
                span: raw.hosts.span(),
                problem: EnvironmentProblem::Twice { field, value },
            };
            if let Some(host) = other {
                return Err(twice("host of clusters", host.to_string()));
            }
            if clusters.iter().any(|other| other.name == cluster.name) {
                return Err(twice("cluster", cluster.name.to_string()));
            }
            clusters.push(cluster);
        }
        let proxied = clusters.iter().filter(|cluster| !cluster.proxies.is_empty()).count();
        if proxied > 0 && (proxied < clusters.len() || front.is_empty()) {
            return Err(Located { span, problem: EnvironmentProblem::Front });
        }
        Ok(clusters)
    }

    fn cluster(&self, raw: &RawCluster, hosts: &[Host]) -> Checked<Cluster> {
        refuse_empty(raw.hosts.get_ref().len(), "`hosts` of the cluster", raw.hosts.span())?;
        let mut members: BTreeSet<&HostName> = BTreeSet::new();
        for text in raw.hosts.get_ref() {
            let found = self.chosen(text, hosts)?;
            members.extend(found);
        }
        let hosts = hosts.iter().map(Host::name).filter(|name| members.contains(name)).cloned().collect();
        let proxies = raw.proxies.iter().map(|proxy| self.proxy(proxy)).collect::<Checked<_>>()?;
        Ok(Cluster { name: self.parsed(&raw.name)?, hosts, proxies })
    }

    /// The hosts that a pattern or `role:NAME` chooses.
    fn chosen<'b>(&self, text: &Text, hosts: &'b [Host]) -> Checked<Vec<&'b HostName>> {
        let value = self.text(text)?;
        let unknown = |value: &str| at(text, EnvironmentProblem::UnknownHost(value.to_owned()));
        if let Some(role) = value.strip_prefix("role:") {
            let found: Vec<&HostName> = hosts.iter().filter(|host| host.roles.contains(role)).map(Host::name).collect();
            return if found.is_empty() { Err(unknown(&value)) } else { Ok(found) };
        }
        let names = self.expanded(text)?;
        let find = |name: &String| hosts.iter().map(Host::name).find(|host| host.as_str() == name);
        names.iter().map(|name| find(name).ok_or_else(|| unknown(name))).collect()
    }

    fn proxy(&self, raw: &RawProxy) -> Checked<Proxy> {
        let name: HostName = self.parsed(&raw.name)?;
        let address = match &raw.address {
            Some(address) => self.destination("address", address)?,
            None => name.to_string(),
        };
        let server = match &raw.server {
            Some(server) => self.word("server", server)?,
            None => name.to_string(),
        };
        Ok(Proxy { endpoint: Endpoint { name, address }, server })
    }
}
