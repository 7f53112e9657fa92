//! A chain as people read it: from the host downwards, one link to a line.

use repo_api::{ChannelName, DeploymentSummary, LogEntry};

use super::package::{Build, PackageStory};
use super::{Chain, Reason};
use crate::render::printable;

/// The lines of a chain.
pub(super) fn lines(chain: &Chain) -> Vec<String> {
    let mut lines = vec![format!("{} in {}", printable(&chain.host), chain.environment)];
    if !chain.settled {
        lines.push("  out of service: its last deployment did not come to its end there".to_owned());
    }
    if let Some(sighting) = &chain.sighting {
        let drift = sighting.drift.as_deref().map_or_else(|| "nothing differs".to_owned(), printable);
        lines.push(format!("  seen {} by {}: {drift}", sighting.at.format("%FT%TZ"), printable(&sighting.by)));
    }
    if chain.packages.is_empty() {
        lines.push("  runs nothing of what is deployed".to_owned());
    }
    lines.extend(chain.packages.iter().flat_map(reason));
    lines
}

fn reason(reason: &Reason) -> Vec<String> {
    let mut lines = vec![format!("  {}", reason.nevra)];
    let mut say = |what: &str, text: String| lines.push(format!("    {what:<9}  {text}"));
    match &reason.deployment {
        Some(deployment) => {
            say("deployed", deployed(deployment));
            if !deployment.approved_by.is_empty() {
                say("approved", format!("by {}", printable(&deployment.approved_by.join(", "))));
            }
        }
        None => say("deployed", "by no deployment that is known: it was there before".to_owned()),
    }
    for entry in &reason.package.history {
        say(&entry.action, done(entry));
    }
    for (what, text) in origin(&reason.package) {
        say(what, text);
    }
    lines
}

fn deployed(deployment: &DeploymentSummary) -> String {
    let DeploymentSummary { id, action, who, last, ending, why, .. } = deployment;
    let ending = ending.as_deref().unwrap_or("running").replace('_', " ");
    let mut text = format!(
        "{} ({}), {}, {} by {}",
        printable(id),
        printable(action),
        printable(&ending),
        last.format("%FT%TZ"),
        printable(who)
    );
    text.push_str(&because(why.as_deref()));
    text
}

fn done(entry: &LogEntry) -> String {
    let channels: Vec<&str> = entry.channels.iter().map(ChannelName::as_str).collect();
    let preposition = if entry.action == "withdrawn" { "from" } else { "to" };
    let mut text = format!("{preposition} {}", channels.join(", "));
    if let Some(detail) = &entry.detail {
        text.push_str(&format!(" {}", printable(detail)));
    }
    text.push_str(&format!(", {} by {}", entry.at.format("%FT%TZ"), printable(&entry.who)));
    text.push_str(&because(entry.why.as_deref()));
    text.push_str(&format!(", commit {}", entry.commit));
    text
}

fn because(why: Option<&str>) -> String {
    why.map(|why| format!(": {}", printable(why))).unwrap_or_default()
}

/// What is known of the file itself.
fn origin(package: &PackageStory) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    match (package.sha256, package.bytes_match) {
        (Some(sha256), Some(true)) => lines.push(("file", format!("sha256 {sha256}"))),
        (Some(sha256), _) => lines.push(("file", format!("is not what the ledger names: sha256 {sha256}"))),
        (None, _) => lines.push(("file", "not in the repository any longer: nothing more is known of it".to_owned())),
    }
    if let Some(build) = &package.build {
        lines.push(("built", built(build)));
        let page = [&build.number, &build.page].into_iter().flatten().cloned().collect::<Vec<_>>().join("  ");
        let page = Some(page).filter(|page| !page.is_empty());
        let parts = [("commit", &build.commit), ("sources", &build.sources), ("build", &page)];
        lines.extend(parts.into_iter().filter_map(|(what, text)| Some((what, printable(text.as_ref()?)))));
    }
    for ticket in &package.tickets {
        let url = ticket.url.as_ref().map(|url| format!("  {}", printable(url))).unwrap_or_default();
        lines.push(("ticket", format!("{}{url}", printable(&ticket.id))));
    }
    lines.extend(package.commits.iter().map(|commit| ("change", printable(commit))));
    lines
}

fn built(build: &Build) -> String {
    let at = build.at.map_or_else(|| "at a time that is not told".to_owned(), |at| at.format("%FT%TZ").to_string());
    build.host.as_ref().map(|host| format!("{at} on {}", printable(host))).unwrap_or(at)
}
