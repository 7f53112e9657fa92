//! Hosts that a command tells as JSON: in this file's own words, or as Ansible's inventories do (`--list`).

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::hosts::RawHost;
use super::reader::{Checked, Located, Reader, Text, refuse_empty};
use super::ssh::RawSsh;
use super::{EnvironmentProblem, Host, SshSettings};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInventory {
    command: Spanned<Vec<Text>>,
    /// Only hosts of one of these roles, which are Ansible's groups.
    #[serde(default)]
    roles: Vec<Text>,
}

/// A host as a command tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Told {
    name: String,
    address: Option<String>,
    server: Option<String>,
    roles: BTreeSet<String>,
    variables: BTreeMap<String, String>,
    ssh: Option<ToldSsh>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ToldSsh {
    user: Option<String>,
    port: Option<u16>,
    key_file: Option<String>,
    jump_host: Option<String>,
    sudo: Option<bool>,
}

impl Reader<'_> {
    /// Runs the command and reads the hosts that it tells.
    pub(super) fn inventory(
        &self,
        raw: &Spanned<RawInventory>,
        settings: &SshSettings,
        variables: &BTreeMap<String, String>,
    ) -> Checked<Vec<Host>> {
        let span = raw.get_ref().command.span();
        let words = raw.get_ref().command.get_ref().iter().map(|word| self.text(word)).collect::<Checked<Vec<_>>>()?;
        refuse_empty(words.len(), "`command` of the inventory", span.clone())?;
        let failed = |why| {
            let problem = EnvironmentProblem::Inventory { command: words.join(" "), why };
            Located { span: span.clone(), problem }
        };
        let roles = raw.get_ref().roles.iter().map(|role| self.word("role", role)).collect::<Checked<BTreeSet<_>>>()?;
        let json = output(&words, self.directory).map_err(failed)?;
        let told = parse(&json).map_err(failed)?;
        let wanted = told.into_iter().filter(|host| roles.is_empty() || !roles.is_disjoint(&host.roles));
        let literal = Reader { literal: true, ..*self };
        let mut hosts = Vec::new();
        for told in wanted {
            let text = |value: String| Spanned::new(span.clone(), value);
            hosts.extend(literal.hosts(&told.into_raw(&text), settings, variables)?);
        }
        Ok(hosts)
    }
}

/// Runs the command beside the environment file.
fn output(words: &[String], directory: &std::path::Path) -> Result<String, String> {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    if !directory.as_os_str().is_empty() {
        command.current_dir(directory);
    }
    let output = command.output().map_err(|error| format!("can't be started: {error}"))?;
    if !output.status.success() {
        let complaint = crate::transport::last_lines(&String::from_utf8_lossy(&output.stderr), 3);
        return Err(format!("failed ({}): {complaint}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| "prints something that is not UTF-8".to_owned())
}

fn parse(json: &str) -> Result<Vec<Told>, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| format!("prints no JSON: {error}"))?;
    let groups = value.as_object().ok_or("prints no JSON object")?;
    if let Some(hosts @ Value::Array(_)) = groups.get("hosts") {
        return serde_json::from_value(hosts.clone())
            .map_err(|error| format!("has a host that can't be read: {error}"));
    }
    Ok(ansible(groups))
}

type Object = serde_json::Map<String, Value>;

/// Reads what `ansible-inventory --list` and inventory scripts print (Ansible's guide "Developing dynamic inventory").
fn ansible(groups: &Object) -> Vec<Told> {
    let meta = groups.get("_meta").and_then(|meta| meta.get("hostvars")).and_then(Value::as_object);
    let mut order: Vec<&str> = Vec::new();
    let mut roles: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut variables: BTreeMap<&str, Object> = BTreeMap::new();
    // From the general to the special: the variables of `all` are overruled by those of any other group.
    let named = |all: bool| groups.iter().filter(move |(name, _)| (*name == "all") == all && *name != "_meta");
    for (name, group) in named(true).chain(named(false)) {
        let mut hosts = Vec::new();
        collect_hosts(groups, name, &mut BTreeSet::new(), &mut hosts);
        for host in hosts {
            if !order.contains(&host) {
                order.push(host);
            }
            if !["all", "ungrouped"].contains(&name.as_str()) {
                roles.entry(host).or_default().insert(name.clone());
            }
            let group_variables = group.get("vars").and_then(Value::as_object).into_iter().flatten();
            let own = group_variables.map(|(key, value)| (key.clone(), value.clone()));
            variables.entry(host).or_default().extend(own);
        }
    }
    let told = order.into_iter().map(|host| {
        let mut all = variables.remove(host).unwrap_or_default();
        let own = meta.and_then(|meta| meta.get(host)).and_then(Value::as_object).into_iter().flatten();
        all.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        ansible_host(host, roles.remove(host).unwrap_or_default(), &all)
    });
    told.collect()
}

/// The hosts of a group and of its children; groups that contain each other end.
fn collect_hosts<'a>(groups: &'a Object, name: &'a str, seen: &mut BTreeSet<&'a str>, hosts: &mut Vec<&'a str>) {
    if !seen.insert(name) {
        return;
    }
    let Some(group) = groups.get(name) else { return };
    // Old scripts print the list alone.
    let own = group.as_array().or_else(|| group.get("hosts").and_then(Value::as_array));
    hosts.extend(own.into_iter().flatten().filter_map(Value::as_str));
    let children = group.get("children").and_then(Value::as_array);
    for child in children.into_iter().flatten().filter_map(Value::as_str) {
        collect_hosts(groups, child, seen, hosts);
    }
}

