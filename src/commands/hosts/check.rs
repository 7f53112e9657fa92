//! `pkg hosts check`: what is known of each host, and what it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use deployer::{HostFacts, HostName, Interrupt, Item, ItemState, Sight, Ssh, Transport, inspect};
use futures::future::join_all;
use serde::Serialize;
use tokio::sync::watch;

use super::{CheckArgs, wanted};
use crate::commands::deploy::{self, rows};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, Tone, printable};

/// What is known of a host.
#[derive(Debug, Serialize)]
struct HostCheck {
    host: HostName,
    manager: Option<String>,
    service: Option<String>,
    free_megabytes: Option<u64>,
    balancers: Vec<String>,
    /// What it lacks of the standard set-up.
    lacks: Vec<String>,
    /// Why nothing, or not all, is known of it.
    errors: Vec<String>,
}

impl HostCheck {
    fn is_well(&self) -> bool {
        self.errors.is_empty() && self.lacks.is_empty()
    }

    /// Whether a person is told the same of both, but for how much space is free.
    fn says_the_same(&self, other: &Self) -> bool {
        let told = |check: &Self| {
            let Self { manager, service, balancers, lacks, errors, free_megabytes, .. } = check;
            (
                manager.clone(),
                service.clone(),
                balancers.clone(),
                lacks.clone(),
                errors.clone(),
                free_megabytes.is_some(),
            )
        };
        told(self) == told(other)
    }
}

pub(super) async fn run(args: CheckArgs, printer: &Printer) -> Result<Exit, Failure> {
    let mut environment = deploy::environment(&args.environment)?;
    if let Some(user) = args.user {
        environment.ssh.user = Some(user);
        environment.ssh.sudo = false;
    }
    let wanted = wanted(&environment).await?;
    let ssh: Arc<dyn Transport> = Arc::new(Ssh::of(&environment).map_err(Failure::failed)?);
    let looks = environment.hosts.iter().map(|host| async {
        let states = inspect(&*ssh, host, &wanted).await.map_err(|error| error.to_string());
        (host.name().clone(), states.map(|states| lacking(&wanted, &states)))
    });
    let mut lacking: BTreeMap<HostName, Result<Vec<String>, String>> = join_all(looks).await.into_iter().collect();
    ssh.close().await;
    let order: Vec<HostName> = environment.hosts.iter().map(|host| host.name().clone()).collect();
    let (_interrupted, interrupt) = watch::channel(Interrupt::None);
    let deployer = deploy::open(environment, Arc::new(deploy::Progress(printer.clone())), interrupt).await?;
    let observed = deployer.look().await;
    deployer.close().await;
    let (_, sight) = observed.map_err(deploy::failure)?;
    let checks: Vec<HostCheck> =
        order.iter().map(|host| check(host, &sight, lacking.remove(host).unwrap_or(Ok(Vec::new())))).collect();
    Ok(show(printer, &checks, &sight))
}

fn lacking(wanted: &[Item], states: &[ItemState]) -> Vec<String> {
    let differing = wanted.iter().zip(states).filter_map(|(item, state)| match state {
        ItemState::Ok => None,
        ItemState::Differs { because, .. } => Some(format!("{item}: {because}")),
    });
    differing.collect()
}

fn check(host: &HostName, sight: &Sight, lacking: Result<Vec<String>, String>) -> HostCheck {
    let found: Option<&HostFacts> = sight.facts.hosts.get(host);
    let mut errors: Vec<String> = sight.unseen.get(host).map(ToString::to_string).into_iter().collect();
    let lacks = lacking.unwrap_or_else(|error| {
        // A host that does not answer says so once.
        if errors.is_empty() {
            errors.push(error);
        }
        Vec::new()
    });
    HostCheck {
        host: host.clone(),
        manager: found.map(|found| found.manager.to_string()),
        service: found.map(|found| found.service.clone()),
        free_megabytes: found.map(|found| found.free_space / (1024 * 1024)),
        balancers: found.into_iter().flat_map(|found| &found.balancers).map(ToString::to_string).collect(),
        lacks,
        errors,
    }
}

fn show(printer: &Printer, checks: &[HostCheck], sight: &Sight) -> Exit {
    let mut all_well = checks.iter().all(HostCheck::is_well);
    if printer.is_json() {
        checks.iter().for_each(|check| printer.json(check));
    } else {
        show_rows(printer, checks);
    }
    if let Some(error) = &sight.balancers {
        printer.warning(&printable(&error.to_string()));
        all_well = false;
    }
    let errors = sight.unseen.values().chain(&sight.balancers);
    for hint in errors.flat_map(|error| error.hints()).collect::<BTreeSet<_>>() {
        printer.hint(hint);
    }
    if all_well { Exit::Done } else { Exit::Failed }
}

/// A row for each host; one for many next to each other of which the same is to be said.
fn show_rows(printer: &Printer, checks: &[HostCheck]) {
    let width = checks.iter().map(|check| check.host.as_str().len()).max().unwrap_or_default();
    for alike in checks.chunk_by(HostCheck::says_the_same) {
        let Some(check) = alike.first() else { continue };
        let mark = if check.is_well() { printer.paint(Tone::Good, "✔") } else { printer.paint(Tone::Bad, "✖") };
        let names: Vec<&HostName> = alike.iter().map(|check| &check.host).collect();
        let rows = rows(&names);
        let together = rows.len() < alike.len();
        let frees = alike.iter().map(|check| check.free_megabytes);
        let least = frees.clone().min().flatten();
        for (name, free) in rows.iter().zip(frees) {
            let known = match (&check.manager, &check.service, if together { least } else { free }) {
                (Some(manager), Some(service), Some(free)) => {
                    let seen = if check.balancers.is_empty() { "-".to_owned() } else { check.balancers.join(" ") };
                    let at_least = if together { "at least " } else { "" };
                    format!("{manager}  service {service}  {at_least}{free} MB free  balancer {seen}")
                }
                _ => "unknown".to_owned(),
            };
            printer.data(&format!("{mark} {name:width$}  {known}"));
            for line in check.errors.iter().chain(&check.lacks) {
                printer.data(&format!("  {:width$}  {}", "", printable(line)));
            }
        }
    }
}
