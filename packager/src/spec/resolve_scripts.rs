//! Resolves `[scripts]`, `[[triggers]]` and `[[changelog]]`.

use rpm_header::{ChangelogEntry, Dependency};

use super::dependency::{package, path_prefix};
use super::located::Located;
use super::raw_scripts::{RawChangelogEntry, RawScript, RawScripts, RawTrigger, RawTriggerType};
use super::resolver::{Expand, Resolver};
use super::value::{interpreter, line, noon, paragraphs};
use super::{SpecError, ValueError};
use crate::layout::{Scriptlet, ScriptletKind, Trigger, TriggerKind};

/// Resolves the scripts of a package.
pub(super) fn scripts(resolver: &Resolver<'_>, raw: Option<&RawScripts>) -> Result<Vec<Scriptlet>, SpecError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    let kinds = [
        (ScriptletKind::PreTransaction, "scripts.pretrans", &raw.pretrans),
        (ScriptletKind::PreInstall, "scripts.pre", &raw.pre),
        (ScriptletKind::PostInstall, "scripts.post", &raw.post),
        (ScriptletKind::PreUninstall, "scripts.preun", &raw.preun),
        (ScriptletKind::PostUninstall, "scripts.postun", &raw.postun),
        (ScriptletKind::PostTransaction, "scripts.posttrans", &raw.posttrans),
        (ScriptletKind::Verify, "scripts.verify", &raw.verify),
    ];
    let written = kinds.into_iter().filter_map(|(kind, key, raw)| Some((kind, key, raw.as_ref()?)));
    let resolved = written.map(|(kind, key, raw)| {
        let (interpreter, body) = script(resolver, key, raw)?;
        Ok(Scriptlet { kind, interpreter, body })
    });
    resolved.collect()
}

/// Gives a script's interpreter and its text.
fn script(
    resolver: &Resolver<'_>,
    key: &'static str,
    raw: &Located<RawScript>,
) -> Result<(Vec<String>, String), SpecError> {
    let refused = |reason| SpecError::Value { location: resolver.file.location(raw.span()), key, reason };
    let table = match raw.value() {
        RawScript::Text(text) => {
            let body = resolver.expanded(key, text, raw.span())?;
            return Ok((shell(), checked(&body).map_err(refused)?));
        }
        RawScript::Table(table) => table,
    };
    let interpreter = resolver.optional_as(key, table.interpreter.as_ref(), interpreter)?.unwrap_or_else(shell);
    let body = match (&table.body, &table.file) {
        (Some(body), None) => resolver.resolved(key, body)?.value,
        (None, Some(file)) => resolver.file_text(&resolver.resolved(key, file)?, Expand::of(table.expand.as_ref()))?,
        _ => return Err(refused(ValueError::ScriptSource)),
    };
    Ok((interpreter, checked(&body).map_err(refused)?))
}

fn shell() -> Vec<String> {
    vec!["/bin/sh".to_owned()]
}

fn checked(body: &str) -> Result<String, ValueError> {
    let body = paragraphs(body)?;
    if body.is_empty() { Err(ValueError::Empty) } else { Ok(body) }
}

/// Resolves one trigger.
pub(super) fn trigger(resolver: &Resolver<'_>, located: &Located<RawTrigger>) -> Result<Trigger, SpecError> {
    let raw = located.value();
    let refused =
        |reason| Err(SpecError::Value { location: resolver.file.location(located.span()), key: "triggers", reason });
    let kind = TriggerKind::from(raw.kind);
    let read: fn(&str) -> Result<Dependency, ValueError> = if kind.is_of_files() { path_prefix } else { package };
    let watches = resolver.list("triggers.watches", &raw.watches, read)?;
    if watches.is_empty() {
        return refused(ValueError::TriggerWatches);
    }
    if raw.priority.is_some() && !kind.is_of_files() {
        return refused(ValueError::TriggerPriority);
    }
    let (interpreter, body) = script(resolver, "triggers.script", &raw.script)?;
    Ok(Trigger { kind, watches, interpreter, body, priority: raw.priority.as_ref().map(|priority| *priority.value()) })
}

impl From<RawTriggerType> for TriggerKind {
    fn from(raw: RawTriggerType) -> Self {
        match raw {
            RawTriggerType::TriggerPreIn => Self::PreInstall,
            RawTriggerType::TriggerIn => Self::Install,
            RawTriggerType::TriggerUn => Self::Uninstall,
            RawTriggerType::TriggerPostUn => Self::PostUninstall,
            RawTriggerType::FileTriggerIn => Self::FileInstall,
            RawTriggerType::FileTriggerUn => Self::FileUninstall,
            RawTriggerType::FileTriggerPostUn => Self::FilePostUninstall,
            RawTriggerType::TransFileTriggerIn => Self::TransactionFileInstall,
            RawTriggerType::TransFileTriggerUn => Self::TransactionFileUninstall,
            RawTriggerType::TransFileTriggerPostUn => Self::TransactionFilePostUninstall,
        }
    }
}

/// Resolves the changelog, newest first.
pub(super) fn changelog(
    resolver: &Resolver<'_>,
    raw: &[Located<RawChangelogEntry>],
) -> Result<Vec<ChangelogEntry>, SpecError> {
    let mut entries = raw.iter().map(|entry| change(resolver, entry.value())).collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.time));
    Ok(entries)
}

fn change(resolver: &Resolver<'_>, raw: &RawChangelogEntry) -> Result<ChangelogEntry, SpecError> {
    let time = resolver.resolved("changelog.date", &raw.date)?.read(noon)?;
    let author = resolver.resolved("changelog.author", &raw.author)?.read(line)?;
    let version = resolver.optional_as("changelog.version", raw.version.as_ref(), line)?;
    let changes = resolver.list("changelog.changes", &raw.changes, paragraphs)?;
    let text: Vec<_> = changes.iter().map(|change| format!("- {}", change.replace('\n', "\n  "))).collect();
    Ok(ChangelogEntry {
        author: version.map_or_else(|| author.clone(), |version| format!("{author} - {version}")),
        time,
        text: text.join("\n"),
    })
}
