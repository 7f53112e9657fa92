//! A fleet of simulated hosts behind a simulated balancer: it does what the scripts would, and watches the invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deployer::{Answer, Endpoint, HealthError, HealthProbe, Script, Transport, TransportError};
use nevra::Nevra;

/// What happened on hosts: `web1 stop`, `web1 maint`, `web1 → app-1.1-1.noarch`.
pub(crate) type Happened = Vec<String>;

/// The fleet; clones are the same fleet.
#[derive(Clone)]
pub(crate) struct Fleet(Arc<Mutex<State>>);

struct State {
    hosts: BTreeMap<String, Host>,
    offered: Vec<Nevra>,
    broken: BTreeSet<(String, String)>,
    failing: BTreeSet<(String, &'static str)>,
    unreachable: BTreeSet<String>,
    /// The highest fencing token that each host has seen.
    tokens: BTreeMap<String, u64>,
    fence_before: Option<String>,
    min_serving: usize,
    happened: Happened,
    /// The directories of the transactions that were begun.
    transactions: BTreeSet<String>,
    before: Option<(String, Box<dyn Fn() + Send>)>,
}

#[derive(Clone)]
struct Host {
    installed: BTreeSet<Nevra>,
    active: bool,
    balancer: &'static str,
    says: String,
    /// What it answers with until its service is started anew, if that is not what is installed.
    serves: Option<String>,
}

impl Fleet {
    /// Healthy hosts that run a version, and what the repository offers.
    pub(crate) fn new(hosts: &[&str], installed: &str, offered: &[&str]) -> Self {
        let host = Host {
            installed: [installed.parse().unwrap()].into(),
            active: true,
            balancer: "UP",
            says: String::new(),
            serves: None,
        };
        Self(Arc::new(Mutex::new(State {
            hosts: hosts.iter().map(|name| ((*name).to_owned(), host.clone())).collect(),
            offered: offered.iter().map(|package| package.parse().unwrap()).collect(),
            broken: BTreeSet::new(),
            failing: BTreeSet::new(),
            unreachable: BTreeSet::new(),
            tokens: BTreeMap::new(),
            fence_before: None,
            min_serving: 1,
            happened: Vec::new(),
            transactions: BTreeSet::new(),
            before: None,
        })))
    }

    /// Makes a version unhealthy on a host.
    pub(crate) fn breaks(&self, host: &str, version: &str) {
        self.0.lock().unwrap().broken.insert((host.to_owned(), version.to_owned()));
    }

    /// Makes a script fail on a host.
    pub(crate) fn fails(&self, host: &str, script: &'static str) {
        self.0.lock().unwrap().failing.insert((host.to_owned(), script));
    }

    /// Makes a host good again.
    pub(crate) fn mend(&self) {
        let mut state = self.0.lock().unwrap();
        state.failing.clear();
        state.broken.clear();
        state.unreachable.clear();
        for host in state.hosts.values_mut().filter(|host| host.balancer == "DOWN") {
            host.balancer = "UP";
        }
    }

    /// Installs another version on a host behind everybody's back.
    pub(crate) fn changes_by_hand(&self, host: &str, package: &str) {
        self.0.lock().unwrap().hosts.get_mut(host).unwrap().installed = [package.parse().unwrap()].into();
    }

    /// Has the repository offer one more package.
    pub(crate) fn offers(&self, package: &str) {
        self.0.lock().unwrap().offered.push(package.parse().unwrap());
    }

    /// Adds to what a host's facts say.
    pub(crate) fn says(&self, host: &str, facts: &str) {
        self.0.lock().unwrap().hosts.get_mut(host).unwrap().says = facts.to_owned();
    }

    /// Has a service answer with a version until it is started anew.
    pub(crate) fn serves_still(&self, host: &str, version: &str) {
        self.0.lock().unwrap().hosts.get_mut(host).unwrap().serves = Some(version.to_owned());
    }

    /// Lets a service end by itself.
    pub(crate) fn stops(&self, host: &str) {
        self.0.lock().unwrap().hosts.get_mut(host).unwrap().active = false;
    }

