//! From the file to a valid environment: every check that needs no host is made here or in the sections' own files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::balancer::RawBalancer;
use super::clusters::RawCluster;
use super::health::RawHealth;
use super::hooks::{RawHook, RawTask};
use super::hosts::RawHost;
use super::inventory::RawInventory;
use super::notes::RawNotes;
use super::notifications::RawNotification;
use super::policy::FailurePolicy;
use super::reader::{Checked, Reader, Text, refuse_empty, refuse_twice};
use super::repository::RawRepository;
use super::service::RawService;
use super::ssh::RawSsh;
use super::standard::RawStandard;
use super::strategy::{Ground, RawStrategy};
use super::text::{Variables, nearest_key};
use super::windows::RawWindow;
use super::{Approval, Environment, EnvironmentError, EnvironmentProblem, Host, SshSettings};

/// The whole file as it is written, before any value is looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEnvironment {
    name: Text,
    ledger: Text,
    approval: Approval,
    approvers: Option<Text>,
    #[serde(default)]
    windows: Vec<RawWindow>,
    freeze: Option<Text>,
    #[serde(default)]
    policy: FailurePolicy,
    #[serde(default)]
    hooks: Vec<RawHook>,
    #[serde(default)]
    tasks: BTreeMap<String, RawTask>,
    #[serde(default)]
    notifications: Vec<Spanned<RawNotification>>,
    #[serde(default)]
    notes: Vec<Spanned<RawNotes>>,
    #[serde(default)]
    standard: RawStandard,
    repository: RawRepository,
    #[serde(default)]
    ssh: RawSsh,
    service: RawService,
    health: RawHealth,
    #[serde(default, rename = "balancer")]
    balancers: Vec<RawBalancer>,
    #[serde(default = "none")]
    clusters: Spanned<Vec<RawCluster>>,
    #[serde(default)]
    front: Vec<RawBalancer>,
    #[serde(default)]
    variables: BTreeMap<String, Text>,
    strategy: Spanned<RawStrategy>,
    #[serde(default = "none")]
    hosts: Spanned<Vec<RawHost>>,
    inventory: Option<Spanned<RawInventory>>,
}

/// A list that is not in the file.
fn none<T>() -> Spanned<Vec<T>> {
    Spanned::new(0..0, Vec::new())
}

impl Environment {
    /// Reads and checks an environment file.
    ///
    /// `${NAME}` and `${NAME:-default}` in a text stand for a variable of the process's environment; relative paths
    /// are relative to the file.
    ///
    /// # Errors
    /// [`EnvironmentError`], with the file and the line.
    pub fn load(file: &Path) -> Result<Self, EnvironmentError> {
        let text = fs_err::read_to_string(file).map_err(EnvironmentError::Read)?;
        Self::parse(&text, file, &|name| std::env::var(name).ok())
    }

    pub(super) fn parse(text: &str, file: &Path, variables: Variables<'_>) -> Result<Self, EnvironmentError> {
        let invalid = |span: Option<Range<usize>>, problem| EnvironmentError::Invalid {
            file: file.to_owned(),
            line: span.map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
            problem,
        };
        let raw: RawEnvironment = toml::from_str(text).map_err(|error| {
            let message = error.message().to_owned();
            let nearest = nearest_key(&message);
            invalid(error.span(), EnvironmentProblem::Shape { message, nearest })
        })?;
        let directory = file.parent().unwrap_or(Path::new(""));
        let reader = Reader { variables, directory, literal: false };
        reader.environment(raw).map_err(|located| invalid(Some(located.span), located.problem))
    }
}

