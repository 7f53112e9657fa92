//! `pkg env check`: an environment's file, explained as it was understood. Asks no host.

use deployer::{Approval, Cluster, Environment, Host};

use super::super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Explains an environment.
pub(super) fn run(argument: &str, printer: &Printer) -> Result<Exit, Failure> {
    let environment = deploy::environment(argument)?;
    if printer.is_json() {
        printer.json(&as_json(&environment));
        return Ok(Exit::Done);
    }
    for line in lines(&environment) {
        printer.data(&line);
    }
    Ok(Exit::Done)
}

fn lines(environment: &Environment) -> Vec<String> {
    let approval = match environment.approval {
        Approval::None => "nobody has to approve; `--yes` is enough",
        Approval::Person => "a person at a terminal, who types the environment's name",
        Approval::Two => "a person at a terminal, and another person's signature",
    };
    let mut lines = vec![
        format!("environment {}, ledger {}", environment.name, environment.ledger),
        format!("approval    {approval}"),
        format!("packages    from {}", environment.repositories.join(", ")),
        format!("strategy    {}", environment.strategy),
    ];
    let balancers = environment.balancers.iter().map(|balancer| {
        let seconds = balancer.drain_timeout.as_secs_f64();
        format!("balancer    {}, {seconds} s until requests are left to the stop", balancer.driver)
    });
    lines.extend(balancers);
    lines.extend(environment.front.iter().map(|balancer| format!("front       {}", balancer.driver)));
    lines.extend(environment.clusters.iter().map(cluster_line));
    for (key, value) in &environment.variables {
        lines.push(format!("variable    {{{key}}} = {value}"));
    }
    if !environment.hooks.is_empty() {
        let points: Vec<String> =
            environment.hooks.iter().map(|hook| format!("{} ({})", hook.at, hook.place)).collect();
        lines.push(format!("hooks       {}", points.join(", ")));
    }
    lines.push(format!("hosts       {}, in this order", environment.hosts.len()));
    let width = environment.hosts.iter().map(|host| host.name().as_str().len()).max().unwrap_or_default();
    lines.extend(environment.hosts.iter().map(|host| host_line(environment, host, width)));
    lines
}

fn cluster_line(cluster: &Cluster) -> String {
    let hosts: Vec<&str> = cluster.hosts.iter().map(deployer::HostName::as_str).collect();
    let proxies: Vec<&str> = cluster.proxies.iter().map(|proxy| proxy.endpoint.name.as_str()).collect();
    let behind = if proxies.is_empty() { String::new() } else { format!(" behind {}", proxies.join(", ")) };
    format!("cluster {}   {}{behind}", cluster.name, hosts.join(", "))
}

fn host_line(environment: &Environment, host: &Host, width: usize) -> String {
    let mut line = format!("  {:width$}  ssh {}", host.name(), host.endpoint.address);
    let settings = host.ssh.as_ref().unwrap_or(&environment.ssh);
    let user = settings.user.as_ref().map(|user| format!("user {user}"));
    let port = settings.port.map(|port| format!("port {port}"));
    let jump = settings.jump_host.as_ref().map(|jump| format!("through {jump}"));
    let sudo = settings.sudo.then(|| "sudo".to_owned());
    for part in [user, port, jump, sudo].into_iter().flatten() {
        line.push_str(", ");
        line.push_str(&part);
    }
    if host.server != host.name().as_str() {
        line.push_str(&format!("  server {}", host.server));
    }
    if !host.roles.is_empty() {
        line.push_str(&format!("  roles {}", host.roles.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    line
}

fn as_json(environment: &Environment) -> serde_json::Value {
    let host = |host: &Host| {
        serde_json::json!({
            "name": host.name(),
            "address": host.endpoint.address,
            "server": host.server,
            "roles": host.roles,
            "variables": host.variables,
            "cluster": environment.cluster_of(host.name()).map(|cluster| &cluster.name),
        })
    };
    serde_json::json!({
        "name": environment.name,
        "ledger": environment.ledger,
        "approval": environment.approval,
        "repositories": environment.repositories,
        "strategy": environment.strategy.to_string(),
        "balancers": environment.balancers.iter().map(|balancer| balancer.driver.to_string()).collect::<Vec<_>>(),
        "front": environment.front.iter().map(|balancer| balancer.driver.to_string()).collect::<Vec<_>>(),
        "hosts": environment.hosts.iter().map(host).collect::<Vec<_>>(),
    })
}
