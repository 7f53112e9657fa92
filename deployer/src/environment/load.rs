//! From the file to a valid environment: every check that needs no host is made here.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::raw::{RawBalancer, RawEnvironment, RawHealth, RawHost, RawSsh, Text};
use super::text::{Variables, expand, nearest_key, parse_time};
use super::{
    Balancer, Endpoint, Environment, EnvironmentError, EnvironmentProblem, Health, Host, Rolling, SshSettings,
};

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
        let reader = Reader { variables, directory };
        reader.environment(raw).map_err(|located| invalid(Some(located.span), located.problem))
    }
}

/// A problem and where in the file it is.
struct Located {
    span: Range<usize>,
    problem: EnvironmentProblem,
}

type Checked<T> = Result<T, Located>;

struct Reader<'a> {
    variables: Variables<'a>,
    directory: &'a Path,
}

impl Reader<'_> {
    fn environment(&self, raw: RawEnvironment) -> Checked<Environment> {
        let hosts_span = raw.hosts.span();
        let hosts = raw.hosts.into_inner().iter().map(|host| self.host(host)).collect::<Checked<Vec<_>>>()?;
        refuse_empty(hosts.len(), "`hosts`", hosts_span.clone())?;
        refuse_twice(hosts.iter().map(|host| host.name().as_str()), "host", hosts_span.clone())?;
        refuse_twice(hosts.iter().map(|host| host.server.as_str()), "server", hosts_span)?;
        let ids_span = raw.repository.ids.span();
        let ids = raw.repository.ids.into_inner();
        refuse_empty(ids.len(), "`ids`", ids_span)?;
        let balancers = raw.balancers.iter().map(|balancer| self.balancer(balancer)).collect::<Checked<Vec<_>>>()?;
        let strategy_span = raw.strategy.span();
        let strategy = raw.strategy.into_inner();
        let strategy =
            rolling(strategy.batch_size.unwrap_or(1), strategy.min_serving, hosts.len(), !balancers.is_empty())
                .map_err(|problem| Located { span: strategy_span, problem })?;
        Ok(Environment {
            name: self.parsed(&raw.name)?,
            ledger: self.location(&raw.ledger)?,
            approval: raw.approval,
            repositories: ids.iter().map(|id| self.word("repository id", id)).collect::<Checked<_>>()?,
            repository_server: raw.repository.server.as_ref().map(|server| self.text(server)).transpose()?,
            ssh: self.ssh(&raw.ssh)?,
            service: self.word("service", &raw.service.name)?,
            health: self.health(&raw.health)?,
            balancers,
            strategy,
            hosts,
        })
    }

    fn host(&self, raw: &RawHost) -> Checked<Host> {
        let name: crate::HostName = self.parsed(&raw.name)?;
        let address = match &raw.address {
            Some(address) => self.destination("address", address)?,
            None => name.to_string(),
        };
        let server = match &raw.server {
            Some(server) => self.word("server", server)?,
            None => name.to_string(),
        };
        Ok(Host { endpoint: Endpoint { name, address }, server })
    }

    fn balancer(&self, raw: &RawBalancer) -> Checked<Balancer> {
        let address = self.destination("host", &raw.host)?;
        let name = address.rsplit_once('@').map_or(address.as_str(), |(_, host)| host);
        let name = name.parse().map_err(|problem| at(&raw.host, EnvironmentProblem::Name(problem)))?;
        let socket = match &raw.socket {
            Some(socket) => self.absolute("socket", socket)?,
            None => "/run/haproxy/admin.sock".to_owned(),
        };
        Ok(Balancer {
            host: Endpoint { name, address },
            socket,
            backend: self.word("backend", &raw.backend)?,
            drain_timeout: self.time(raw.drain_timeout.as_ref(), Duration::from_secs(30))?,
        })
    }

    fn ssh(&self, raw: &RawSsh) -> Checked<SshSettings> {
        let text = |text: &Option<Text>, field| text.as_ref().map(|text| self.destination(field, text)).transpose();
        let path = |text: &Option<Text>| text.as_ref().map(|text| self.path(text)).transpose();
        Ok(SshSettings {
            user: text(&raw.user, "user")?,
            port: raw.port,
            key_file: path(&raw.key_file)?,
            jump_host: text(&raw.jump_host, "jump_host")?,
            config_file: path(&raw.config_file)?,
            sudo: raw.sudo,
            options: raw.options.iter().map(|option| self.ssh_option(option)).collect::<Checked<_>>()?,
        })
    }

    fn health(&self, raw: &RawHealth) -> Checked<Health> {
        let url = self.text(&raw.url)?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let rule = "not a URL that begins with `http://` or `https://`";
            return Err(at(&raw.url, EnvironmentProblem::Text { field: "url", value: url, rule }));
        }
        Ok(Health {
            url,
            expect_status: raw.expect_status.unwrap_or(200),
            expect_body: raw.expect_body.as_ref().map(|body| self.text(body)).transpose()?,
            package: raw.package.as_ref().map(|package| self.parsed(package)).transpose()?,
            start_timeout: self.time(raw.start_timeout.as_ref(), Duration::from_secs(120))?,
            interval: self.time(raw.interval.as_ref(), Duration::from_millis(250))?,
        })
    }

    fn text(&self, text: &Text) -> Checked<String> {
        expand(text.get_ref(), self.variables).map_err(|problem| at(text, problem))
    }

    fn parsed<T>(&self, text: &Text) -> Checked<T>
    where
        T: FromStr,
        EnvironmentProblem: From<T::Err>,
    {
        self.text(text)?.parse().map_err(|problem: T::Err| at(text, problem.into()))
    }

    fn time(&self, text: Option<&Text>, default: Duration) -> Checked<Duration> {
        let Some(text) = text else { return Ok(default) };
        parse_time(&self.text(text)?).map_err(|problem| at(text, problem))
    }

    /// A word that is safe in a file name, in HAProxy's commands and as yum's repository id.
    fn word(&self, field: &'static str, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
        if !value.is_empty() && !value.starts_with('-') && value.chars().all(fits) {
            return Ok(value);
        }
        let rule = "not a word of letters, digits and `. _ : @ -`, not beginning with `-`";
        Err(at(text, EnvironmentProblem::Text { field, value, rule }))
    }

    /// What `ssh` takes as a user or a destination, and never as an option.
    fn destination(&self, field: &'static str, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        let fits = |c: char| c.is_ascii_graphic() && !"'\"`\\$;&|<>(){}".contains(c);
        if !value.is_empty() && !value.starts_with('-') && value.chars().all(fits) {
            return Ok(value);
        }
        let rule = "not what `ssh` takes there: no spaces, no quotes, not beginning with `-`";
        Err(at(text, EnvironmentProblem::Text { field, value, rule }))
    }

    fn ssh_option(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        let key = value.split_once('=').map_or("", |(key, _)| key);
        if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()) && !value.contains('\n') {
            return Ok(value);
        }
        Err(at(text, EnvironmentProblem::Text { field: "option", value, rule: "not `Key=value`" }))
    }

    fn absolute(&self, field: &'static str, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        if value.starts_with('/') && value.chars().all(|c| c.is_ascii_alphanumeric() || "/._@-".contains(c)) {
            return Ok(value);
        }
        let rule = "not an absolute path of letters, digits and `/ . _ @ -`";
        Err(at(text, EnvironmentProblem::Text { field, value, rule }))
    }

    fn path(&self, text: &Text) -> Checked<PathBuf> {
        Ok(self.directory.join(self.text(text)?))
    }

    /// A directory relative to the file, or a URL as it is.
    fn location(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        if value.contains("://") {
            return Ok(value);
        }
        Ok(self.directory.join(value).display().to_string())
    }
}

