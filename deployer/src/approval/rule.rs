//! The rule: what has to be typed, or why nothing helps. A pure function, so that a table can hold all of it.

use crate::Approval;

/// What is given towards an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given<'a> {
    /// Whether somebody sits at a terminal.
    pub terminal: bool,
    /// Whether `--yes` was given.
    pub yes: bool,
    /// Whether the change goes to a version that a person named, rather than back or on from where another ended.
    pub fresh: bool,
    /// Why the environment is closed now, if it is.
    pub closed: Option<&'a str>,
    /// Why it is to go on all the same (`--despite-freeze`).
    pub despite: Option<&'a str>,
    /// How many different people signed the plan's digest, the one who deploys among them.
    pub people: usize,
    /// Whether two people agreed to this deployment already, before it was interrupted.
    pub agreed: bool,
    /// Whether packages say that there is no way back from it, or that they can't go where it goes.
    pub beyond: bool,
    /// Whether it is to be done all the same (`--no-way-back`).
    pub no_way_back: bool,
}

/// What has to be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Nothing.
    Nothing,
    /// `y`.
    Yes,
    /// The environment's name.
    Name,
}

/// Says why a plan is not approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not now.
    #[error("environment is closed: {0}; `--despite-freeze REASON` goes on all the same, with a person at a terminal")]
    Closed(String),
    /// Not now, and there is nobody who may say otherwise.
    #[error("environment is closed: {0}; `--despite-freeze` counts with a person at a terminal only")]
    ClosedUnattended(String),
    /// There is no terminal.
    #[error("environment is deployed to by a person at a terminal only; `--yes` does not stand for one")]
    NoPerson,
    /// The packages say that there is no way back, and nobody has said that this is meant.
    #[error(
        "packages say that there is no way back; `--no-way-back` says that it is meant, as does a person at a terminal"
    )]
    NoWayBack,
    /// Too few have signed.
    #[error("two people have to sign the plan, {0} did; `pkg approve ENV --plan FILE` is how another one does")]
    TooFew(usize),
}

/// Gives what has to be typed before a plan is carried out.
///
/// The way back is always open: a rollback, and going on with what was interrupted, are not held up by windows and freezes.
///
/// # Errors
/// [`Refusal`] where nothing that can be typed would do.
pub fn question(approval: Approval, given: Given<'_>) -> Result<Question, Refusal> {
    if let (Some(closed), true) = (given.closed, given.fresh) {
        match (given.despite, given.terminal) {
            (Some(_), true) => {}
            (Some(_), false) => return Err(Refusal::ClosedUnattended(closed.to_owned())),
            (None, _) => return Err(Refusal::Closed(closed.to_owned())),
        }
    }
    let despite = given.closed.is_some() && given.fresh;
    let aloud = given.beyond && !given.no_way_back;
    match approval {
        Approval::Person | Approval::Two if !given.terminal => Err(Refusal::NoPerson),
        Approval::Two if given.people < 2 && !given.agreed => Err(Refusal::TooFew(given.people)),
        Approval::Person | Approval::Two => Ok(Question::Name),
        Approval::None if aloud && !given.terminal => Err(Refusal::NoWayBack),
        Approval::None if despite || aloud => Ok(Question::Name),
        Approval::None if given.terminal && !given.yes => Ok(Question::Yes),
        Approval::None => Ok(Question::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination, held against the rule said in other words.
    #[test]
    fn never_a_silent_pass() {
        let both = [false, true];
        let reasons = [None, Some("x")];
        for approval in [Approval::None, Approval::Person, Approval::Two] {
            for bits in 0..1024 {
                let bit = |index: usize| both[(bits >> index) & 1];
                let given = Given {
                    terminal: bit(0),
                    yes: bit(1),
                    fresh: bit(2),
                    closed: reasons[usize::from(bit(3))],
                    despite: reasons[usize::from(bit(4))],
                    people: usize::from(bit(5)) + usize::from(bit(6)),
                    agreed: bit(7),
                    beyond: bit(8),
                    no_way_back: bit(9),
                };
                let answer = question(approval, given);
                let case = format!("{approval:?} {given:?}");
                let aloud = given.beyond && !given.no_way_back;
                if !given.terminal {
                    let free = approval == Approval::None && !(given.closed.is_some() && given.fresh) && !aloud;
                    assert_eq!(answer == Ok(Question::Nothing), free, "{case}");
                    assert_eq!(answer.is_err(), !free, "{case}");
                    continue;
                }
                if given.fresh && given.closed.is_some() && given.despite.is_none() {
                    assert_eq!(answer, Err(Refusal::Closed("x".to_owned())), "{case}");
                    continue;
                }
                let enough = approval != Approval::Two || given.people == 2 || given.agreed;
                assert_eq!(answer.is_ok(), enough, "{case}");
                if answer == Ok(Question::Nothing) {
                    let open = !(given.fresh && given.closed.is_some());
                    assert!(approval == Approval::None && given.yes && open && !aloud, "{case}");
                }
                if answer == Ok(Question::Yes) {
                    assert!(approval == Approval::None && !given.yes && !aloud, "{case}");
                }
            }
        }
    }

    #[test]
    fn refusals_say_what_helps() {
        let given = Given {
            terminal: true,
            yes: true,
            fresh: true,
            closed: None,
            despite: None,
            people: 1,
            agreed: false,
            beyond: false,
            no_way_back: false,
        };
        for (approval, given, expected) in [
            (Approval::Person, Given { terminal: false, ..given }, "`--yes` does not stand for one"),
            (Approval::None, Given { terminal: false, beyond: true, ..given }, "`--no-way-back` says that it is meant"),
            (Approval::Two, given, "two people have to sign the plan, 1 did"),
            (Approval::None, Given { closed: Some("it is frozen: y"), ..given }, "it is frozen: y; `--despite-freeze"),
            (
                Approval::None,
                Given { closed: Some("z"), despite: Some("r"), terminal: false, ..given },
                "counts with a person at a terminal only",
            ),
        ] {
            let refusal = question(approval, given).unwrap_err().to_string();
            assert!(refusal.contains(expected), "{refusal}");
        }
    }
}
