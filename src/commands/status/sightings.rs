//! Telling the repository server how hosts were seen, where it keeps the environment's ledger.

use deployer::Deployer;
use repo_api::{SeenHost, SightingRequest};

use super::super::deploy::{identity, server_client};
use super::look::{HostStatus, View};
use crate::render::Printer;

/// Tells the server what was seen, so that others see it there. That it could not be told harms nobody: a token that may
/// only watch can't.
pub(super) async fn tell_server(deployer: &Deployer, view: &View, printer: &Printer) {
    let environment = deployer.environment();
    let Some(client) = server_client(&environment.ledger) else { return };
    let told = async {
        let seen = view.hosts.iter().filter(|host| host.error.is_none()).map(seen);
        let request = SightingRequest { hosts: seen.collect(), who: Some(identity().who) };
        let name = environment.name.as_str().parse()?;
        client.map_err(|failure| failure.error)?.tell_sightings(&name, &request).await?;
        anyhow::Ok(())
    };
    if let Err(error) = told.await {
        printer.detail(&format!("{} was not told what was seen: {error:#}", environment.ledger));
    }
}

fn seen(host: &HostStatus) -> SeenHost {
    let packages = host.installed.iter().cloned().collect();
    let drift: Vec<&str> = host.drift.iter().map(|drift| drift.text.as_str()).collect();
    SeenHost { host: host.host.to_string(), packages, drift: (!drift.is_empty()).then(|| drift.join("; ")) }
}
