//! What may be written to an environment's ledger, by whom, now: the lease is given here, so here is where the rules hold.

use chrono::{DateTime, TimeDelta, Utc};
use ledger::Commit;
use repo_api::{ApprovalRule, EnvironmentSettings, TagName};
use serde_json::Value;

use super::entry::{Entry, NAME_TYPED};
use super::error::EnvironmentError;
use super::projection::{Deployment, Projection};

/// The shortest and the longest time that a lease is given for at first: another clock than the server's shows itself.
const SHORTEST: TimeDelta = TimeDelta::seconds(30);
const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// Who writes, as far as the server knows it for sure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Controller {
    /// The name of the token; `None` for one of the server's own and for a program on its machine.
    pub(crate) token: Option<String>,
    /// Whether no person is present.
    pub(crate) unattended: bool,
}

/// What a commit is judged by.
pub(super) struct Gate<'a> {
    pub(super) environment: &'a TagName,
    pub(super) projection: &'a Projection,
    pub(super) settings: &'a EnvironmentSettings,
    pub(super) controller: &'a Controller,
    pub(super) now: DateTime<Utc>,
}

impl Gate<'_> {
    /// Lets a commit pass, or says why not.
    pub(super) fn judge(&self, commit: &Commit<Value>) -> Result<Entry, EnvironmentError> {
        let unreadable = |source: serde_json::Error| {
            let (number, source) = (commit.number, source.into());
            EnvironmentError::Unreadable { number, source }
        };
        if let Some(token) = &self.controller.token
            && !is_of(token, &commit.author.who)
        {
            return Err(EnvironmentError::Author { who: commit.author.who.clone(), token: token.clone() });
        }
        let entry = Entry::read(&commit.payload).map_err(unreadable)?;
        match &entry {
            Entry::Begun { deployment, until, action } => {
                self.check_free()?;
                self.check_new(commit.number, deployment)?;
                // The way back is always open.
                if action != "rollback" {
                    self.check_freeze()?;
                }
                self.check_presence()?;
                self.check_clock(*until)?;
            }
            Entry::Resumed { deployment, until } => {
                self.check_resumable(deployment)?;
                self.check_presence()?;
                self.check_clock(*until)?;
            }
            Entry::Planned { agreement, .. } if self.settings.approval != ApprovalRule::None => {
                self.check_presence()?;
                if agreement.consent != NAME_TYPED {
                    return Err(EnvironmentError::Approval(format!(
                        "environment `{}` is deployed to by a person at a terminal, who types its name",
                        self.environment
                    )));
                }
            }
            // What is asked of other entries can't be got round.
            Entry::Steps { steps } if !steps.iter().all(Entry::is_step) => {
                let (number, source) = (commit.number, "entry `steps` holds something else than steps".into());
                return Err(EnvironmentError::Unreadable { number, source });
            }
            Entry::StepBegun { .. } | Entry::Steps { .. } if self.settings.approval != ApprovalRule::None => {
                self.check_planned()?
            }
            Entry::Extended { until } if *until > self.now + LONGEST => {
                return Err(EnvironmentError::Clock { until: *until, now: self.now });
            }
            _ => {}
        }
        if !matches!(entry, Entry::Begun { .. } | Entry::Resumed { .. }) {
            self.check_holder(commit)?;
        }
        Ok(entry)
    }

    /// A lease that has ended can be taken only where its deployment had not yet agreed on a plan.
    fn check_free(&self) -> Result<(), EnvironmentError> {
        let Some(left) = self.projection.unfinished() else { return Ok(()) };
        if self.has_ended(left) && left.plan.is_none() {
            return Ok(());
        }
        let (id, who, until) = (&left.summary.id, &left.summary.holder, left.summary.until.format("%H:%M:%SZ"));
        Err(EnvironmentError::Held(if self.has_ended(left) {
            format!("deployment {id} by {who} was interrupted at {until}, and has to be resumed first")
        } else {
            format!("deployment {id} by {who} holds the lease until {until} at the earliest")
        }))
    }

    fn check_new(&self, number: u64, id: &str) -> Result<(), EnvironmentError> {
        let digits = id.strip_prefix("D-").unwrap_or_default();
        let is_id = (4..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_id && self.projection.deployments.iter().all(|deployment| deployment.summary.id != id) {
            return Ok(());
        }
        let source = format!("`{id}` is no new deployment's number, such as `D-0012`").into();
        Err(EnvironmentError::Unreadable { number, source })
    }

    /// Nothing is done on a host before a plan was agreed to.
    fn check_planned(&self) -> Result<(), EnvironmentError> {
        let is_planned = self.projection.unfinished().is_none_or(|running| running.plan.is_some());
        let text = format!("nobody has agreed to a plan for environment `{}`", self.environment);
        if is_planned { Ok(()) } else { Err(EnvironmentError::Approval(text)) }
    }

    fn check_resumable(&self, id: &str) -> Result<(), EnvironmentError> {
        let held = |text: String| Err(EnvironmentError::Held(text));
        match self.projection.deployments.last() {
            Some(last) if last.summary.id == id => match last.summary.ending.as_deref() {
                None if !self.has_ended(last) => {
                    let until = last.summary.until.format("%H:%M:%SZ");
                    held(format!("deployment {id} is held by {} until {until} at the earliest", last.summary.holder))
                }
                None | Some("partly_changed") => Ok(()),
                Some(ending) => held(format!("deployment {id} has come to its end: {ending}")),
            },
            _ => held(format!("deployment {id} is not the last one")),
        }
    }

    /// Whoever took the lease last writes, and nobody else.
    fn check_holder(&self, commit: &Commit<Value>) -> Result<(), EnvironmentError> {
        let held = |text: String| Err(EnvironmentError::Held(text));
        let kind = Entry::kind(&commit.payload);
        let Some(id) = Entry::deployment(&commit.payload) else {
            let source = format!("entry `{kind}` is about no deployment").into();
            return Err(EnvironmentError::Unreadable { number: commit.number, source });
        };
        match self.projection.unfinished() {
            Some(running) if running.summary.id != id => {
                held(format!("the lease is held by {}, not by {id}", running.summary.id))
            }
            Some(running) if running.writer != commit.writer => {
                held(format!("the lease of {id} was taken over by {}", running.summary.holder))
            }
            Some(_) => Ok(()),
            None => held(format!("deployment {id} holds no lease")),
        }
    }

    fn check_freeze(&self) -> Result<(), EnvironmentError> {
        if let Some(freeze) = self.settings.freeze.as_ref().filter(|freeze| freeze.holds(self.now)) {
            let (environment, because) = (self.environment.to_string(), freeze.because.clone());
            return Err(EnvironmentError::Frozen { environment, because, until: freeze.until });
        }
        Ok(())
    }

    fn check_presence(&self) -> Result<(), EnvironmentError> {
        match &self.controller.token {
            Some(token) if self.controller.unattended && self.settings.approval != ApprovalRule::None => {
                Err(EnvironmentError::Approval(format!(
                    "environment `{}` is deployed to by a person, and token `{token}` is marked as unattended",
                    self.environment
                )))
            }
            _ => Ok(()),
        }
    }

    fn check_clock(&self, until: DateTime<Utc>) -> Result<(), EnvironmentError> {
        let fits = until >= self.now + SHORTEST && until <= self.now + LONGEST;
        if fits { Ok(()) } else { Err(EnvironmentError::Clock { until, now: self.now }) }
    }

    fn has_ended(&self, deployment: &Deployment) -> bool {
        deployment.summary.until < self.now
    }
}

/// Whether an author is the bearer of a token, with or without what else he calls himself.
fn is_of(token: &str, who: &str) -> bool {
    match who.strip_prefix(token) {
        Some("") => true,
        Some(rest) => rest.starts_with(" (") && rest.ends_with(')'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors() {
        for (who, fits) in [
            ("ana", true),
            ("ana (ana@pc)", true),
            ("ana@pc", false),
            ("ben", false),
            ("ana-ben", false),
            ("ben (ana)", false),
            ("", false),
        ] {
            assert_eq!(is_of("ana", who), fits, "{who}");
        }
    }
}
