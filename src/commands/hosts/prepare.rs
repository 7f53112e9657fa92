//! `pkg hosts prepare`: what changes is said, agreed to, done, and looked at again.

use std::sync::Arc;

use deployer::{
    Approval, Environment, Given, Host, Interrupt, Item, ItemState, Question, ScriptError, Ssh, Transport, bring,
    closed, inspect, question,
};
use futures::future::join_all;
use tokio::sync::watch;

use super::PrepareArgs;
use crate::commands::deploy::{self, is_person_present, typed_line};
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
    let mut work: Vec<(&Host, Vec<&Item>)> = Vec::new();
    for (host, look) in hosts.into_iter().zip(looks) {
        match look {
            Ok(states) => work.push((host, show_differences(printer, host, wanted, &states))),
            Err(error) => {
                unseen += 1;
                failed(printer, host, &error);
            }
        }
    }
    work.retain(|(_, items)| !items.is_empty());
    if work.is_empty() {
        if unseen == 0 {
            printer.talk("every host is as it should be");
        }
        return Ok(if unseen == 0 { Exit::Done } else { Exit::Failed });
    }
    agree(args, environment, work.len(), printer).await?;
    let outcomes = join_all(work.iter().map(|(host, items)| async {
        bring(ssh, host, items).await?;
        Ok::<_, ScriptError>(still_lacking(wanted, &inspect(ssh, host, wanted).await?))
    }));
    let mut good = 0;
    for ((host, items), outcome) in work.iter().zip(outcomes.await) {
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

/// Prints what would change on a host, as `-` and `+` lines for files, and gives it.
fn show_differences<'i>(printer: &Printer, host: &Host, wanted: &'i [Item], states: &[ItemState]) -> Vec<&'i Item> {
    let mut differing = Vec::new();
    for (item, state) in wanted.iter().zip(states) {
        let ItemState::Differs { because, lines } = state else { continue };
        differing.push(item);
        printer.talk(&format!("{} {item}: {}", host.name(), printable(because)));
        let Item::File { text, .. } = item else { continue };
        // What is there is compared with what comes, line by line; the order of a set-up's files is their own.
        let (has, comes) = (lines.as_deref().unwrap_or_default(), text.lines().collect::<Vec<_>>());
        for line in has.iter().filter(|line| !comes.contains(&line.as_str())) {
            printer.talk(&format!("    {}", printer.paint(Tone::Bad, &format!("- {}", printable(line)))));
        }
        if !text.starts_with("-----BEGIN") {
            for line in comes.iter().filter(|line| !has.iter().any(|had| had == *line)) {
                printer.talk(&format!("    {}", printer.paint(Tone::Good, &format!("+ {}", printable(line)))));
            }
        }
    }
    differing
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
    let missing = |reason: String| Failure::new(Exit::ApprovalMissing, anyhow::anyhow!(reason));
    let (prompt, expected) = match question(approval, given).map_err(|refusal| missing(refusal.to_string()))? {
        Question::Nothing => return Ok(()),
        Question::Yes => (format!("change {hosts} hosts? [y/N]"), "y"),
        Question::Name => (format!("type the environment's name to change {hosts} hosts:"), environment.name.as_str()),
    };
    printer.warning(&prompt);
    let (_interrupted, interrupt) = watch::channel(Interrupt::None);
    match typed_line(&interrupt).await {
        Some(typed) if typed == expected => Ok(()),
        Some(typed) => Err(missing(format!("`{}` was typed instead of `{expected}`", printable(&typed)))),
        None => Err(missing("nothing was typed".to_owned())),
    }
}
