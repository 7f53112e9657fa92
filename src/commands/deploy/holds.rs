//! Telling the repository server what an environment's hosts run and would go back to, so that it keeps that.

use deployer::Deployer;
use repo_api::{Client, HoldRequest};

use super::super::connection::read_token;
use super::locate;
use crate::render::Printer;

/// Tells the repository server that the environment names, if it names one. That it could not be told harms no host, so
/// it is a warning.
pub(crate) async fn report_holds(deployer: &Deployer, printer: &Printer) {
    let environment = deployer.environment();
    let Some(server) = &environment.repository_server else { return };
    if locate::is_server(&environment.ledger) {
        // Whoever keeps the ledger reads there what is needed.
        return;
    }
    match tell(deployer, server).await {
        Ok(count) => printer.detail(&format!("{server} keeps {count} packages for {}", environment.name)),
        Err(error) => printer.warning(&format!(
            "{server} could not be told what {} needs, and may collect it one day: {error:#}",
            environment.name
        )),
    }
}

async fn tell(deployer: &Deployer, server: &str) -> anyhow::Result<usize> {
    let packages: Vec<_> = deployer.journal().await?.needed().into_iter().collect();
    let count = packages.len();
    let token = read_token(None, "PKG_TOKEN").map_err(|failure| failure.error)?;
    let who = Some(locate::identity().who);
    let request = HoldRequest { packages, who, why: Some("what its hosts run and would go back to".to_owned()) };
    let name = deployer.environment().name.as_str().parse()?;
    Client::new(server, token.as_deref())?.hold(&name, &request).await?;
    Ok(count)
}