impl Reader<'_> {
    fn environment(&self, raw: RawEnvironment) -> Checked<Environment> {
        let ssh = self.ssh(&raw.ssh, &SshSettings::default())?;
        let variables = self.variables(&raw.variables)?;
        let hosts = self.all_hosts(&raw, &ssh, &variables)?;
        let ids_span = raw.repository.ids.span();
        let ids = raw.repository.ids.into_inner();
        refuse_empty(ids.len(), "`ids`", ids_span)?;
        let balancers = raw.balancers.iter().map(|balancer| self.balancer(balancer)).collect::<Checked<Vec<_>>>()?;
        let front = raw.front.iter().map(|balancer| self.balancer(balancer)).collect::<Checked<Vec<_>>>()?;
        let clusters = self.clusters(raw.clusters, &hosts, &front)?;
        let ground = Ground { hosts: hosts.len(), clusters: &clusters, balanced: !balancers.is_empty() };
        let strategy = self.strategy(&raw.strategy, &ground)?;
        Ok(Environment {
            name: self.parsed(&raw.name)?,
            ledger: self.location(&raw.ledger)?,
            approval: raw.approval,
            approvers: self.approvers(raw.approval, raw.approvers.as_ref(), &raw.name)?,
            windows: raw.windows.iter().map(|window| self.window(window)).collect::<Checked<_>>()?,
            freeze: raw.freeze.as_ref().map(|freeze| self.freeze(freeze)).transpose()?,
            policy: raw.policy,
            hooks: raw.hooks.iter().map(|hook| self.hook(hook)).collect::<Checked<_>>()?,
            tasks: self.tasks(&raw.tasks)?,
            notifications: raw.notifications.iter().map(|raw| self.notification(raw)).collect::<Checked<_>>()?,
            notes: raw.notes.iter().map(|raw| self.notes(raw)).collect::<Checked<_>>()?,
            standard: self.standard(&raw.standard)?,
            repositories: ids.iter().map(|id| self.word("repository id", id)).collect::<Checked<_>>()?,
            repository_server: raw.repository.server.as_ref().map(|server| self.text(server)).transpose()?,
            ssh,
            service: self.service(&raw.service)?,
            health: self.health(&raw.health)?,
            balancers,
            strategy,
            clusters,
            front,
            variables,
            hosts,
            left_out: Vec::new(),
        })
    }

    /// The hosts of the file, and those of the inventory after them.
    fn all_hosts(
        &self,
        raw: &RawEnvironment,
        ssh: &SshSettings,
        variables: &BTreeMap<String, String>,
    ) -> Checked<Vec<Host>> {
        let mut hosts = Vec::new();
        for entry in raw.hosts.get_ref() {
            hosts.extend(self.hosts(entry, ssh, variables)?);
        }
        if let Some(inventory) = &raw.inventory {
            hosts.extend(self.inventory(inventory, ssh, variables)?);
        }
        let span = raw.inventory.as_ref().filter(|_| raw.hosts.get_ref().is_empty());
        let span = span.map_or_else(|| raw.hosts.span(), Spanned::span);
        refuse_empty(hosts.len(), "the list of hosts", span.clone())?;
        refuse_twice(hosts.iter().map(|host| host.name().as_str()), "host", span.clone())?;
        refuse_twice(hosts.iter().map(|host| host.server.as_str()), "server", span)?;
        Ok(hosts)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::environment::{NotesAudience, NotesPlace, Portion, Strategy, StrategyKind};

    const WHOLE: &str = r#"
name = "lab"
ledger = "store"
approval = "none"
[repository]
ids = ["pkg-dev"]
[ssh]
user = "deploy"
config_file = "${DIR}/ssh_config"
sudo = true
[service]
name = "tomcat10"
[health]
url = "http://{address}:8080/app/"
expect_body = "{version}-{release}"
start_timeout = "30s"
[[balancer]]
kind = "haproxy"
host = "lb1"
backend = "app"
[strategy]
kind = "rolling"
min_serving = 1
[[hosts]]
name = "web1"
address = "10.77.0.12"
[[hosts]]
name = "web2"
"#;

    fn parse(text: &str) -> Result<Environment, EnvironmentError> {
        let variables = |name: &str| (name == "DIR").then(|| "/run/lab".to_owned());
        Environment::parse(text, Path::new("specs/lab.toml"), &variables)
    }

    #[test]
    fn reads_the_whole() {
        let environment = parse(WHOLE).unwrap();
        assert_eq!(environment.ledger, "specs/store");
        assert_eq!(environment.ssh.config_file, Some(PathBuf::from("/run/lab/ssh_config")));
        assert_eq!(environment.health.start_timeout, Duration::from_secs(30));
        assert_eq!(environment.balancers[0].driver.to_string(), "HAProxy on `lb1` (backend `app`)");
        let (kind, batch_size) = (StrategyKind::Rolling, Portion::Count(1));
        assert_eq!(environment.strategy, Strategy { kind, batch_size, min_serving: 1 });
        assert_eq!(environment.hosts[1].endpoint.address, "web2");
    }

    #[test]
    fn where_notes_are_published() {
        let with =
            |notes: &str| parse(&WHOLE.replacen("[repository]", &format!("[[notes]]\n{notes}\n[repository]"), 1));
        let file = "kind = \"file\"\npath = \"notes/{package}-{version}.html\"\naudience = \"customer\"";
        let read = with(file).unwrap().notes.remove(0);
        assert_eq!(read.place, NotesPlace::File(PathBuf::from("specs/notes/{package}-{version}.html")));
        assert_eq!((read.audience, read.package), (NotesAudience::Customer, None));
        let named =
            with("kind = \"command\"\ncommand = \"mail\"\naudience = \"internal\"\npackage = \"shop\"").unwrap();
        assert_eq!(named.notes[0].package, Some("shop".parse().unwrap()));
        for (notes, expected) in [
            ("kind = \"file\"\naudience = \"customer\"", "lab.toml:5: `[[notes]]` needs `path`, and neither"),
            ("kind = \"file\"\npath = \"a\"", "missing field `audience`"),
            ("kind = \"file\"\npath = \"{host}\"\naudience = \"customer\"", "`{host}` is not the path of a file"),
            ("kind = \"mail\"\naudience = \"customer\"", "unknown variant `mail`"),
            ("kind = \"webhook\"\nurl = \"ftp://a\"\naudience = \"customer\"", "url `ftp://a` is not a URL"),
            (
                "kind = \"command\"\ncommand = \"a\"\nurl = \"b\"\naudience = \"internal\"",
                "needs `command`, and neither",
            ),
            ("kind = \"file\"\npath = \"a\"\naudience = \"all\"", "unknown variant `all`"),
            ("kind = \"file\"\npath = \"a\"\naudience = \"internal\"\ncolour = 1", "unknown field `colour`"),
        ] {
            let error = with(notes).unwrap_err().to_string();
            assert!(error.contains(expected), "{notes}: {error}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (old, new, expected) in [
            ("approval = \"none\"", "", "missing field `approval`"),
            ("approval", "aproval", "lab.toml:4: unknown field `aproval`"),
            ("approval", "aproval", "did you mean `approval`?"),
            ("\"none\"", "\"nobody\"", "unknown variant `nobody`, expected one of `none`, `person`, `two`"),
            ("${DIR}", "${OTHER}", "lab.toml:9: variable `OTHER` is not set"),
            ("\"30s\"", "\"30\"", "lab.toml:16: `30` is not a time"),
            ("[\"pkg-dev\"]", "[]", "lab.toml:6: `ids` is empty"),
            ("\"web2\"", "\"web1\"", "host `web1` is there twice"),
            ("\"web2\"", "\"-oProxyCommand=x\"", "is not a name"),
            ("10.77.0.12", "-oProxyCommand=x", "address `-oProxyCommand=x` is not what `ssh` takes"),
            ("min_serving = 1", "", "`min_serving` is missing: how many hosts must serve at any time, 0 to 1"),
            ("min_serving = 1", "min_serving = 2", "`min_serving` = 2 with `batch_size` = 1 can't hold with 2 hosts"),
            ("min_serving = 1", "min_serving = 1\nbatch_size = 0", "`batch_size` = 0 can't hold"),
            ("http://{", "ftp://{", "lab.toml:14: url `ftp://{address}:8080/app/` is not a URL"),
            ("\"app\"", "\"a b\"", "backend `a b` is not a word"),
            ("\"haproxy\"", "\"f5\"", "unknown kind `f5`, there are `haproxy`"),
        ] {
            let error = parse(&WHOLE.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(error.contains(expected), "{old} → {new}: {error}");
        }
    }
}