    /// Adds a host like the first.
    pub(crate) fn add(&self, name: &str) {
        let mut state = self.0.lock().unwrap();
        let like = state.hosts.values().next().unwrap().clone();
        state.hosts.insert(name.to_owned(), like);
    }

    /// Says how many hosts have to serve at any time; 1 unless it is said.
    pub(crate) fn must_serve(&self, hosts: usize) {
        self.0.lock().unwrap().min_serving = hosts;
    }

    /// Cuts a host off.
    pub(crate) fn cut(&self, host: &str) {
        self.0.lock().unwrap().unreachable.insert(host.to_owned());
    }

    /// Lets the hosts see a newer controller's token before a script runs, such as `web1 stop`.
    pub(crate) fn sees_newer_token_before(&self, script: &str) {
        self.0.lock().unwrap().fence_before = Some(script.to_owned());
    }

    /// Has the balancer take a host for dead.
    pub(crate) fn out_of_balancer(&self, host: &str) {
        self.0.lock().unwrap().hosts.get_mut(host).unwrap().balancer = "DOWN";
    }

    /// Calls back just before something happens, such as `web2 stop`.
    pub(crate) fn before(&self, happening: &str, call: impl Fn() + Send + 'static) {
        self.0.lock().unwrap().before = Some((happening.to_owned(), Box::new(call)));
    }

    /// What happened since the last call.
    pub(crate) fn happened(&self) -> Happened {
        std::mem::take(&mut self.0.lock().unwrap().happened)
    }

    /// Per host: what is installed and how the balancer sees it.
    pub(crate) fn now(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let line = |(name, host): (&String, &Host)| {
            let installed: Vec<String> = host.installed.iter().map(ToString::to_string).collect();
            format!("{name} {} {}", installed.join("+"), host.balancer)
        };
        state.hosts.iter().map(line).collect()
    }
}

#[async_trait]
impl Transport for Fleet {
    async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError> {
        let mut state = self.0.lock().unwrap();
        let name = endpoint.name.as_str();
        if state.unreachable.contains(name) {
            return Err(TransportError::Start { host: endpoint.name.clone(), reason: "cut off".to_owned() });
        }
        let answer = |status, stdout: &str, stderr: &str| {
            Ok(Answer { status, stdout: stdout.to_owned(), stderr: stderr.to_owned() })
        };
        if state.fence_before == Some(format!("{name} {}", script.name())) {
            state.tokens.insert(name.to_owned(), u64::MAX);
        }
        if let Some(token) = script.variable("TOKEN") {
            let token: u64 = token.parse().unwrap();
            let highest = state.tokens.entry(name.to_owned()).or_default();
            if token < *highest {
                return answer(72, "", "it has seen a newer fencing token");
            }
            *highest = token;
        }
        if state.failing.contains(&(name.to_owned(), script.name())) {
            return answer(1, "", "told to fail");
        }
        match script.name() {
            "facts" => answer(0, &state.facts(name), ""),
            "left" => answer(0, &state.left(name), ""),
            "show stat" => answer(0, &state.stat(), ""),
            "set server state" => {
                let server = script.variable("SERVER").unwrap().to_owned();
                let told = script.variable("STATE").unwrap();
                state.happens(format!("{server} {told}"));
                let host = state.hosts.get_mut(&server).unwrap();
                host.balancer = match told {
                    "ready" => "UP",
                    "drain" => "DRAIN",
                    _ => "MAINT",
                };
                state.watch();
                answer(0, "", "")
            }
            "swap of servers" => {
                for command in script.variable("COMMANDS").unwrap().split("; ") {
                    let words: Vec<&str> = command.split(' ').collect();
                    let server = words[2].split('/').nth(1).unwrap().to_owned();
                    state.happens(format!("{server} {}", words[4]));
                    let told = if words[4] == "ready" { "UP" } else { "DRAIN" };
                    state.hosts.get_mut(&server).unwrap().balancer = told;
                }
                state.watch();
                answer(0, "", "")
            }
            "stop" | "start" => {
                state.happens(format!("{name} {}", script.name()));
                let host = state.hosts.get_mut(name).unwrap();
                host.active = script.name() == "start";
                host.serves = None;
                state.watch();
                answer(0, "", "")
            }
            "transaction" => {
                assert!(!state.hosts[name].active, "`{name}` changes while its service runs");
                let target = target(script.variable("RUNNER").unwrap());
                state.happens(format!("{name} → {target}"));
                state.transactions.insert(script.variable("DIRECTORY").unwrap().to_owned());
                let installed = &mut state.hosts.get_mut(name).unwrap().installed;
                installed.retain(|package| package.name != target.name);
                installed.insert(target);
                answer(0, &state.outcome(name, script), "")
            }
            "wait for the transaction" if state.transactions.contains(script.variable("DIRECTORY").unwrap()) => {
                answer(0, &state.outcome(name, script), "")
            }
            "wait for the transaction" => answer(0, "state absent\n", ""),
            "stage" | "test" | "service log" => answer(0, "", ""),
            other => panic!("the fleet does not know the script `{other}`"),
        }
    }

