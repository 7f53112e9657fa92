//! Who could change what: files that everybody may write, and code that the service may.

use std::collections::BTreeSet;

use super::subject::{SubjectFile, SubjectKind};
use super::{Finding, Lint, Subject};

const CODE_ENDINGS: [&str; 12] =
    [".war", ".jar", ".ear", ".class", ".jsp", ".jspx", ".so", ".sh", ".py", ".pl", ".rb", ".service"];

const STICKY: u16 = 0o1000;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let place =
        |file: &SubjectFile<'_>| format!("`{}` ({:04o} {}:{})", file.path, file.permissions, file.user, file.group);
    let mut findings = Vec::new();
    let code_directories: BTreeSet<&str> =
        subject.files.iter().filter(|file| is_code(file)).filter_map(|file| parent(file.path)).collect();
    for file in &subject.files {
        if is_world_writable(file) {
            findings.push(Finding::new(Lint::WorldWritable, place(file)));
        }
        let holds_code = file.kind == SubjectKind::Directory && code_directories.contains(file.path);
        if (is_code(file) || holds_code) && can_be_changed(file) {
            findings.push(Finding::new(Lint::ServiceOwnedCode, place(file)));
        }
    }
    findings
}

fn is_world_writable(file: &SubjectFile<'_>) -> bool {
    let is_shared_directory = file.kind == SubjectKind::Directory && file.permissions & STICKY != 0;
    let has_permissions = matches!(file.kind, SubjectKind::Directory | SubjectKind::Regular);
    has_permissions && file.permissions & 0o002 != 0 && !is_shared_directory
}

fn is_code(file: &SubjectFile<'_>) -> bool {
    let path = file.path.to_ascii_lowercase();
    let is_executable = file.permissions & 0o111 != 0;
    file.kind == SubjectKind::Regular
        && !file.is_ghost
        && (is_executable || CODE_ENDINGS.iter().any(|ending| path.ends_with(ending)))
}

/// By an account other than root.
fn can_be_changed(file: &SubjectFile<'_>) -> bool {
    let is_anothers = |name: &str| !name.is_empty() && name != "root";
    is_anothers(file.user) || (is_anothers(file.group) && file.permissions & 0o020 != 0)
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}