fn ansible_host(name: &str, roles: BTreeSet<String>, variables: &Object) -> Told {
    let text = |keys: &[&str]| keys.iter().find_map(|key| variables.get(*key)).and_then(scalar);
    let ssh = ToldSsh {
        user: text(&["ansible_user", "ansible_ssh_user"]),
        port: text(&["ansible_port", "ansible_ssh_port"]).and_then(|port| port.parse().ok()),
        key_file: text(&["ansible_ssh_private_key_file", "ansible_private_key_file"]),
        jump_host: None,
        sudo: variables.get("ansible_become").and_then(Value::as_bool),
    };
    let is_key = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let own = variables.iter().filter(|(key, _)| !key.starts_with("ansible_") && is_key(key));
    let is_reserved = |key: &str| ["host", "address", "server", "version", "release"].contains(&key);
    Told {
        name: name.to_owned(),
        address: text(&["ansible_host", "ansible_ssh_host"]),
        server: text(&["server"]),
        roles,
        variables: own
            .filter(|(key, _)| !is_reserved(key))
            .filter_map(|(key, value)| Some((key.clone(), scalar(value)?)))
            .collect(),
        ssh: (ssh != ToldSsh::default()).then_some(ssh),
    }
}

/// Lists and objects are of no use where a text is filled in.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Told {
    fn into_raw(self, text: &dyn Fn(String) -> Text) -> RawHost {
        RawHost {
            name: text(self.name),
            address: self.address.map(text),
            server: self.server.map(text),
            roles: self.roles.into_iter().map(text).collect(),
            variables: self.variables.into_iter().map(|(key, value)| (key, text(value))).collect(),
            ssh: self.ssh.map(|ssh| RawSsh {
                user: ssh.user.map(text),
                port: ssh.port,
                key_file: ssh.key_file.map(text),
                jump_host: ssh.jump_host.map(text),
                config_file: None,
                sudo: ssh.sudo,
                options: Vec::new(),
                keep_connections: None,
                reconnect_timeout: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ansible_groups_are_roles_and_its_variables_ours() {
        let json = r#"{
            "_meta": {"hostvars": {
                "web1": {"ansible_host": "10.0.0.1", "ansible_user": "deploy", "ansible_port": 2222, "rack": 7, "list": [1]},
                "web2": {"ansible_ssh_private_key_file": "/k", "zone": "b"}}},
            "all": {"children": ["ungrouped", "web", "db"], "vars": {"zone": "a"}},
            "web": {"hosts": ["web1", "web2"]}, "db": ["db1"], "loop": {"children": ["loop", "web"]}}"#;
        let told = parse(json).unwrap();
        assert_eq!(told.iter().map(|host| host.name.as_str()).collect::<Vec<_>>(), ["web1", "web2", "db1"]);
        assert_eq!(told[0].address.as_deref(), Some("10.0.0.1"));
        let ssh = told[0].ssh.clone().unwrap();
        assert_eq!((ssh.user.as_deref(), ssh.port), (Some("deploy"), Some(2222)));
        assert_eq!(told[0].roles, ["loop", "web"].map(str::to_owned).into());
        assert_eq!(told[0].variables, [("rack", "7"), ("zone", "a")].map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        assert_eq!(told[1].variables["zone"], "b");
        assert_eq!(told[2].roles, ["db".to_owned()].into());
    }

    #[test]
    fn our_own_words_are_read_strictly() {
        let told = parse(r#"{"hosts": [{"name": "web[1-2]", "roles": ["web"], "ssh": {"user": "u"}}]}"#).unwrap();
        assert_eq!(told[0].name, "web[1-2]");
        for (json, expected) in [
            ("", "prints no JSON"),
            ("[]", "prints no JSON object"),
            (r#"{"hosts": [{"nam": "x"}]}"#, "unknown field `nam`"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
