//! `pkg why`: the chain from a running host back to the deployment, the approvers, the package, its build, its commit and
//! its tickets.

mod package;
mod text;

use std::collections::BTreeMap;

use anyhow::anyhow;
use nevra::Nevra;
use repo_api::{Client, DeploymentSummary, HostInfo, Sighting, TagName};
use serde::Serialize;

use self::package::PackageStory;
use super::connection::{ServerArgs, failure};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Say why a host runs what it runs: the deployment and who approved it, who published and promoted the package, and the
/// build, the commit and the tickets that it was made of.
///
/// Everything is read from the server: its environments' ledgers, its own, and the packages, whose bytes are compared with
/// the sha256 that the ledger has.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The host, as its environment names it.
    #[arg(value_name = "HOST")]
    host: String,
    /// Only in this environment, where hosts of several have the name.
    #[arg(long, value_name = "ENV")]
    env: Option<TagName>,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg why web1
  pkg why web1 --env prod
  pkg why web1 --json | jq -r '.hosts[].packages[].package.tickets[].id'";

/// A host, and what it runs.
#[derive(Debug, Serialize)]
struct Chain {
    environment: TagName,
    host: String,
    /// Whether its last deployment finished its walk there.
    settled: bool,
    /// How it was seen since, where it was.
    sighting: Option<Sighting>,
    packages: Vec<Reason>,
}

/// A package, and how it came to the host.
#[derive(Debug, Serialize)]
struct Reason {
    nevra: Nevra,
    /// The deployment that brought it; none where it was there before anything was deployed.
    deployment: Option<DeploymentSummary>,
    package: PackageStory,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let found = hosts(&client, &args).await?;
    if found.is_empty() {
        let place =
            args.env.as_ref().map_or_else(|| "any environment that you may watch".to_owned(), TagName::to_string);
        let unknown = anyhow!("no deployment to {place} is known that was about a host `{}`", args.host);
        return Err(Failure::input(unknown).hint("`pkg status ENV` names the hosts of an environment"));
    }
    let wanted = found.iter().flat_map(|(_, host)| running(host)).cloned().collect();
    let stories = package::stories(&client, wanted).await?;
    let mut chains = Vec::new();
    for (environment, host) in found {
        chains.push(chain(&client, environment, host, &stories).await?);
    }
    if printer.is_json() {
        printer.json(&serde_json::json!({ "hosts": chains }));
        return Ok(Exit::Done);
    }
    for line in chains.iter().flat_map(text::lines) {
        printer.data(&line);
    }
    Ok(Exit::Done)
}

/// The hosts of the name that is asked about.
async fn hosts(client: &Client, args: &Args) -> Result<Vec<(TagName, HostInfo)>, Failure> {
    let names = match &args.env {
        Some(name) => vec![name.clone()],
        None => client.environments().await.map_err(failure)?.environments.into_iter().map(|one| one.name).collect(),
    };
    let mut found = Vec::new();
    for name in names {
        let info = client.environment(&name, None).await.map_err(failure)?;
        found.extend(info.hosts.into_iter().filter(|host| host.host == args.host).map(|host| (name.clone(), host)));
    }
    Ok(found)
}

/// What a host runs: as it was seen last, or else as its deployment left it.
fn running(host: &HostInfo) -> &[Nevra] {
    host.sighting.as_ref().map_or(&host.packages, |sighting| &sighting.packages)
}

async fn chain(
    client: &Client,
    environment: TagName,
    host: HostInfo,
    stories: &BTreeMap<Nevra, PackageStory>,
) -> Result<Chain, Failure> {
    let mut packages = Vec::new();
    for nevra in running(&host) {
        let deployment = brought_by(client, &environment, &host.host, nevra).await?;
        let package = stories.get(nevra).cloned().unwrap_or_default();
        packages.push(Reason { nevra: nevra.clone(), deployment, package });
    }
    let HostInfo { host, settled, sighting, .. } = host;
    Ok(Chain { environment, host, settled, sighting, packages })
}

/// The newest deployment that found a host without a package and left it with it.
async fn brought_by(
    client: &Client,
    environment: &TagName,
    host: &str,
    nevra: &Nevra,
) -> Result<Option<DeploymentSummary>, Failure> {
    let mut before: Option<String> = None;
    loop {
        let list = client.deployments(environment, before.as_deref()).await.map_err(failure)?;
        for summary in list.deployments {
            if summary.ending.is_none() {
                continue;
            }
            let info = client.deployment(environment, &summary.id).await.map_err(failure)?;
            let is_how = info.hosts.iter().any(|outcome| {
                let now = outcome.now.as_deref().unwrap_or_default();
                outcome.host == host && now.contains(nevra) && !outcome.before.contains(nevra)
            });
            if is_how {
                return Ok(Some(summary));
            }
        }
        before = list.before;
        if before.is_none() {
            return Ok(None);
        }
    }
}
