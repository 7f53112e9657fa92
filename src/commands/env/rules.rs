//! `pkg env set`: what the server asks of deployments to an environment.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use repo_api::{
    ApprovalRule, Client, ClientError, EnvironmentRequest, EnvironmentSettings, Freeze, ProblemKind, TagName,
};

use super::super::connection::{ReasonArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// The rules.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(super) struct RuleArgs {
    /// Who has to agree: none for whatever the environment's file says, person for one whose token is not marked as
    /// unattended and who types the environment's name, two for the signatures of two people under the plan.
    #[arg(long, value_name = "none|person|two", value_parser = approval)]
    approval: Option<ApprovalRule>,
    /// A file of those who may sign plans, in the format of ALLOWED SIGNERS in ssh-keygen(1).
    #[arg(long, value_name = "FILE")]
    approvers: Option<PathBuf>,
    /// Refuse deployments, for this reason; rollbacks and `pkg resume` go on.
    #[arg(long, value_name = "REASON", conflicts_with = "thaw")]
    freeze: Option<String>,
    /// End the freeze by itself at this time, such as 2026-12-27T06:00:00Z.
    #[arg(long, value_name = "TIME", requires = "freeze")]
    until: Option<DateTime<Utc>>,
    /// Allow deployments again.
    #[arg(long)]
    thaw: bool,
}

impl RuleArgs {
    fn changed(self, mut settings: EnvironmentSettings) -> Result<EnvironmentSettings, Failure> {
        settings.approval = self.approval.unwrap_or(settings.approval);
        if let Some(file) = self.approvers {
            let text = fs_err::read_to_string(file).context("those who may approve can't be read");
            settings.approvers = Some(text.map_err(Failure::input)?);
        }
        if let Some(because) = self.freeze {
            settings.freeze = Some(Freeze { because, until: self.until });
        }
        if self.thaw {
            settings.freeze = None;
        }
        Ok(settings)
    }
}

/// Sets rules, on top of those that there are.
pub(super) async fn set(
    client: &Client,
    environment: &TagName,
    rules: RuleArgs,
    reason: ReasonArgs,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let before = match client.environment(environment, None).await {
        Ok(info) => info.settings,
        // It may be set up before the first deployment.
        Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::NotFound => EnvironmentSettings::default(),
        Err(error) => return Err(failure(error)),
    };
    let settings = rules.changed(before.clone())?;
    let request = EnvironmentRequest { settings: settings.clone(), before: Some(before), who: who(), why: reason.why };
    let changed = client.set_environment(environment, &request).await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&settings);
        return Ok(Exit::Done);
    }
    if !changed.changed {
        printer.talk("nothing changed");
    }
    for line in lines(&settings) {
        printer.data(&line);
    }
    Ok(Exit::Done)
}

/// The rules, as lines.
pub(super) fn lines(settings: &EnvironmentSettings) -> Vec<String> {
    let approval = match settings.approval {
        ApprovalRule::None => "as the environment's file says",
        ApprovalRule::Person => "by a person at a terminal",
        ApprovalRule::Two => "by the signatures of two people",
    };
    let signers = settings.approvers.iter().flat_map(|text| text.lines());
    let signers = signers.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let signers: Vec<&str> = signers.filter_map(|line| line.split_whitespace().next()).collect();
    let mut lines = vec![format!("approval  {approval}")];
    if !signers.is_empty() {
        lines.push(format!("approvers {}", crate::render::printable(&signers.join(", "))));
    }
    if let Some(freeze) = &settings.freeze {
        let until =
            freeze.until.map_or_else(String::new, |until| format!(" until {}", until.format("%Y-%m-%d %H:%M:%SZ")));
        lines.push(format!("frozen{until}: {}", crate::render::printable(&freeze.because)));
    }
    lines
}

fn approval(text: &str) -> Result<ApprovalRule, anyhow::Error> {
    match text {
        "none" => Ok(ApprovalRule::None),
        "person" => Ok(ApprovalRule::Person),
        "two" => Ok(ApprovalRule::Two),
        _ => Err(anyhow!("allowed are none, person and two")),
    }
}
