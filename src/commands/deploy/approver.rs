//! Approval of a plan at the terminal.

use std::io::{self, IsTerminal};

use async_trait::async_trait;
use deployer::{Approval, Approver, DeploymentId, Environment, Interrupt, Plan};
use tokio::sync::watch;

use super::progress;
use crate::render::Printer;

/// Shows the plan, and asks where the environment wants that.
pub(crate) struct Terminal {
    /// What prints.
    pub(crate) printer: Printer,
    /// Whether `--yes` was given.
    pub(crate) assume_yes: bool,
    /// Turns true on Ctrl-C.
    pub(crate) interrupt: watch::Receiver<Interrupt>,
}

/// What a person has to type.
enum Question<'a> {
    Nothing,
    Yes,
    Name(&'a str),
}

#[async_trait]
impl Approver for Terminal {
    async fn approve(&self, environment: &Environment, deployment: DeploymentId, plan: &Plan) -> Result<(), String> {
        for line in progress::plan_lines(plan) {
            self.printer.talk(&line);
        }
        let present = io::stdin().is_terminal() && io::stderr().is_terminal();
        let question = match environment.approval {
            Approval::Person | Approval::Two if !present => {
                return Err(format!(
                    "environment `{}` is deployed to by a person at a terminal only; `--yes` does not stand for one",
                    environment.name
                ));
            }
            Approval::Person | Approval::Two => Question::Name(environment.name.as_str()),
            Approval::None if present && !self.assume_yes => Question::Yes,
            Approval::None => Question::Nothing,
        };
        let (prompt, expected) = match question {
            Question::Nothing => return Ok(()),
            Question::Yes => (format!("{deployment}: go on? [y/N]"), "y"),
            Question::Name(name) => (format!("{deployment}: type the environment's name to go on:"), name),
        };
        self.printer.warning(&prompt);
        let typed = self.read_line().await.ok_or_else(|| "nothing was typed".to_owned())?;
        let agreed = typed == expected || (expected == "y" && typed.eq_ignore_ascii_case("yes"));
        if agreed { Ok(()) } else { Err(format!("`{typed}` was typed instead of `{expected}`")) }
    }
}

impl Terminal {
    /// Reads a line, unless Ctrl-C comes first.
    async fn read_line(&self) -> Option<String> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // A thread of its own: the runtime would wait for a blocking task that still reads at the end.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = io::stdin().read_line(&mut line);
            let _ = sender.send(read.is_ok_and(|count| count > 0).then_some(line));
        });
        let mut interrupt = self.interrupt.clone();
        tokio::select! {
            line = receiver => line.ok().flatten().map(|line| line.trim().to_owned()),
            _ = interrupt.wait_for(|wish| *wish != Interrupt::None) => None,
        }
    }
}
