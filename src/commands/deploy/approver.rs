//! Approval of a plan at the terminal.

use std::io::{self, IsTerminal};

use async_trait::async_trait;
use chrono::Utc;
use deployer::{
    Action, Agreement, Approval, Approver, Consent, DeploymentRecord, Environment, Facts, Given, Interrupt, Plan,
    Question, closed, question,
};
use tokio::sync::watch;

use super::carry_out::ChangeArgs;
use super::plan_notes::plan_notes;
use super::plan_remarks::{plan_remarks, remark_lines};
use super::{plan_text, typing};
use crate::render::Printer;

/// Shows the plan, and asks where the environment wants that.
pub(crate) struct Terminal {
    /// What prints.
    pub(crate) printer: Printer,
    /// What was given towards it.
    pub(crate) change: ChangeArgs,
    /// Turns on with Ctrl-C.
    pub(crate) interrupt: watch::Receiver<Interrupt>,
}

#[async_trait]
impl Approver for Terminal {
    async fn approve(
        &self,
        environment: &Environment,
        record: &DeploymentRecord,
        plan: &Plan,
        facts: &Facts,
    ) -> Result<Agreement, String> {
        for line in plan_text::plan_lines(plan) {
            self.printer.talk(&line);
        }
        for line in remark_lines(&plan_remarks(environment, plan, facts, &self.printer).await) {
            self.printer.talk(&line);
        }
        for line in plan_notes(environment, plan, &self.printer).await {
            self.printer.talk(&line);
        }
        let mut agreement = Agreement::by(Consent::Unattended);
        if environment.approval == Approval::Two && !is_agreed(record) {
            self.signatures(environment, plan, &mut agreement)?;
        }
        agreement.closed = closed(environment, Utc::now()).await;
        let beyond = plan.hosts.iter().any(|host| !host.beyond().is_empty());
        let wanted = self.question((environment, record), &agreement, beyond)?;
        agreement.consent = self.ask(environment, record, wanted).await?;
        // A person may have thought for hours.
        agreement.closed = closed(environment, Utc::now()).await;
        let wanted_now = self.question((environment, record), &agreement, beyond)?;
        if wanted_now == Question::Name && wanted != Question::Name {
            return Err(format!("environment was closed meanwhile: {}", agreement.closed.unwrap_or_default()));
        }
        if let Some(closed) = &agreement.closed {
            agreement.despite.clone_from(&self.change.despite_freeze);
            self.printer.warning(&format!("`{}` is closed ({closed}), and goes on all the same", environment.name));
        }
        Ok(agreement)
    }
}

impl Terminal {
    fn question(
        &self,
        (environment, record): (&Environment, &DeploymentRecord),
        agreement: &Agreement,
        beyond: bool,
    ) -> Result<Question, String> {
        let given = Given {
            terminal: is_person_present(),
            yes: self.change.yes,
            fresh: record.action == Action::Deploy && record.agreements.is_empty(),
            closed: agreement.closed.as_deref(),
            despite: self.change.despite_freeze.as_deref(),
            people: agreement.people.len(),
            agreed: is_agreed(record),
            // Who goes on with a deployment has agreed to that before.
            beyond: beyond && record.agreements.is_empty(),
            no_way_back: self.change.no_way_back,
        };
        question(environment.approval, given).map_err(|refusal| refusal.to_string())
    }

    async fn ask(
        &self,
        environment: &Environment,
        record: &DeploymentRecord,
        question: Question,
    ) -> Result<Consent, String> {
        let (prompt, expected, consent) = match question {
            Question::Nothing => return Ok(Consent::Unattended),
            Question::Yes => (format!("{}: go on? [y/N]", record.id), "y", Consent::Confirmed),
            Question::Name => {
                let prompt = format!("{}: type the environment's name to go on:", record.id);
                (prompt, environment.name.as_str(), Consent::NameTyped)
            }
        };
        self.printer.warning(&prompt);
        let typed = typing::line(&self.interrupt).await.ok_or_else(|| "nothing was typed".to_owned())?;
        let agreed = typed == expected || (expected == "y" && typed.eq_ignore_ascii_case("yes"));
        if agreed { Ok(consent) } else { Err(format!("`{typed}` was typed instead of `{expected}`")) }
    }
}

/// Whether two people agreed already, before it was interrupted.
fn is_agreed(record: &DeploymentRecord) -> bool {
    record.agreements.iter().any(|agreement| agreement.people.len() >= 2)
}

/// Whether somebody is there to read and to type.
pub(crate) fn is_person_present() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
