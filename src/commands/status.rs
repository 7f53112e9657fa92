//! `pkg status`

mod look;
mod sightings;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use deployer::{Deployer, FactsError, HostName, Sight};
use tokio::sync::watch;

use self::look::{HostStatus, View, look};
use self::sightings::tell_server;
use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::{Printer, Tone, printable};

/// Show which version runs on which host, and what differs from how the last deployment left it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pkg status prod
  pkg status prod --watch

Said to differ is a host that was changed by hand, missed a deployment or was left in the middle of one, or has something
else than most; edited configuration and what rpm left beside it (.rpmnew, .rpmsave), other changed files; a service that
does not run or does not answer with what is installed; a host that a balancer sends nothing to. The exit code stays 0.

A host that does not answer is said to be unknown, the others are shown, and the exit code is 1. With --json, one line
per host: what differs is `drift`, a list of `kind` and `text`.")]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Look again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
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

fn show(view: &View, printer: &Printer) -> Exit {
    if printer.is_json() {
        view.hosts.iter().for_each(|host| printer.json(host));
    } else {
        text::host_lines(view).iter().for_each(|line| printer.data(line));
        text::cluster_lines(view).iter().for_each(|line| printer.data(line));
    }
    for note in &view.notes {
        printer.warning(&printable(note));
    }
    for host in &view.hosts {
        for drift in &host.drift {
            printer.warning(&format!("{} {}", host.host, printer.paint(Tone::Bad, &printable(&drift.text))));
        }
        for remark in &host.remarks {
            printer.talk(&format!("{}: {}", host.host, printable(remark)));
        }
    }
    printer.talk(&text::summary(view));
    say_what_is_unknown(&view.sight, printer)
}

/// Looks again and again until Ctrl-C: on a terminal the table stays where it is, elsewhere each change is a line.
async fn follow(deployer: &Deployer, order: &[HostName], pause: Duration, printer: &Printer) -> Result<Exit, Failure> {
    let mut before: Vec<String> = Vec::new();
    let mut exit = Exit::Done;
    loop {
        let ended = tokio::select! {
            view = look(deployer, order) => {
                let view = view?;
                exit = if view.is_whole() { Exit::Done } else { Exit::Failed };
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

/// Shows what is new since the look before; gives what this one saw, a line for each host and then the notes.
fn tell(view: &View, before: &[String], printer: &Printer) -> Vec<String> {
    let at = chrono::Utc::now().format("%H:%M:%SZ");
    let mut now: Vec<String> =
        text::host_lines(view).iter().zip(&view.hosts).map(|(line, host)| format!("{line}{}", after(host))).collect();
    now.extend(text::cluster_lines(view));
    now.extend(view.notes.iter().map(|note| printable(note)));
    if let Some(size) = printer.terminal_size().filter(|_| printer.is_live()) {
        let last = format!("{}  {at}  Ctrl-C ends this", text::summary(view));
        printer.live(text::live_lines(view, &last, size, &|tone, text| printer.paint(tone, text)));
        return now;
    }
    for (index, line) in now.iter().enumerate().filter(|(index, line)| before.get(*index) != Some(*line)) {
        match (printer.is_json(), view.hosts.get(index)) {
            (true, Some(host)) => printer.json(host),
            (true, None) => printer.warning(line),
            (false, _) => printer.data(&format!("{at} {line}")),
        }
    }
    now
}

/// What stands behind a host's line where there is one line for each.
fn after(host: &HostStatus) -> String {
    let drift: Vec<String> = host.drift.iter().map(|drift| printable(&drift.text)).collect();
    if drift.is_empty() { String::new() } else { format!("  DRIFT: {}", drift.join("; ")) }
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