fn at(text: &Text, problem: EnvironmentProblem) -> Located {
    Located { span: text.span(), problem }
}

fn refuse_empty(length: usize, list: &'static str, span: Range<usize>) -> Checked<()> {
    if length > 0 { Ok(()) } else { Err(Located { span, problem: EnvironmentProblem::Empty(list) }) }
}

fn refuse_twice<'a>(values: impl Iterator<Item = &'a str>, field: &'static str, span: Range<usize>) -> Checked<()> {
    let mut seen = BTreeSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(Located { span, problem: EnvironmentProblem::Twice { field, value: value.to_owned() } });
        }
    }
    Ok(())
}

fn rolling(
    batch_size: usize,
    min_serving: Option<usize>,
    hosts: usize,
    balanced: bool,
) -> Result<Rolling, EnvironmentProblem> {
    let min_serving = match (min_serving, balanced) {
        (None, true) => return Err(EnvironmentProblem::MinServingMissing(hosts.saturating_sub(batch_size))),
        (Some(1..), false) => return Err(EnvironmentProblem::MinServingUnseen),
        (min_serving, _) => min_serving.unwrap_or(0),
    };
    if batch_size == 0 || min_serving + batch_size.min(hosts) > hosts {
        return Err(EnvironmentProblem::NeverServing { min_serving, batch_size, hosts });
    }
    Ok(Rolling { batch_size, min_serving })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(environment.balancers[0].socket, "/run/haproxy/admin.sock");
        assert_eq!(environment.strategy, Rolling { batch_size: 1, min_serving: 1 });
        assert_eq!(environment.hosts[1].endpoint.address, "web2");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (old, new, expected) in [
            ("approval = \"none\"", "", "missing field `approval`"),
            ("approval", "aproval", "lab.toml:4: unknown field `aproval`"),
            ("approval", "aproval", "did you mean `approval`?"),
            ("\"none\"", "\"nobody\"", "unknown variant `nobody`, expected `none` or `person`"),
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
            ("\"haproxy\"", "\"f5\"", "unknown variant `f5`"),
        ] {
            let error = parse(&WHOLE.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(error.contains(expected), "{old} → {new}: {error}");
        }
    }
}
