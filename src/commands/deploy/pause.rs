//! The paused screen: a step failed, and a person, or the environment's policy, says what follows.

use std::sync::Arc;

use async_trait::async_trait;
use deployer::{Decision, Environment, FailurePolicy, Interrupt, OnFailure, Pause, Policy};
use tokio::sync::watch;

use super::approver::is_person_present;
use super::observers::Observers;
use super::typing;
use crate::render::{Printer, Tone, printable};

/// Asks at the terminal, where the environment's policy leaves that to a person.
pub(crate) struct PausedScreen {
    pub(crate) printer: Printer,
    pub(crate) observers: Arc<Observers>,
    pub(crate) interrupt: watch::Receiver<Interrupt>,
}

#[async_trait]
impl Policy for PausedScreen {
    async fn decide(&self, environment: &Environment, pause: &Pause) -> Decision {
        if let Some(decision) = decided(environment.policy, pause, is_person_present()) {
            return decision;
        }
        self.observers.wait_for_a_person(pause);
        self.ask(pause).await
    }
}

/// What is decided without asking.
fn decided(policy: FailurePolicy, pause: &Pause, person: bool) -> Option<Decision> {
    let failed = pause.skipped.len() + pause.failures.len();
    if failed <= policy.max_failed_hosts && pause.choices.contains(&Decision::Skip) {
        return Some(Decision::Skip);
    }
    match (policy.on_failure, person) {
        (Some(OnFailure::RollBack), _) | (None, false) => Some(Decision::BackOut),
        (Some(OnFailure::Stop), _) | (Some(OnFailure::Pause), false) => Some(Decision::Stop),
        (Some(OnFailure::Pause) | None, true) => None,
    }
}

impl PausedScreen {
    async fn ask(&self, pause: &Pause) -> Decision {
        let paused = self.printer.paint(Tone::Bad, "PAUSED");
        self.printer.urgent(&format!("{paused} in {}: {}", printable(&pause.stage), standing(pause)));
        for failure in &pause.failures {
            let step = failure.step.map(|step| format!("{step}: ")).unwrap_or_default();
            self.printer.urgent(&format!("  {} {step}{}", failure.host, printable(&failure.error)));
        }
        loop {
            self.printer.urgent(&format!("  {}", menu(&pause.choices)));
            let Some(typed) = typing::line(&self.interrupt).await else { return Decision::Stop };
            match chosen(&typed, &pause.choices) {
                Choice::Decided(decision) => return decision,
                Choice::Log => self.log(pause),
                Choice::Unknown => self.printer.warning(&format!("`{}` is none of these", printable(&typed))),
            }
        }
    }

    fn log(&self, pause: &Pause) {
        for failure in &pause.failures {
            if failure.log.is_empty() {
                self.printer.urgent(&format!("{}> there is no log", failure.host));
            }
            for line in &failure.log {
                self.printer.urgent(&format!("{}> {}", failure.host, printable(line)));
            }
        }
    }
}

/// Who is where, in a line.
fn standing(pause: &Pause) -> String {
    let failed: Vec<&str> = pause.failures.iter().map(|failure| failure.host.as_str()).collect();
    let mut said = vec![format!("failed {}", failed.join(", "))];
    for (what, hosts) in [("changed so far", &pause.touched), ("skipped", &pause.skipped)] {
        if !hosts.is_empty() {
            let hosts: Vec<&str> = hosts.iter().map(deployer::HostName::as_str).collect();
            said.push(format!("{what} {}", hosts.join(", ")));
        }
    }
    said.join(" · ")
}

enum Choice {
    Decided(Decision),
    Log,
    Unknown,
}

const CHOICES: [(Decision, &str, &str); 5] = [
    (Decision::Retry, "r", "[r]etry"),
    (Decision::Skip, "s", "[s]kip"),
    (Decision::BackOutBatch, "b", "[b]ack out this batch"),
    (Decision::BackOut, "a", "back out [a]ll"),
    (Decision::Stop, "q", "[q]uit, stay paused"),
];

fn menu(choices: &[Decision]) -> String {
    let offered = CHOICES.iter().filter(|(decision, ..)| choices.contains(decision)).map(|(.., text)| *text);
    format!("{}; a letter, then Enter:", offered.chain(["show [l]og"]).collect::<Vec<_>>().join(" · "))
}

fn chosen(typed: &str, choices: &[Decision]) -> Choice {
    let typed = typed.to_lowercase();
    if typed == "l" {
        return Choice::Log;
    }
    let found = CHOICES.iter().find(|(decision, letter, _)| *letter == typed && choices.contains(decision));
    found.map_or(Choice::Unknown, |(decision, ..)| Choice::Decided(*decision))
}

#[cfg(test)]
mod tests {
    use deployer::{DeploymentId, StepFailure};

    use super::*;

    fn pause(failed: usize, skipped: usize) -> Pause {
        let failure = |number| StepFailure {
            host: format!("web{number}").parse().unwrap(),
            step: None,
            error: "no".to_owned(),
            log: Vec::new(),
        };
        Pause {
            deployment: DeploymentId::after(0),
            stage: "hosts".to_owned(),
            batch: Vec::new(),
            failures: (0..failed).map(failure).collect(),
            skipped: (0..skipped).map(|number| format!("old{number}").parse().unwrap()).collect(),
            touched: Vec::new(),
            choices: CHOICES.map(|(decision, ..)| decision).to_vec(),
        }
    }

    #[test]
    fn what_the_policy_decides() {
        let policy = |on_failure, max_failed_hosts| FailurePolicy { on_failure, max_failed_hosts };
        for (policy, failed, person, expected) in [
            (policy(None, 0), (1, 0), true, None),
            (policy(None, 0), (1, 0), false, Some(Decision::BackOut)),
            (policy(Some(OnFailure::Pause), 0), (1, 0), true, None),
            (policy(Some(OnFailure::Pause), 0), (1, 0), false, Some(Decision::Stop)),
            (policy(Some(OnFailure::RollBack), 0), (1, 0), true, Some(Decision::BackOut)),
            (policy(Some(OnFailure::Stop), 0), (1, 0), true, Some(Decision::Stop)),
            (policy(None, 2), (1, 1), true, Some(Decision::Skip)),
            (policy(None, 2), (1, 2), false, Some(Decision::BackOut)),
        ] {
            assert_eq!(decided(policy, &pause(failed.0, failed.1), person), expected, "{policy:?} {failed:?} {person}");
        }
        let mut nobody = pause(1, 0);
        nobody.choices.retain(|choice| *choice != Decision::Skip);
        assert_eq!(decided(policy(None, 5), &nobody, false), Some(Decision::BackOut));
    }

    #[test]
    fn only_what_is_offered_can_be_chosen() {
        let choices = [Decision::Retry, Decision::Stop];
        assert_eq!(menu(&choices), "[r]etry · [q]uit, stay paused · show [l]og; a letter, then Enter:");
        assert!(matches!(chosen("R", &choices), Choice::Decided(Decision::Retry)));
        assert!(matches!(chosen("l", &choices), Choice::Log));
        for other in ["a", "", "retry", "x"] {
            assert!(matches!(chosen(other, &choices), Choice::Unknown), "{other}");
        }
    }
}
