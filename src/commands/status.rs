//! `pkg status`

use std::collections::BTreeSet;
use std::sync::Arc;

use deployer::{DeploymentRecord, Ending, HostFacts, HostName, JournalState};
use nevra::Nevra;
use serde::Serialize;
use tokio::sync::watch;

use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::{Printer, Tone};

/// Show which version runs on which host.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pkg status prod")]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
}

/// One host's line.
#[derive(Debug, Serialize)]
struct HostStatus {
    host: HostName,
    installed: BTreeSet<Nevra>,
    service: String,
    balancers: Vec<String>,
    deployment: Option<String>,
    since: Option<chrono::DateTime<chrono::Utc>>,
    drift: Option<String>,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let environment = deploy::environment(&args.environment)?;
    let order: Vec<HostName> = environment.hosts.iter().map(|host| host.name().clone()).collect();
    let (_interrupted, interrupt) = watch::channel(false);
    let deployer = deploy::open(environment, Arc::new(deploy::Progress(printer.clone())), interrupt).await?;
    let observed = deployer.observe().await;
    deployer.close().await;
    let (state, facts) = observed.map_err(deploy::failure)?;
    let unsettled = state.unsettled();
    let mut hosts: Vec<HostStatus> = Vec::new();
    for name in &order {
        let Some(found) = facts.hosts.get(name) else { continue };
        hosts.push(status(name, found, &state, unsettled.contains(name)));
    }
    say_who_differs(&mut hosts);
    if let Some(record) = state.unfinished() {
        printer.warning(&format!(
            "{} by {} is unfinished; its lease ends {}",
            record.id,
            record.holder.who,
            record.until.format("%H:%M:%SZ")
        ));
    }
    let width = order.iter().map(|name| name.as_str().len()).max().unwrap_or_default();
    for host in &hosts {
        if printer.is_json() {
            printer.json(host);
        } else {
            printer.data(&line(host, width));
        }
        if let Some(drift) = &host.drift {
            printer.warning(&format!("{} {}", host.host, printer.paint(Tone::Bad, drift)));
        }
    }
    Ok(Exit::Done)
}

fn status(name: &HostName, found: &HostFacts, state: &JournalState, unsettled: bool) -> HostStatus {
    let last = last_word(state, name);
    let brought = found.installed.iter().filter_map(|package| brought(state, name, package)).next_back();
    let drift = match last {
        _ if unsettled => Some("was left in mid-walk".to_owned()),
        Some(expected) if expected != &found.installed => {
            Some(format!("has {}, the journal says {}", text(&found.installed), text(expected)))
        }
        _ => None,
    };
    HostStatus {
        host: name.clone(),
        installed: found.installed.clone(),
        service: found.service.clone(),
        balancers: found.balancers.iter().map(ToString::to_string).collect(),
        deployment: brought.map(|record| record.id.to_string()),
        since: brought.map(|record| record.last),
        drift,
    }
}

/// What the journal says that the host was last left with.
fn last_word<'a>(state: &'a JournalState, host: &HostName) -> Option<&'a BTreeSet<Nevra>> {
    let reports = state.deployments.iter().rev().flat_map(|record| &record.hosts);
    reports.filter(|report| report.host == *host).find_map(|report| report.now.as_ref())
}

/// The latest deployment that brought the package to the host.
fn brought<'a>(state: &'a JournalState, host: &HostName, package: &Nevra) -> Option<&'a DeploymentRecord> {
    let changed = |record: &&DeploymentRecord| matches!(record.ending, Some(Ending::Done | Ending::PartlyChanged));
    state
        .deployments
        .iter()
        .rev()
        .filter(changed)
        .find(|record| record.changes(host).iter().any(|change| change.moves() && change.to == *package))
}

/// Marks hosts that run something else than most.
fn say_who_differs(hosts: &mut [HostStatus]) {
    let count = |packages: &BTreeSet<Nevra>| hosts.iter().filter(|host| host.installed == *packages).count();
    let Some(most) = hosts.iter().map(|host| &host.installed).max_by_key(|packages| count(packages)).cloned() else {
        return;
    };
    for host in hosts.iter_mut().filter(|host| host.installed != most && host.drift.is_none()) {
        host.drift = Some(format!("has {}, most hosts have {}", text(&host.installed), text(&most)));
    }
}

fn line(host: &HostStatus, width: usize) -> String {
    let balancers = if host.balancers.is_empty() { "-".to_owned() } else { host.balancers.join(" ") };
    let origin = match (&host.deployment, &host.since) {
        (Some(id), Some(since)) => format!("{id} since {}", since.format("%Y-%m-%d %H:%M:%SZ")),
        _ => "not deployed from here".to_owned(),
    };
    format!("{:width$}  {}  service {}  balancer {balancers}  {origin}", host.host, text(&host.installed), host.service)
}

fn text(packages: &BTreeSet<Nevra>) -> String {
    if packages.is_empty() {
        return "nothing".to_owned();
    }
    packages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
