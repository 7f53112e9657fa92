//! `pkg env check`: an environment's file, explained as it was understood. Asks no host.

use deployer::{Environment, Host};

use super::super::deploy;
use super::explain::lines;
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
