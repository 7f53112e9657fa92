//! The order in which the scriptlets and triggers of two packages run when one replaces the other, and their first
//! argument: as measured with rpm 4.18; `%preuntrans` and `%postuntrans` as rpm’s manual (`man 7 rpm-scriptlets`) has it.

use rpm_header::{PackageHeader, Trigger};
use serde::Serialize;

/// One script that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScriptRun {
    /// The NEVRA of the package it comes from.
    pub package: String,
    /// Its name, such as `%post`.
    pub script: &'static str,
    /// `$1`; none for triggers, whose arguments count other packages.
    pub argument: Option<u8>,
    /// What a trigger watches, or what else has to be so; none where it runs in any case.
    pub condition: Option<String>,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The package that goes.
    From,
    /// The package that comes.
    To,
}

const ORDER: [(Side, &str); 18] = [
    (Side::To, "%pretrans"),
    (Side::From, "%preuntrans"),
    (Side::From, "%transfiletriggerun"),
    (Side::To, "%triggerprein"),
    (Side::To, "%pre"),
    // Here the files come.
    (Side::To, "%filetriggerin"),
    (Side::To, "%post"),
    (Side::To, "%triggerin"),
    (Side::From, "%filetriggerun"),
    (Side::From, "%triggerun"),
    (Side::From, "%preun"),
    // Here the files go that the other package does not have.
    (Side::From, "%filetriggerpostun"),
    (Side::From, "%postun"),
    (Side::To, "%triggerpostun"),
    (Side::To, "%posttrans"),
    (Side::From, "%postuntrans"),
    (Side::To, "%transfiletriggerpostun"),
    (Side::To, "%transfiletriggerin"),
];

pub(super) fn of(from: &PackageHeader, to: &PackageHeader) -> Vec<ScriptRun> {
    let mut runs = Vec::new();
    for (side, script) in ORDER {
        // Of the package that goes one instance stays behind, so to say: the other version.
        let (package, argument) = match side {
            Side::From => (from, 1),
            Side::To => (to, 2),
        };
        let name = || package.nevra.to_string();
        let condition = || script.ends_with("untrans").then(|| "rpm 4.19 or newer".to_owned());
        let scriptlets = package.scriptlets.iter().filter(|scriptlet| scriptlet.name == script);
        runs.extend(scriptlets.map(|_| ScriptRun {
            package: name(),
            script,
            argument: Some(argument),
            condition: condition(),
        }));
        let triggers = package.triggers.iter().filter(|trigger| trigger.name == script);
        runs.extend(triggers.map(|trigger| ScriptRun {
            package: name(),
            script,
            argument: None,
            condition: Some(watches(trigger)),
        }));
    }
    runs
}

fn watches(trigger: &Trigger) -> String {
    let watched: Vec<String> = trigger.watches.iter().map(|watched| format!("`{watched}`")).collect();
    let watched = watched.join(" or ");
    if trigger.name.contains("file") {
        return format!("files below {watched}");
    }
    match trigger.name {
        "%triggerpostun" => format!("{watched} goes in the same transaction"),
        _ => format!("{watched} is there"),
    }
}
