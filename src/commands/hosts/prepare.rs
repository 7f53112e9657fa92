//! `pkg hosts prepare`: what changes is said, agreed to, done, and looked at again.

use std::sync::Arc;

use deployer::{
    Approval, Environment, Given, Host, HostName, Interrupt, Item, ItemState, Question, ScriptError, Ssh, Transport,
    bring, closed, inspect, question,
};
use futures::future::join_all;
use tokio::sync::watch;

use super::PrepareArgs;
use crate::commands::deploy::{self, is_person_present, rows, typed_line};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, Tone, printable};

pub(super) async fn run(
    args: PrepareArgs,
    mut environment: Environment,
    wanted: &[Item],
    printer: &Printer,
) -> Result<Exit, Failure> {
    if let Some(host) = args.hosts.iter().find(|host| environment.host(host).is_none()) {
        return Err(Failure::input(anyhow::anyhow!("environment `{}` has no host `{host}`", environment.name)));
    }
    refuse_beside_a_deployment(environment.clone(), printer).await?;
    if let Some(user) = &args.user {
        environment.ssh.user = Some(user.clone());
        environment.ssh.sudo = false;
    }
    let ssh: Arc<dyn Transport> = Arc::new(Ssh::of(&environment).map_err(Failure::failed)?);
    let done = prepare(&args, &environment, wanted, (&*ssh, printer)).await;
    ssh.close().await;
    done
}

/// A deployment judges hosts by what it found on them: nothing may change beside it.
async fn refuse_beside_a_deployment(environment: Environment, printer: &Printer) -> Result<(), Failure> {
    let (_interrupted, interrupt) = watch::channel(Interrupt::None);
    let deployer = deploy::open(environment, Arc::new(deploy::Progress(printer.clone())), interrupt).await?;
    let state = deployer.journal().await.map_err(deploy::failure)?;
    match state.unfinished() {
        None => Ok(()),
        Some(record) => {
            let error = anyhow::anyhow!("deployment {} by {} is not finished", record.id, record.holder.who);
            Err(Failure::new(Exit::LeaseHeld, error))
        }
    }
}

async fn prepare(
    args: &PrepareArgs,
    environment: &Environment,
    wanted: &[Item],
    (ssh, printer): (&dyn Transport, &Printer),
) -> Result<Exit, Failure> {
    let chosen = |host: &&Host| args.hosts.is_empty() || args.hosts.contains(host.name());
    let hosts: Vec<&Host> = environment.hosts.iter().filter(chosen).collect();
    let looks = join_all(hosts.iter().map(|host| inspect(ssh, host, wanted))).await;
    let mut unseen = 0;
    let mut work: Vec<Work> = Vec::new();
    for (host, look) in hosts.into_iter().zip(looks) {
        match look {
            Ok(states) => work.push(Work::of(printer, host, wanted, &states)),
            Err(error) => {
                unseen += 1;
                failed(printer, host, &error);
            }
        }
    }
    work.retain(|work| !work.items.is_empty());
    show_differences(printer, &work);
    if work.is_empty() {
        if unseen == 0 {
            printer.talk("every host is as it should be");
        }
        return Ok(if unseen == 0 { Exit::Done } else { Exit::Failed });
    }
    agree(args, environment, work.len(), printer).await?;
    let outcomes = join_all(work.iter().map(|work| async {
        bring(ssh, work.host, &work.items).await?;
        Ok::<_, ScriptError>(still_lacking(wanted, &inspect(ssh, work.host, wanted).await?))
    }));
    let mut good = 0;
    for (Work { host, items, .. }, outcome) in work.iter().zip(outcomes.await) {
        match outcome {
            Ok(lacking) if lacking.is_empty() => {
                good += 1;
                printer.talk(&format!("{} {} {} changed", host.name(), printer.paint(Tone::Good, "ok"), items.len()));
            }
            Ok(lacking) => {
                let failed = printer.paint(Tone::Bad, "failed");
                printer.urgent(&format!("{} {failed} still: {}", host.name(), printable(&lacking.join("; "))));
            }
            Err(error) => failed(printer, host, &error),
        }
    }
    if printer.is_json() {
        printer.json(&serde_json::json!({ "changed": good, "failed": work.len() - good, "unseen": unseen }));
    }
    Ok(if good == work.len() && unseen == 0 { Exit::Done } else { Exit::PartlyChanged })
}

