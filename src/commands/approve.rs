//! `pkg approve`

use std::io::Write;
use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use deployer::{AllowedSigners, Approval, PlanFile, Statement};
use tokio::sync::watch;

use super::deploy::{self, is_person_present, signing_key, typed_line};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Sign a saved plan, so that somebody else may carry it out.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// The plan, as `pkg plan --out` wrote it.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The SSH key to sign with, or its public half if an agent has it; by default the first of ~/.ssh.
    #[arg(long, value_name = "FILE", env = "PKG_APPROVAL_KEY")]
    key: Option<PathBuf>,
    /// How many hours the signature holds.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    hours: u32,
    /// Where to append the signature; by default the plan's file with `.approval` after its name.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Example, for an environment with `approval = \"two\"`:
  ana$ pkg plan prod petclinic-1.4.0-57 --out petclinic.plan
  ben$ pkg approve prod --plan petclinic.plan
  ana$ pkg deploy prod --plan petclinic.plan --approval petclinic.plan.approval

Shows the plan, asks for the environment's name, and signs the plan's digest with `ssh-keygen -Y sign`. Who may sign is in
the environment's `approvers`, a file in the format of ALLOWED SIGNERS in ssh-keygen(1):
  ben@example.com namespaces=\"pkg-approval\" ssh-ed25519 AAAA…";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let environment = deploy::environment(&args.environment)?;
    let saved = PlanFile::read(&args.plan).map_err(Failure::input)?;
    let name = environment.name.to_string();
    if saved.plan.environment != environment.name {
        return Err(Failure::input(anyhow::anyhow!(
            "the plan in `{}` is for environment `{}`, not for `{name}`",
            args.plan.display(),
            saved.plan.environment
        )));
    }
    let approvers = match (environment.approval, &environment.approvers) {
        (Approval::Two, Some(file)) => AllowedSigners::new(file.clone()),
        _ => {
            let error = anyhow::anyhow!("environment `{name}` does not ask for signatures");
            return Err(Failure::input(error).hint("`approval = \"two\"` in its file does"));
        }
    };
    let notes = deploy::plan_notes(&environment, &saved.plan, printer).await;
    let lines = deploy::plan_lines(&saved.plan).into_iter().chain(deploy::remark_lines(&saved.remarks));
    for line in lines.chain(notes) {
        printer.talk(&line);
    }
    printer.talk(&format!(
        "made by {} at {}, {}",
        printable(&saved.made_by),
        saved.made_at.format("%F %TZ"),
        saved.digest
    ));
    agree(&name, printer).await?;
    let now = Utc::now();
    let until = now + TimeDelta::hours(i64::from(args.hours));
    let statement = Statement { environment: name.clone(), plan: saved.digest.clone(), at: now, until };
    let key = signing_key(args.key.as_deref()).map_err(|reason| Failure::input(anyhow::anyhow!(reason)))?;
    let approval = statement.sign(&key).map_err(Failure::failed)?;
    let person = approvers.verify(&approval, &name, &saved.digest, now).map_err(Failure::failed)?;
    let out = args.out.unwrap_or_else(|| PathBuf::from(format!("{}.approval", args.plan.display())));
    let line = serde_json::to_string(&approval).map_err(Failure::failed)?;
    let mut file = fs_err::OpenOptions::new().create(true).append(true).open(&out).map_err(Failure::failed)?;
    file.write_all(format!("{line}\n").as_bytes()).map_err(Failure::failed)?;
    printer.talk(&format!("signed by {} until {}", printable(&person), until.format("%F %TZ")));
    if printer.is_json() {
        printer.json(&serde_json::json!({ "file": out, "person": person, "plan": saved.digest, "until": until }));
    } else {
        printer.data(&out.display().to_string());
    }
    Ok(Exit::Done)
}

/// Asks for the environment's name: a signature is a person's.
async fn agree(name: &str, printer: &Printer) -> Result<(), Failure> {
    let missing = |reason: String| Failure::new(Exit::ApprovalMissing, anyhow::anyhow!(reason));
    if !is_person_present() {
        return Err(missing("a plan is approved by a person at a terminal only".to_owned()));
    }
    printer.warning("type the environment's name to sign this plan:");
    let (_interrupted, interrupt) = watch::channel(deployer::Interrupt::None);
    match typed_line(&interrupt).await {
        Some(typed) if typed == name => Ok(()),
        Some(typed) => Err(missing(format!("`{}` was typed instead of `{name}`", printable(&typed)))),
        None => Err(missing("nothing was typed".to_owned())),
    }
}
