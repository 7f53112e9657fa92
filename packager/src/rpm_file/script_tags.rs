//! The tags of scriptlets and triggers (rpm's `build/parseScript.c`), and what they require.

use rpm_header::Dependency;

use crate::{PackageLayout, Scriptlet, ScriptletKind, Trigger, TriggerKind};

use super::dependency_tags::{dependency, order, put_sorted};
use super::section::{Section, Value};
use super::tag::{self, ScriptletTags, TriggerTags};

/// RPMSENSE_INTERP (rpm's `include/rpm/rpmds.h`): the interpreter of a script.
const INTERPRETER: u32 = 1 << 8;

/// rpm's own interpreter.
pub(super) const LUA: &str = "<lua>";

/// What rpm takes for the priority of a file trigger that has none.
const DEFAULT_PRIORITY: u32 = 1_000_000;

/// Puts in the scriptlets and the triggers.
pub(super) fn put(header: &mut Section, layout: &PackageLayout) {
    for scriptlet in &layout.scriptlets {
        put_scriptlet(header, scriptlet);
    }
    for family in [tag::TRIGGERS, tag::FILE_TRIGGERS, tag::TRANSACTION_FILE_TRIGGERS] {
        let triggers = layout.triggers.iter().filter(|one| trigger_tags(one.kind).0.scripts == family.scripts);
        put_triggers(header, family, &triggers.collect::<Vec<_>>());
    }
}

/// The interpreters as dependencies: of a scriptlet, before it is run; rpm's own is none.
pub(super) fn interpreters(layout: &PackageLayout) -> impl Iterator<Item = Dependency> {
    let scriptlets = layout.scriptlets.iter().map(|one| (&one.interpreter, scriptlet_tags(one.kind).1));
    let triggers = layout.triggers.iter().map(|one| (&one.interpreter, 0));
    scriptlets.chain(triggers).filter_map(|(interpreter, sense)| {
        let program = interpreter.first().filter(|program| *program != LUA)?;
        Some(dependency(program, INTERPRETER | sense, ""))
    })
}

/// Tells whether a script is in Lua.
pub(super) fn has_lua(layout: &PackageLayout) -> bool {
    let scriptlets = layout.scriptlets.iter().map(|one| &one.interpreter);
    scriptlets
        .chain(layout.triggers.iter().map(|one| &one.interpreter))
        .any(|words| words.first().is_some_and(|word| word == LUA))
}

/// Tells whether an interpreter is called with arguments.
pub(super) fn has_interpreter_arguments(layout: &PackageLayout) -> bool {
    layout.scriptlets.iter().any(|scriptlet| scriptlet.interpreter.len() > 1)
}

fn put_scriptlet(header: &mut Section, scriptlet: &Scriptlet) {
    let ([body, interpreter], _) = scriptlet_tags(scriptlet.kind);
    if !scriptlet.body.is_empty() {
        header.put(body, Value::text(&scriptlet.body));
    }
    // A text and no list where there is one word: rpm before 4.0.3 knew nothing else.
    let value = match scriptlet.interpreter.as_slice() {
        [program] => Value::text(program),
        words => Value::texts(words.iter().map(String::as_str)),
    };
    header.put(interpreter, value);
}

/// A scriptlet's tags, and the RPMSENSE flag of what it requires.
fn scriptlet_tags(kind: ScriptletKind) -> (ScriptletTags, u32) {
    match kind {
        ScriptletKind::PostTransaction => (tag::POSTTRANS, 1 << 5),
        ScriptletKind::PreTransaction => (tag::PRETRANS, 1 << 7),
        ScriptletKind::PreInstall => (tag::PREIN, 1 << 9),
        ScriptletKind::PostInstall => (tag::POSTIN, 1 << 10),
        ScriptletKind::PreUninstall => (tag::PREUN, 1 << 11),
        ScriptletKind::PostUninstall => (tag::POSTUN, 1 << 12),
        ScriptletKind::Verify => (tag::VERIFYSCRIPT, 1 << 13),
    }
}

/// A trigger's tags, and the RPMSENSE flag of what it watches.
fn trigger_tags(kind: TriggerKind) -> (TriggerTags, u32) {
    const INSTALL: u32 = 1 << 16;
    const UNINSTALL: u32 = 1 << 17;
    const POST_UNINSTALL: u32 = 1 << 18;
    const PRE_INSTALL: u32 = 1 << 25;
    match kind {
        TriggerKind::PreInstall => (tag::TRIGGERS, PRE_INSTALL),
        TriggerKind::Install => (tag::TRIGGERS, INSTALL),
        TriggerKind::Uninstall => (tag::TRIGGERS, UNINSTALL),
        TriggerKind::PostUninstall => (tag::TRIGGERS, POST_UNINSTALL),
        TriggerKind::FileInstall => (tag::FILE_TRIGGERS, INSTALL),
        TriggerKind::FileUninstall => (tag::FILE_TRIGGERS, UNINSTALL),
        TriggerKind::FilePostUninstall => (tag::FILE_TRIGGERS, POST_UNINSTALL),
        TriggerKind::TransactionFileInstall => (tag::TRANSACTION_FILE_TRIGGERS, INSTALL),
        TriggerKind::TransactionFileUninstall => (tag::TRANSACTION_FILE_TRIGGERS, UNINSTALL),
        TriggerKind::TransactionFilePostUninstall => (tag::TRANSACTION_FILE_TRIGGERS, POST_UNINSTALL),
    }
}

fn put_triggers(header: &mut Section, tags: TriggerTags, triggers: &[&Trigger]) {
    header.put(tags.scripts, Value::texts(triggers.iter().map(|one| one.body.as_str())));
    let programs = triggers.iter().map(|one| one.interpreter.first().map_or("", String::as_str));
    header.put(tags.interpreters, Value::texts(programs));
    if let Some(priorities) = tags.priorities {
        let values = triggers.iter().map(|one| one.priority.unwrap_or(DEFAULT_PRIORITY));
        header.put(priorities, Value::Int32(values.collect()));
    }
    let mut watches: Vec<(Dependency, u32)> =
        (0..).zip(triggers).flat_map(|(index, one)| watches(one, index)).collect();
    watches.sort_by(|(left, at), (right, other)| (order(left), at).cmp(&(order(right), other)));
    watches.dedup();
    let (watches, indexes): (Vec<_>, Vec<_>) = watches.into_iter().unzip();
    put_sorted(header, tags.watches, &watches);
    header.put(tags.indexes, Value::Int32(indexes));
}

/// What a trigger watches, with its own number.
fn watches(trigger: &Trigger, index: u32) -> impl Iterator<Item = (Dependency, u32)> {
    let (_, sense) = trigger_tags(trigger.kind);
    trigger.watches.iter().map(move |one| (Dependency { flags: one.flags | sense, ..one.clone() }, index))
}
