//! The load balancers in front of the hosts.

use std::time::Duration;

use toml::Spanned;

use super::fields::{Fields, RawFields};
use super::reader::{Checked, Reader, Text, at};
use super::{Endpoint, EnvironmentProblem};
use crate::balancers::{Apache, AwsTargetGroup, Command, Driver, HaProxy, HealthPage, Lvs, Nginx, VirtualService};

/// A load balancer in front of the hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    /// What it is and how it is told.
    pub driver: Driver,
    /// How long a drained server has to finish its requests, 30 seconds by default.
    pub drain_timeout: Duration,
}

/// The keys depend on the kind.
pub(super) type RawBalancer = RawFields;

#[derive(Debug, Clone, Copy)]
enum Kind {
    HaProxy,
    Nginx,
    Apache,
    Lvs,
    Aws,
    HealthPage,
    Command,
}

const KINDS: [(&str, Kind); 7] = [
    ("haproxy", Kind::HaProxy),
    ("nginx", Kind::Nginx),
    ("apache", Kind::Apache),
    ("lvs", Kind::Lvs),
    ("aws", Kind::Aws),
    ("health-page", Kind::HealthPage),
    ("command", Kind::Command),
];

/// How long the slowest of usual checks takes to notice: every 2 s, three in a row, 2 s each.
const NOTICE: Duration = Duration::from_secs(8);

impl Reader<'_> {
    pub(super) fn balancer(&self, raw: &RawBalancer) -> Checked<Balancer> {
        let mut fields = Fields::new(self, raw);
        let balancer = fields.balancer()?;
        fields.finish()?;
        Ok(balancer)
    }
}

