//! `pkg history`

mod story;

use std::sync::Arc;

use deployer::{Action, DeploymentId, DeploymentRecord, Ending};
use tokio::sync::watch;

use self::story::story;
use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Show what was deployed to an environment, when, by whom and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pkg history prod\n  pkg history prod --show D-0012")]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Show the whole story of one deployment: who agreed and how, its steps with what they said, hooks, what was left.
    #[arg(long, value_name = "ID")]
    show: Option<DeploymentId>,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let environment = deploy::environment(&args.environment)?;
    let name = environment.name.clone();
    let (_interrupted, interrupt) = watch::channel(deployer::Interrupt::None);
    let deployer = deploy::open(environment, Arc::new(deploy::Progress(printer.clone())), interrupt).await?;
    // A list as JSON has the steps of all of them.
    let is_whole = args.show.is_none() && printer.is_json();
    let state = if is_whole { deployer.whole_journal().await } else { deployer.journal().await };
    let state = state.map_err(deploy::failure)?;
    let Some(id) = args.show else {
        if state.deployments.is_empty() {
            printer.talk(&format!("nothing was ever deployed to `{name}`"));
        }
        for record in state.deployments.iter().rev() {
            if printer.is_json() { printer.json(record) } else { printer.data(&printable(&summary(record))) }
        }
        return Ok(Exit::Done);
    };
    let record = state.deployment(id).ok_or_else(|| {
        let last =
            state.deployments.last().map_or("none yet".to_owned(), |record| format!("the last is {}", record.id));
        Failure::input(anyhow::anyhow!("environment `{name}` has no deployment {id}; {last}"))
    })?;
    let record = deployer.story(record).await.map_err(deploy::failure)?;
    if printer.is_json() {
        printer.json(&record);
    } else {
        printer.data(&printable(&summary(&record)));
        for line in story(&record) {
            printer.data(&printable(&line));
        }
    }
    Ok(Exit::Done)
}

fn summary(record: &DeploymentRecord) -> String {
    let action = match record.action {
        Action::Deploy => "deploy",
        Action::Rollback => "rollback",
    };
    let ending = match record.ending {
        None => "unfinished",
        Some(Ending::Done) => "done",
        Some(Ending::NothingToDo) => "nothing to do",
        Some(Ending::NothingChanged) => "failed, nothing changed",
        Some(Ending::RolledBack) => "failed, rolled back",
        Some(Ending::PartlyChanged) => "partly changed",
        Some(Ending::NotApproved) => "not approved",
    };
    let why = record.author.why.as_deref().map(|why| format!("  \"{why}\"")).unwrap_or_default();
    let began = record.began.format("%Y-%m-%d %H:%M:%SZ");
    format!("{}  {began}  {action}  {}  {ending}  by {}{why}", record.id, moves(record), record.author.who)
}

/// What moved, each move once however many hosts made it.
fn moves(record: &DeploymentRecord) -> String {
    let changes = record.plan.iter().flat_map(|plan| &plan.hosts).flat_map(|host| &host.changes);
    let mut moves: Vec<String> = Vec::new();
    for change in changes.filter(|change| change.moves()) {
        let from = change.from.as_ref().map_or("nothing".to_owned(), |from| from.evr.to_string());
        let text = format!("{} {from} → {}", change.to.name, change.to.evr);
        if !moves.contains(&text) {
            moves.push(text);
        }
    }
    if moves.is_empty() { "-".to_owned() } else { moves.join(", ") }
}
