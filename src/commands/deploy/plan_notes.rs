//! What a plan brings to its hosts: the notes between each host's own version and the target.

use std::collections::BTreeMap;

use deployer::{Environment, Plan};
use nevra::Nevra;
use repo_api::{ChannelName, Client};

use super::super::connection::read_token;
use super::super::notes::{VersionNotes, notes_between};
use super::locate::repository_server;
use crate::render::Printer;

/// How many lines of one version are shown; the rest is in the package.
const LINES: usize = 40;

/// A change that hosts have in common, which read the same of it.
struct Move<'a> {
    from: Option<&'a Nevra>,
    to: &'a Nevra,
    hosts: Vec<&'a str>,
}

/// The notes of a plan, as lines, if its repository server is known. That they can't be had is a warning: the
/// plan is the same without them.
pub(crate) async fn plan_notes(environment: &Environment, plan: &Plan, printer: &Printer) -> Vec<String> {
    let Some(server) = repository_server(environment) else { return Vec::new() };
    match lines(server, environment, plan).await {
        Ok(lines) => lines,
        Err(error) => {
            printer.warning(&format!("{server} does not tell the release notes: {error:#}"));
            Vec::new()
        }
    }
}

async fn lines(server: &str, environment: &Environment, plan: &Plan) -> anyhow::Result<Vec<String>> {
    let token = read_token(None, "PKG_TOKEN").map_err(|failure| failure.error)?;
    let client = Client::new(server, token.as_deref())?;
    let mut moves: BTreeMap<(String, String), Move<'_>> = BTreeMap::new();
    for host in &plan.hosts {
        for change in host.changes.iter().filter(|change| change.moves()) {
            let from = change.from.as_ref();
            let key = (change.to.to_string(), from.map(Nevra::to_string).unwrap_or_default());
            moves
                .entry(key)
                .or_insert_with(|| Move { from, to: &change.to, hosts: Vec::new() })
                .hosts
                .push(host.host.as_str());
        }
    }
    let mut lines = Vec::new();
    for Move { from, to, hosts } in moves.into_values() {
        let Some(channel) = channel_of(&client, environment.name.as_str(), to).await? else { continue };
        let versions = (from.map(|from| &from.evr), &to.evr);
        let notes = notes_between(&client, &channel, &to.name, versions).await?;
        if notes.is_empty() {
            continue;
        }
        let is_back = from.is_some_and(|from| from.evr.compare(&to.evr).is_gt());
        let word = if is_back { "takes back" } else { "brings" };
        let from = from.map_or_else(|| "nothing".to_owned(), |from| from.evr.to_string());
        lines.push(format!("  {} {from} → {} {word}, on {}:", to.name, to.evr, hosts.join(", ")));
        lines.extend(notes.iter().flat_map(version_lines));
    }
    Ok(lines)
}

fn version_lines(notes: &VersionNotes) -> Vec<String> {
    let mut lines = vec![format!("    {}", notes.evr)];
    lines.extend(notes.lines.iter().take(LINES).map(|line| format!("      {line}").trim_end().to_owned()));
    if notes.lines.len() > LINES {
        lines.push(format!("      … and {} lines more", notes.lines.len() - LINES));
    }
    lines
}

/// A channel that lists the package: the one that is called as the environment, or else any.
pub(super) async fn channel_of(
    client: &Client,
    environment: &str,
    package: &Nevra,
) -> anyhow::Result<Option<ChannelName>> {
    let mut channels: Vec<ChannelName> =
        client.channels().await?.channels.into_iter().map(|channel| channel.name).collect();
    channels.sort_by_key(|channel| channel.as_str() != environment);
    for channel in channels {
        let listed = client.packages(&channel).await?;
        if listed.packages.iter().any(|listed| listed.nevra == *package) {
            return Ok(Some(channel));
        }
    }
    Ok(None)
}
