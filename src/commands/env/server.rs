//! `pkg env list` and `pkg env show`: what runs where, as the server knows it.

use chrono::{DateTime, Utc};
use repo_api::{Client, DeploymentSummary, HostInfo, TagName};

use super::super::connection::failure;
use super::rules;
use crate::exit::{Exit, Failure};
use crate::render::{Printer, Tone, printable};

/// Lists the environments.
pub(super) async fn list(client: &Client, printer: &Printer) -> Result<Exit, Failure> {
    let list = client.environments().await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&list);
        return Ok(Exit::Done);
    }
    for environment in &list.environments {
        let packages: Vec<String> = environment.packages.iter().map(ToString::to_string).collect();
        let running = environment.running.as_ref().map(|running| format!("  {} runs", running.id)).unwrap_or_default();
        let drifting = match environment.drifting {
            0 => String::new(),
            count => format!("  {}", printer.paint(Tone::Bad, &format!("{count} differ"))),
        };
        let line = format!("{}  {} hosts  {}", environment.name, environment.hosts, packages.join(" "));
        printer.data(&format!("{}{running}{drifting}", line.trim_end()));
    }
    if list.environments.is_empty() {
        printer.talk("there are no environments that your token may watch");
    }
    Ok(Exit::Done)
}

/// Shows an environment.
pub(super) async fn show(
    client: &Client,
    name: &TagName,
    at: Option<DateTime<Utc>>,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let info = client.environment(name, at).await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&info);
        return Ok(Exit::Done);
    }
    for line in rules::lines(&info.settings) {
        printer.talk(&line);
    }
    if let Some(running) = &info.running {
        printer.warning(&unfinished(running));
    }
    let width = info.hosts.iter().map(|host| host.host.len()).max().unwrap_or_default();
    for host in &info.hosts {
        printer.data(&line(host, width));
        let drift = host.sighting.as_ref().and_then(|sighting| Some((sighting, sighting.drift.as_ref()?)));
        if let Some((sighting, drift)) = drift {
            let at = sighting.at.format("%Y-%m-%d %H:%M:%SZ");
            let drift = printer.paint(Tone::Bad, &printable(drift));
            printer.warning(&format!("{} {drift}, as {} saw at {at}", printable(&host.host), printable(&sighting.by)));
        }
    }
    Ok(Exit::Done)
}

fn unfinished(running: &DeploymentSummary) -> String {
    let (id, holder) = (printable(&running.id), printable(&running.holder));
    format!("{id} by {holder} is unfinished; its lease ends {}", running.until.format("%H:%M:%SZ"))
}

fn line(host: &HostInfo, width: usize) -> String {
    let packages: Vec<String> = host.packages.iter().map(ToString::to_string).collect();
    let packages = if packages.is_empty() { "nothing".to_owned() } else { packages.join(" ") };
    let unsure = if host.seen { "" } else { ", not seen afterwards" };
    let settled = if host.settled { "" } else { ", out of service" };
    let (name, id) = (printable(&host.host), printable(&host.deployment));
    format!("{name:width$}  {packages}  {id} since {}{unsure}{settled}", host.since.format("%Y-%m-%d %H:%M:%SZ"))
}
