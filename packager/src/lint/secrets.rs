//! Secrets in files that are at hand: private keys, and passwords in configuration.

use std::io::Read;

use crate::Source;

use super::secret_text::{Secret, find_secrets};
use super::subject::{SubjectFile, SubjectKind};
use super::{Finding, Lint, Subject};

/// What is larger is no configuration that anybody wrote by hand.
const MAX_SIZE: u64 = 1 << 20;

const CONFIGURATION_ENDINGS: [&str; 18] = [
    ".properties",
    ".yaml",
    ".yml",
    ".xml",
    ".json",
    ".toml",
    ".ini",
    ".cfg",
    ".cnf",
    ".conf",
    ".config",
    ".env",
    ".pem",
    ".key",
    ".p8",
    ".asc",
    ".gpg",
    ".netrc",
];

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    subject.files.iter().filter(|file| is_candidate(file)).flat_map(findings).collect()
}

fn is_candidate(file: &SubjectFile<'_>) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or(file.path).to_ascii_lowercase();
    let looks_so = CONFIGURATION_ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.starts_with("id_");
    file.kind == SubjectKind::Regular && (file.is_config || file.path.starts_with("/etc/") || looks_so)
}

fn findings(file: &SubjectFile<'_>) -> Vec<Finding> {
    let Some(text) = file.content.and_then(read) else { return Vec::new() };
    let path = file.path;
    let finding = |secret| match secret {
        Secret::PrivateKey { line } => Finding::new(Lint::PrivateKey, format!("`{path}`, line {line}")),
        Secret::Password { line, key } => Finding::new(Lint::Password, format!("`{path}`, line {line}, key `{key}`")),
    };
    find_secrets(&text).into_iter().map(finding).collect()
}

/// The text of a file that is small enough; bytes that are no UTF-8 don't matter here.
fn read(source: &Source) -> Option<String> {
    match source {
        Source::Text(text) => Some(text.clone()),
        Source::File(_, size) if *size > MAX_SIZE => None,
        Source::File(path, _) => {
            let mut bytes = Vec::new();
            fs_err::File::open(path).ok()?.take(MAX_SIZE).read_to_end(&mut bytes).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}
