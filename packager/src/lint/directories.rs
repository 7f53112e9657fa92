//! Directories: whose they are, and whether anybody's; and files of `/etc` that are not marked as configuration.

use std::collections::BTreeSet;

use super::subject::{SubjectFile, SubjectKind};
use super::{Finding, Lint, Subject};
use crate::known_directories::{is_known, is_local, is_system};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &subject.files {
        let quoted = || format!("`{}`", file.path);
        if is_system(file.path) {
            findings.push(Finding::new(Lint::SystemDirectory, quoted()));
        } else if is_local(file.path) {
            findings.push(Finding::new(Lint::LocalDirectory, quoted()));
        }
        if is_unmarked_configuration(file) {
            findings.push(Finding::new(Lint::UnmarkedConfiguration, quoted()));
        }
    }
    let unowned = unowned(subject).into_iter();
    findings.extend(unowned.map(|directory| Finding::new(Lint::UnownedDirectory, format!("`{directory}`"))));
    findings
}

fn is_unmarked_configuration(file: &SubjectFile<'_>) -> bool {
    file.path.starts_with("/etc/") && file.kind == SubjectKind::Regular && !file.is_config && !file.is_ghost
}

/// The directories above the package's files that neither it nor any package that is known owns.
fn unowned<'a>(subject: &Subject<'a>) -> BTreeSet<&'a str> {
    let mut unowned = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for file in &subject.files {
        let mut path = file.path;
        while let Some((parent, _)) = path.rsplit_once('/') {
            if parent.is_empty() || !seen.insert(parent) {
                break;
            }
            let is_owned = subject.file(parent).is_some_and(|owned| owned.kind == SubjectKind::Directory);
            if !is_owned && !is_known(parent) && !is_local(parent) {
                unowned.insert(parent);
            }
            path = parent;
        }
    }
    unowned
}
