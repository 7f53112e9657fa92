//! Units of systemd, system users and temporary files: what is installed for them, and the standard scriptlets.

use rpm_header::Dependency;

use super::{Entry, EntryKind, Placed, Scriptlet, ScriptletKind, Source, Standing};
use crate::spec::Unit;
use crate::{PackageSpec, SourceDate};

/// The files of sysusers.d(5) and tmpfiles.d(5).
pub(super) fn entries(spec: &PackageSpec, source_date: SourceDate) -> Vec<Placed> {
    let mut placed = Vec::new();
    let mut add = |path: String, lines: Vec<String>| {
        let text = lines.iter().map(|line| format!("{line}\n")).collect();
        let entry = Entry::new(path, EntryKind::File(Source::Text(text)), 0o644, source_date.seconds());
        placed.push(Placed { entry, origin: Some(spec.location.clone()), standing: Standing::Named });
    };
    if !spec.users.is_empty() {
        let line = |user: &crate::spec::SystemUser| {
            format!("u {} - \"{}\" {} {}", user.name, user.comment, user.home, user.shell)
        };
        add(format!("/usr/lib/sysusers.d/{}.conf", spec.name()), spec.users.iter().map(line).collect());
    }
    if !spec.tmpfiles.is_empty() {
        add(tmpfiles(spec), spec.tmpfiles.clone());
    }
    placed
}

/// What has to be there before the users are made.
pub(super) fn requires(spec: &PackageSpec) -> Option<Dependency> {
    // RPMSENSE_SCRIPT_PRE (rpm's `include/rpm/rpmds.h`).
    let needed = Dependency { name: "shadow-utils".to_owned(), flags: 1 << 9, version: String::new() };
    (!spec.users.is_empty()).then_some(needed)
}

/// The scriptlets. Users are made before the files that they own are installed, which no rpm before 4.19 does from
/// sysusers.d. Units are preset and, when the package is erased, stopped; nothing is ever restarted.
pub(super) fn scriptlets(spec: &PackageSpec) -> Vec<Scriptlet> {
    let mut scriptlets = Vec::new();
    let mut add = |kind, body: String| scriptlets.push(Scriptlet::shell(kind, body));
    for user in &spec.users {
        let (name, home, shell) = (quote(&user.name), quote(user.home.as_str()), quote(user.shell.as_str()));
        let comment = quote(&user.comment);
        add(
            ScriptletKind::PreInstall,
            format!(
                "getent group {name} >/dev/null || groupadd -r {name} || exit 1\n\
                 getent passwd {name} >/dev/null || \
                 useradd -r -M -g {name} -d {home} -s {shell} -c {comment} {name} || exit 1"
            ),
        );
    }
    if !spec.tmpfiles.is_empty() {
        let path = quote(&tmpfiles(spec));
        add(ScriptletKind::PostInstall, format!("systemd-tmpfiles --create {path} >/dev/null 2>&1 || :"));
    }
    let own = spec.units.iter().filter_map(|unit| match unit {
        Unit::Own(name) => Some(quote(name)),
        Unit::DropIn(_) => None,
    });
    let own = own.collect::<Vec<_>>().join(" ");
    if !own.is_empty() {
        let preset = format!("systemctl --no-reload preset {own} >/dev/null 2>&1 || :");
        add(ScriptletKind::PostInstall, format!("if [ \"$1\" -eq 1 ]; then\n    {preset}\nfi"));
        let stop = format!("systemctl --no-reload disable --now {own} >/dev/null 2>&1 || :");
        add(ScriptletKind::PreUninstall, format!("if [ \"$1\" -eq 0 ]; then\n    {stop}\nfi"));
    }
    if !spec.units.is_empty() {
        let reload = "if [ -d /run/systemd/system ]; then\n    systemctl daemon-reload >/dev/null 2>&1 || :\nfi";
        add(ScriptletKind::PostUninstall, reload.to_owned());
        add(ScriptletKind::PostTransaction, reload.to_owned());
    }
    scriptlets
}

fn tmpfiles(spec: &PackageSpec) -> String {
    format!("/usr/lib/tmpfiles.d/{}.conf", spec.name())
}

/// Quotes a word for the shell.
pub(super) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
