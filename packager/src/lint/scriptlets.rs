//! Scriptlets that restart services, or that undo things at an upgrade as well.

use super::subject::Script;
use super::{Finding, Lint, Subject};

/// What a service is brought down by; a mere `stop` is due when a package is erased.
const RESTARTING: [&str; 8] = [
    "restart",
    "try-restart",
    "reload-or-restart",
    "reload-or-try-restart",
    "condrestart",
    "start",
    "mark-restart-system-units",
    "mark-restart",
];
const SERVICE_COMMANDS: [&str; 5] =
    ["systemctl", "service", "rc-service", "deb-systemd-invoke", "systemd-update-helper"];
const TOMCAT_SCRIPTS: [&str; 3] = ["startup.sh", "shutdown.sh", "catalina.sh"];
const UNDOING: [&str; 8] =
    ["rm -r", "rm -f", "userdel", "groupdel", "systemctl stop", "systemctl disable", "dropdb", "--remove"];

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for script in subject.scripts.iter().filter(|script| is_shell(script)) {
        let mut lines = commands(script.body);
        if let Some((number, _)) = lines.find(|(_, line)| restarts(script.name, line)) {
            findings.push(Finding::new(Lint::ServiceRestart, format!("{}, line {number}", script.name)));
        }
        let looks = script.body.contains("$1") || script.body.contains("${1");
        let undoes = |line: &str| UNDOING.iter().any(|command| line.contains(command));
        let is_removal = matches!(script.name, "%preun" | "%postun");
        let undoing = commands(script.body).find(|(_, line)| undoes(line));
        if let (true, false, Some((number, _))) = (is_removal, looks, undoing) {
            findings.push(Finding::new(Lint::UpgradeBlindScriptlet, format!("{}, line {number}", script.name)));
        }
    }
    findings
}

fn is_shell(script: &Script<'_>) -> bool {
    script.interpreter.rsplit('/').next().is_some_and(|name| name.ends_with("sh"))
}

/// Lines with their numbers, without comments and empty ones.
fn commands(body: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = body.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn restarts(script: &str, line: &str) -> bool {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || ";&|()\"'".contains(c)).collect();
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let command = words.iter().position(|word| SERVICE_COMMANDS.contains(&name(word).as_str()));
    let by_init_script = words.iter().position(|word| word.starts_with("/etc/init.d/"));
    let brings_down = |word: &&str| RESTARTING.contains(word) || (*word == "stop" && !script.ends_with("un"));
    let after = command.or(by_init_script).map(|index| &words[index + 1..]);
    after.is_some_and(|words| words.iter().any(brings_down))
        || words.iter().any(|word| TOMCAT_SCRIPTS.contains(&name(word).as_str()))
}
