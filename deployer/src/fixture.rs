//! Values that the tests of several modules begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::balancers::{Driver, HaProxy};
use crate::environment::{
    Approval, Balancer, Check, Endpoint, Environment, FailurePolicy, From, Health, Host, HttpCheck, Portion, Service,
    ServiceKind, SshSettings, Standard, Strategy, StrategyKind,
};
use crate::facts::{HostFacts, PackageManager};

/// An environment of so many hosts, `web1` and on, behind the balancer `lb1`.
pub(crate) fn environment(hosts: usize) -> Environment {
    let endpoint = |name: String| Endpoint { name: name.parse().unwrap(), address: name };
    let hosts = (1..=hosts).map(|number| format!("web{number}"));
    Environment {
        name: "test".parse().unwrap(),
        ledger: String::new(),
        approval: Approval::None,
        approvers: None,
        windows: Vec::new(),
        freeze: None,
        policy: FailurePolicy::default(),
        hooks: Vec::new(),
        tasks: BTreeMap::new(),
        notifications: Vec::new(),
        notes: Vec::new(),
        standard: Standard::default(),
        repositories: vec!["pkg-dev".to_owned()],
        repository_server: None,
        ssh: SshSettings::default(),
        service: Service { name: "tomcat10".to_owned(), kind: ServiceKind::Host, port: None },
        health: Health {
            check: Check::Http(HttpCheck {
                url: "http://{address}:8080/".to_owned(),
                expect_status: 200,
                expect_body: Some("{version}-{release}".to_owned()),
                expect_json: BTreeMap::new(),
                max_latency: None,
                from: From::Controller,
            }),
            package: None,
            start_timeout: Duration::from_millis(50),
            interval: Duration::from_millis(10),
            successes: 1,
            watch: Duration::from_secs(1),
        },
        balancers: vec![Balancer {
            driver: Driver::HaProxy(HaProxy {
                host: endpoint("lb1".to_owned()),
                socket: "/run/haproxy/admin.sock".to_owned(),
                backend: "app".to_owned(),
            }),
            drain_timeout: Duration::from_millis(500),
        }],
        strategy: Strategy { kind: StrategyKind::Rolling, batch_size: Portion::Count(1), min_serving: 1 },
        clusters: Vec::new(),
        front: Vec::new(),
        variables: BTreeMap::new(),
        left_out: Vec::new(),
        hosts: hosts
            .map(|name| Host {
                server: name.clone(),
                endpoint: endpoint(name),
                roles: BTreeSet::new(),
                variables: BTreeMap::new(),
                ssh: None,
            })
            .collect(),
    }
}

/// Facts of a healthy host.
pub(crate) fn host_facts(installed: &[&str], offered: &[&str]) -> HostFacts {
    let parse = |packages: &[&str]| packages.iter().map(|package| package.parse().unwrap()).collect();
    HostFacts {
        manager: PackageManager::Dnf4,
        installed: parse(installed),
        offered: parse(offered),
        oldest_rollbacks: BTreeMap::new(),
        service: "active".to_owned(),
        free_space: 1 << 30,
        busy: false,
        stale: false,
        condition: crate::condition::Condition::default(),
        balancers: Vec::new(),
    }
}
