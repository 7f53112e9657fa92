//! `pkg status`

mod sightings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use deployer::{
    Deployer, DeploymentId, DeploymentRecord, Ending, FactsError, HostFacts, HostName, JournalState, Sight,
};
use nevra::{Name, Nevra};
use serde::Serialize;
use tokio::sync::watch;

use self::sightings::tell_server;
use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::{Printer, Tone, printable};

/// Show which version runs on which host.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pkg status prod
  pkg status prod --watch

A host that does not answer is said to be unknown, the others are shown, and the exit code is 1. With --json, one line
per host.")]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Look again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
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
    /// What else is worth knowing: edited files, locks, a clock that is off.
    remarks: Vec<String>,
    /// Why nothing is known of it; all else is empty then.
    error: Option<String>,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let environment = deploy::environment(&args.environment)?;
    let order: Vec<HostName> = environment.hosts.iter().map(|host| host.name().clone()).collect();
    let (_interrupted, interrupt) = watch::channel(deployer::Interrupt::None);
    let deployer = deploy::open(environment, Arc::new(deploy::Progress(printer.clone())), interrupt).await?;
    let outcome = match args.watch {
        None => match look(&deployer, &order).await {
            Ok(view) => {
                let exit = show(&view, printer);
                tell_server(&deployer, &view, printer).await;
                Ok(exit)
            }
            Err(failure) => Err(failure),
        },
        Some(seconds) => follow(&deployer, &order, Duration::from_secs(seconds), printer).await,
    };
    deployer.close().await;
    outcome
}

/// All that one look at an environment tells.
struct View {
    hosts: Vec<HostStatus>,
    /// A deployment that goes on, or was left.
    unfinished: Option<String>,
    sight: Sight,
}

async fn look(deployer: &Deployer, order: &[HostName]) -> Result<View, Failure> {
    let (state, sight) = deployer.look().await.map_err(deploy::failure)?;
    let unsettled = state.unsettled();
    let mut hosts: Vec<HostStatus> = Vec::new();
    for name in order {
        if let Some(found) = sight.facts.hosts.get(name) {
            hosts.push(status(name, found, &state, unsettled.contains(name)));
        } else if let Some(error) = sight.unseen.get(name) {
            hosts.push(unknown(name, error.to_string()));
        }
    }
    say_who_differs(&mut hosts);
    let unfinished = state.unfinished().map(|record| {
        let until = record.until.format("%H:%M:%SZ");
        format!("{} by {} is unfinished; its lease ends {until}", record.id, record.holder.who)
    });
    Ok(View { hosts, unfinished, sight })
}

fn show(view: &View, printer: &Printer) -> Exit {
    if let Some(unfinished) = &view.unfinished {
        printer.warning(&printable(unfinished));
    }
    for (host, line) in view.hosts.iter().zip(lines(view)) {
        if printer.is_json() {
            printer.json(host);
        } else {
            printer.data(&line);
        }
        if let Some(drift) = &host.drift {
            printer.warning(&format!("{} {}", host.host, printer.paint(Tone::Bad, &printable(drift))));
        }
        for remark in &host.remarks {
            printer.talk(&format!("{}: {}", host.host, printable(remark)));
        }
    }
    say_what_is_unknown(&view.sight, printer)
}

fn lines(view: &View) -> Vec<String> {
    let width = view.hosts.iter().map(|host| host.host.as_str().len()).max().unwrap_or_default();
    view.hosts.iter().map(|host| line(host, width)).collect()
}

/// Looks again and again until Ctrl-C: on a terminal the table stays where it is, elsewhere each change is a line.
async fn follow(deployer: &Deployer, order: &[HostName], pause: Duration, printer: &Printer) -> Result<Exit, Failure> {
    let mut before: Vec<String> = Vec::new();
    let mut exit = Exit::Done;
    loop {
        let ended = tokio::select! {
            view = look(deployer, order) => {
                let view = view?;
                exit = if view.sight.unseen.is_empty() && view.sight.balancers.is_none() { Exit::Done } else { Exit::Failed };
                before = tell(&view, &before, printer);
                tell_server(deployer, &view, printer).await;
                false
            }
            _ = tokio::signal::ctrl_c() => true,
        };
        let ended = ended || tokio::time::timeout(pause, tokio::signal::ctrl_c()).await.is_ok();
        if ended {
            printer.leave_live();
            return Ok(exit);
        }
    }
}