fn failed(printer: &Printer, host: &Host, error: &ScriptError) {
    let failed = printer.paint(Tone::Bad, "failed");
    printer.urgent(&format!("{} {failed} {}", host.name(), printable(&error.to_string())));
}

fn still_lacking(wanted: &[Item], states: &[ItemState]) -> Vec<String> {
    let lacking = wanted.iter().zip(states).filter(|(_, state)| **state != ItemState::Ok);
    lacking.map(|(item, _)| item.to_string()).collect()
}

/// What changes on a host.
struct Work<'w> {
    host: &'w Host,
    items: Vec<&'w Item>,
    /// Each item, why, and, for a file, `-` and `+` lines.
    differences: Vec<(String, Vec<String>)>,
}

impl<'w> Work<'w> {
    fn of(printer: &Printer, host: &'w Host, wanted: &'w [Item], states: &[ItemState]) -> Self {
        let mut work = Self { host, items: Vec::new(), differences: Vec::new() };
        for (item, state) in wanted.iter().zip(states) {
            let ItemState::Differs { because, lines } = state else { continue };
            work.items.push(item);
            let lines = lines_that_differ(printer, item, lines.as_deref().unwrap_or_default());
            work.differences.push((format!("{item}: {}", printable(because)), lines));
        }
        work
    }
}

/// The lines that go from a file and those that come; the order of a set-up's files is their own.
fn lines_that_differ(printer: &Printer, item: &Item, has: &[String]) -> Vec<String> {
    let Item::File { text, .. } = item else { return Vec::new() };
    let comes: Vec<&str> = text.lines().collect();
    let goes = has.iter().filter(|line| !comes.contains(&line.as_str()));
    let goes = goes.map(|line| printer.paint(Tone::Bad, &format!("- {}", printable(line))));
    let is_key = text.starts_with("-----BEGIN");
    let comes = comes.iter().filter(|line| !is_key && !has.iter().any(|had| had == *line));
    let comes = comes.map(|line| printer.paint(Tone::Good, &format!("+ {}", printable(line))));
    goes.chain(comes).collect()
}

/// Prints what would change; once for many hosts next to each other of which the same is to be said.
fn show_differences(printer: &Printer, work: &[Work]) {
    for alike in work.chunk_by(|left, right| left.differences == right.differences) {
        let names: Vec<&HostName> = alike.iter().map(|work| work.host.name()).collect();
        for name in rows(&names) {
            for (item, lines) in alike.iter().take(1).flat_map(|work| &work.differences) {
                printer.talk(&format!("{name} {item}"));
                lines.iter().for_each(|line| printer.talk(&format!("    {line}")));
            }
        }
    }
}

/// The same rule as for deployments; signatures are of plans, so that one person does where two have to agree to those.
async fn agree(args: &PrepareArgs, environment: &Environment, hosts: usize, printer: &Printer) -> Result<(), Failure> {
    let closed = closed(environment, chrono::Utc::now()).await;
    let approval = if environment.approval == Approval::Two { Approval::Person } else { environment.approval };
    let given = Given {
        terminal: is_person_present(),
        yes: args.yes,
        fresh: true,
        closed: closed.as_deref(),
        despite: args.despite_freeze.as_deref(),
        people: 0,
        agreed: false,
        beyond: false,
        no_way_back: false,
    };
    let many = if hosts == 1 { "one host".to_owned() } else { format!("{hosts} hosts") };
    let missing = |reason: String| Failure::new(Exit::ApprovalMissing, anyhow::anyhow!(reason));
    let (prompt, expected) = match question(approval, given).map_err(|refusal| missing(refusal.to_string()))? {
        Question::Nothing => return Ok(()),
        Question::Yes => (format!("change {many}? [y/N]"), "y"),
        Question::Name => (format!("type the environment's name to change {many}:"), environment.name.as_str()),
    };
    printer.warning(&prompt);
    let (_interrupted, interrupt) = watch::channel(Interrupt::None);
    match typed_line(&interrupt).await {
        Some(typed) if typed == expected => Ok(()),
        Some(typed) => Err(missing(format!("`{}` was typed instead of `{expected}`", printable(&typed)))),
        None => Err(missing("nothing was typed".to_owned())),
    }
}