    async fn close(&self) {}
}

#[async_trait]
impl HealthProbe for Fleet {
    async fn get(&self, url: &str) -> Result<(u16, String), HealthError> {
        let state = self.0.lock().unwrap();
        let name = url.trim_start_matches("http://").split(':').next().unwrap();
        let host = &state.hosts[name];
        let evr = host.serves.clone().unwrap_or_else(|| host.installed.first().unwrap().evr.to_string());
        if !host.active {
            return Err(HealthError::Request { url: url.to_owned(), reason: "connection refused".to_owned() });
        }
        if state.broken.contains(&(name.to_owned(), evr.clone())) {
            return Ok((503, "broken".to_owned()));
        }
        Ok((200, format!("app {evr}")))
    }
}

impl State {
    fn happens(&mut self, what: String) {
        if self.before.as_ref().is_some_and(|(happening, _)| *happening == what)
            && let Some((_, call)) = self.before.take()
        {
            call();
        }
        self.happened.push(what);
    }

    fn left(&self, name: &str) -> String {
        let host = &self.hosts[name];
        let service = if host.active { "active" } else { "inactive" };
        let installed = host.installed.iter().map(|package| format!("installed {package}\n"));
        format!("service {service}\n{}", installed.collect::<String>())
    }

    fn facts(&self, name: &str) -> String {
        let host = &self.hosts[name];
        let mut text = format!("manager dnf4\ndisk 1000\n{}", self.left(name));
        for package in &self.offered {
            text.push_str(&format!("offered {package}\n"));
        }
        text + &host.says
    }

    /// What a transaction that has ended left.
    fn outcome(&self, name: &str, script: &Script) -> String {
        let names: Vec<&str> = script.variable("NAMES").unwrap().split(' ').collect();
        let asked = self.hosts[name].installed.iter().filter(|package| names.contains(&package.name.as_str()));
        let installed = asked.map(|package| format!("installed {package}\n"));
        format!("state ended\nexit 0\n{}", installed.collect::<String>())
    }

    fn stat(&self) -> String {
        let rows = self.hosts.iter().map(|(name, host)| format!("app,{name},0,0,{}\n", host.balancer));
        format!("# pxname,svname,qcur,scur,status\n{}", rows.collect::<String>())
    }

    /// The invariants: the balancer sends requests to running services only, and to enough of them.
    fn watch(&self) {
        for (name, host) in &self.hosts {
            assert!(host.active || host.balancer == "MAINT", "`{name}` is stopped but {}", host.balancer);
        }
        let serving = self.hosts.values().filter(|host| host.balancer == "UP").count();
        assert!(serving >= self.min_serving, "only {serving} serve");
    }
}

/// What the detached script is told to install.
fn target(runner: &str) -> Nevra {
    let value = |name: &str| {
        let line = runner.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches('\'').to_owned()
    };
    [value("UP="), value("DOWN=")].into_iter().find(|value| !value.is_empty()).unwrap().parse().unwrap()
}