/// Shows what is new since the look before; gives what this one saw.
fn tell(view: &View, before: &[String], printer: &Printer) -> Vec<String> {
    let mut now = lines(view);
    for (host, line) in view.hosts.iter().zip(&mut now) {
        if let Some(drift) = &host.drift {
            line.push_str(&format!("  DRIFT: {}", printable(drift)));
        }
    }
    now.extend(view.unfinished.iter().map(|unfinished| printable(unfinished)));
    let at = chrono::Utc::now().format("%H:%M:%SZ");
    if printer.is_live() {
        let width = printer.terminal_size().map_or(80, |(width, _)| width);
        let cut = |line: &String| line.chars().take(width).collect::<String>();
        printer.live(now.iter().map(cut).chain([format!("{at}  Ctrl-C ends this")]).collect());
    } else {
        for (index, line) in now.iter().enumerate().filter(|(index, line)| before.get(*index) != Some(*line)) {
            match (printer.is_json(), view.hosts.get(index)) {
                (true, Some(host)) => printer.json(host),
                (true, None) => printer.warning(line),
                (false, _) => printer.data(&format!("{at} {line}")),
            }
        }
    }
    now
}

/// Tells of what did not answer; not all is well then.
fn say_what_is_unknown(sight: &Sight, printer: &Printer) -> Exit {
    let errors: Vec<&FactsError> = sight.unseen.values().chain(&sight.balancers).collect();
    for error in &errors {
        printer.warning(&error.to_string());
    }
    for hint in errors.iter().flat_map(|error| error.hints()).collect::<BTreeSet<_>>() {
        printer.hint(hint);
    }
    if errors.is_empty() { Exit::Done } else { Exit::Failed }
}

fn unknown(name: &HostName, error: String) -> HostStatus {
    HostStatus {
        host: name.clone(),
        installed: BTreeSet::new(),
        service: "unknown".to_owned(),
        balancers: Vec::new(),
        deployment: None,
        since: None,
        drift: None,
        remarks: Vec::new(),
        error: Some(error),
    }
}

fn status(name: &HostName, found: &HostFacts, state: &JournalState, unsettled: bool) -> HostStatus {
    let expected = last_words(state, name);
    let brought = found.installed.iter().filter_map(|package| brought(state, name, package)).next_back();
    let differs = |(package, expected): (&Name, &BTreeSet<Nevra>)| {
        let installed: BTreeSet<Nevra> = found.installed_of(package).cloned().collect();
        (installed != *expected).then(|| format!("has {}, the journal says {}", text(&installed), text(expected)))
    };
    let drift = if unsettled {
        Some("was left in mid-walk: `pkg resume`, or a deployment, finishes it".to_owned())
    } else {
        let missed = missed(state, name).map(|id| format!("; {id} could not see it")).unwrap_or_default();
        expected.iter().find_map(differs).map(|differs| format!("{differs}{missed}"))
    };
    HostStatus {
        host: name.clone(),
        installed: found.installed.clone(),
        service: found.service.clone(),
        balancers: found.balancers.iter().map(ToString::to_string).collect(),
        deployment: brought.map(|record| record.id.to_string()),
        since: brought.map(|record| record.last),
        drift,
        remarks: found.condition.remarks(),
        error: None,
    }
}

/// What the journal says that the host was last left with, by the packages' names: each deployment is about some.
fn last_words(state: &JournalState, host: &HostName) -> BTreeMap<Name, BTreeSet<Nevra>> {
    let mut words: BTreeMap<Name, BTreeSet<Nevra>> = BTreeMap::new();
    for record in &state.deployments {
        let Some(report) = record.hosts.iter().find(|report| report.host == *host) else { continue };
        let Some(now) = &report.now else { continue };
        for change in record.plan.iter().flat_map(|plan| &plan.hosts).flat_map(|host| &host.changes) {
            let of_name = now.iter().filter(|package| package.name == change.to.name).cloned().collect();
            words.insert(change.to.name.clone(), of_name);
        }
    }
    words
}

/// The deployment that this host missed: the last one was about it, and could not see it at its end.
fn missed(state: &JournalState, host: &HostName) -> Option<DeploymentId> {
    let record = state.deployments.iter().rev().find(|record| !record.hosts.is_empty())?;
    let report = record.hosts.iter().find(|report| report.host == *host);
    let unseen = report.is_none_or(|report| report.now.is_none());
    unseen.then_some(record.id)
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

/// Marks hosts that run something else than most; where no version is on most, they differ from one another.
fn say_who_differs(hosts: &mut [HostStatus]) {
    let seen: Vec<&BTreeSet<Nevra>> =
        hosts.iter().filter(|host| host.error.is_none()).map(|host| &host.installed).collect();
    let count = |packages: &BTreeSet<Nevra>| seen.iter().filter(|other| **other == packages).count();
    let is_most = |packages: &&&BTreeSet<Nevra>| count(packages) * 2 > seen.len();
    let Some(most) = seen.iter().find(is_most).map(|packages| (**packages).clone()) else { return };
    let differing = |host: &&mut HostStatus| host.error.is_none() && host.drift.is_none() && host.installed != most;
    for host in hosts.iter_mut().filter(differing) {
        host.drift = Some(format!("has {}, most hosts have {}", text(&host.installed), text(&most)));
    }
}

fn line(host: &HostStatus, width: usize) -> String {
    if host.error.is_some() {
        return format!("{:width$}  unknown: it does not answer", host.host);
    }
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