impl Fields<'_> {
    /// A balancer of any kind; keys that others know are left.
    pub(super) fn balancer(&mut self) -> Checked<Balancer> {
        let kind = self.kind(&KINDS, None)?;
        let drain_timeout = self.time("drain_timeout", Duration::from_secs(30))?;
        let driver = match kind {
            Kind::HaProxy => Driver::HaProxy(HaProxy {
                host: self.machine("host")?,
                socket: self.path_or("socket", "/run/haproxy/admin.sock")?,
                backend: self.word("backend")?,
            }),
            Kind::Nginx => Driver::Nginx(Nginx {
                host: self.machine("host")?,
                file: self.path("file")?,
                close_file: self.path_if("close_file")?,
            }),
            Kind::Apache => Driver::Apache(Apache {
                host: self.machine("host")?,
                url: self.url_or("url", "http://localhost/balancer-manager")?,
                balancer: self.word("balancer")?,
            }),
            Kind::Lvs => Driver::Lvs(Lvs { host: self.machine("host")?, service: self.virtual_service()? }),
            Kind::Aws => Driver::AwsTargetGroup(self.aws()?),
            Kind::HealthPage => Driver::HealthPage(self.health_page()?),
            Kind::Command => Driver::Command(Command {
                host: self.machine_if("host")?,
                view: self.shell("view")?,
                set: self.shell("set")?,
            }),
        };
        Ok(Balancer { driver, drain_timeout })
    }

    fn health_page(&mut self) -> Checked<HealthPage> {
        let url = self.needed("url")?;
        Ok(HealthPage {
            host: self.machine_if("host")?,
            file: self.path("file")?,
            url: self.url(&url)?,
            port: self.needed_number("port")?,
            notice: self.time("notice", NOTICE)?,
        })
    }

    fn aws(&mut self) -> Checked<AwsTargetGroup> {
        let region = self.text("region")?;
        let command = self.text("command")?;
        Ok(AwsTargetGroup {
            arn: self.word_of_url("target_group")?,
            region: region.map(|region| self.reader().word("region", &region)).transpose()?,
            port: self.number("port")?,
            command: command.map_or(Ok("aws".to_owned()), |command| self.reader().text(&command))?,
        })
    }

    fn virtual_service(&mut self) -> Checked<VirtualService> {
        if let Some(mark) = self.number("mark")? {
            return Ok(VirtualService::Mark(mark));
        }
        let text = self.needed("service")?;
        let value = self.reader().text(&text)?;
        match value.parse::<std::net::SocketAddr>() {
            Ok(address) => Ok(VirtualService::Tcp(address.to_string())),
            Err(_) => {
                let rule = "not an address and a port such as `10.0.0.1:80`, as `ipvsadm -Ln` lists them";
                Err(at(&text, EnvironmentProblem::Text { field: "service", value, rule }))
            }
        }
    }

    /// A machine that `ssh` reaches, named by its address.
    pub(super) fn machine(&mut self, key: &'static str) -> Checked<Endpoint> {
        let text = self.needed(key)?;
        self.endpoint(key, &text)
    }

    /// The same, if it is there.
    pub(super) fn machine_if(&mut self, key: &'static str) -> Checked<Option<Endpoint>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        self.endpoint(key, &text).map(Some)
    }

    fn endpoint(&mut self, key: &'static str, text: &Text) -> Checked<Endpoint> {
        let address = self.reader().destination(key, text)?;
        let name = address.rsplit_once('@').map_or(address.as_str(), |(_, host)| host);
        let name = name.parse().map_err(|problem| at(text, EnvironmentProblem::Name(problem)))?;
        Ok(Endpoint { name, address })
    }

    pub(super) fn path(&mut self, key: &'static str) -> Checked<String> {
        let text = self.needed(key)?;
        self.reader().absolute(key, &text)
    }

    fn path_if(&mut self, key: &'static str) -> Checked<Option<String>> {
        let Some(path) = self.text(key)? else { return Ok(None) };
        self.reader().absolute(key, &path).map(Some)
    }

    fn path_or(&mut self, key: &'static str, default: &str) -> Checked<String> {
        match self.text(key)? {
            Some(path) => self.reader().absolute(key, &path),
            None => Ok(default.to_owned()),
        }
    }

    pub(super) fn word(&mut self, key: &'static str) -> Checked<String> {
        let text = self.needed(key)?;
        self.reader().word(key, &text)
    }

    /// An ARN has slashes.
    fn word_of_url(&mut self, key: &'static str) -> Checked<String> {
        let text = self.needed(key)?;
        self.reader().destination(key, &text)
    }

    fn url(&mut self, text: &Text) -> Checked<String> {
        self.reader().http_url("url", text)
    }

    pub(super) fn url_or(&mut self, key: &'static str, default: &str) -> Checked<String> {
        let text = self.text(key)?.unwrap_or_else(|| Spanned::new(self.span(), default.to_owned()));
        self.url(&text)
    }

    pub(super) fn shell(&mut self, key: &'static str) -> Checked<String> {
        let text = self.needed(key)?;
        self.reader().text(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Environment;

    fn parse(balancer: &str) -> Result<String, String> {
        let text = format!(
            "name = 'a'\nledger = 'l'\napproval = 'none'\nrepository.ids = ['r']\nservice.name = 's'\n\
             health.url = 'http://{{address}}/'\nstrategy = {{ kind = 'rolling', min_serving = 0 }}\n\
             [[hosts]]\nname = 'web1'\n[[balancer]]\n{balancer}\n"
        );
        match Environment::parse(&text, Path::new("a.toml"), &|_| None) {
            Ok(environment) => Ok(environment.balancers[0].driver.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn each_kind_has_its_keys() {
        for (balancer, expected) in [
            ("kind = 'haproxy'\nhost = 'lb1'\nbackend = 'app'", "HAProxy on `lb1` (backend `app`)"),
            ("kind = 'nginx'\nhost = 'root@lb1'\nfile = '/etc/s.conf'", "nginx on `lb1` (file `/etc/s.conf`)"),
            ("kind = 'apache'\nhost = 'lb1'\nbalancer = 'app'", "Apache on `lb1` (balancer `app`)"),
            ("kind = 'lvs'\nhost = 'lb1'\nservice = '10.0.0.1:80'", "LVS on `lb1` (service `-t 10.0.0.1:80`)"),
            ("kind = 'lvs'\nhost = 'lb1'\nmark = 7", "LVS on `lb1` (service `-f 7`)"),
            ("kind = 'aws'\ntarget_group = 'arn:aws:e:1:2:targetgroup/a/b'\nport = 8080", "AWS target group `arn:"),
            (
                "kind = 'health-page'\nfile = '/run/drain'\nurl = 'http://localhost/health'\nport = 80\nnotice = '2s'",
                "health page on each host (file `/run/drain`)",
            ),
            ("kind = 'command'\nview = 'f5 list'\nset = 'f5 set'", "the balancer that `f5 list` speaks with"),
        ] {
            let parsed = parse(balancer).unwrap();
            assert!(parsed.starts_with(expected), "{parsed}");
        }
    }

    #[test]
    fn what_a_kind_does_not_have_is_refused() {
        for (balancer, expected) in [
            ("host = 'lb1'", "a.toml:10: `kind` is missing"),
            ("kind = 'haproxi'", "a.toml:11: unknown kind `haproxi`, there are `haproxy`, `nginx`"),
            ("kind = 'haproxi'", "did you mean `haproxy`?"),
            ("kind = 'haproxy'\nhost = 'lb1'", "a.toml:10: `backend` is missing"),
            ("kind = 'nginx'\nhost = 'lb1'\nfile = '/a'\nbackend = 'app'", "a.toml:14: unknown field `backend`"),
            ("kind = 'nginx'\nhost = 'lb1'\nfiel = '/a'", "`file` is missing"),
            ("kind = 'nginx'\nhost = 'lb1'\nfile = 'a'", "a.toml:13: file `a` is not an absolute path"),
            ("kind = 'lvs'\nhost = 'lb1'\nservice = 'lb1:80'", "a.toml:13: service `lb1:80` is not an address"),
            ("kind = 'lvs'\nhost = 'lb1'\nmark = -1", "`mark` is `-1`, not a number that can be"),
            ("kind = 'health-page'\nfile = '/a'\nurl = 'http://a/'\nport = 80000", "`port` is `80000`"),
            ("kind = 'apache'\nhost = 3", "`host` is `3`, not a text"),
        ] {
            let error = parse(balancer).unwrap_err();
            assert!(error.contains(expected), "{balancer}: {error}");
        }
    }
}
