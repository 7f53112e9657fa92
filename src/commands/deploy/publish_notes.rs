//! Publishing release notes once a deployment is done, to where the environment says.

use std::collections::BTreeMap;

use deployer::{Ending, Environment, NotesAudience, NotesDestination, NotesPlace, Report};
use nevra::{Evr, Name, Nevra};
use release_notes::{Audience, Destination, Line, Occasion, Place, ReleaseNotes};
use repo_api::Client;

use super::super::connection::read_token;
use super::locate::repository_server;
use super::plan_notes::channel_of;
use crate::render::{Printer, printable};

/// What a deployment did to a package, over all hosts: from the oldest version that any had to the newest that any has, or,
/// where it went back, the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Move {
    /// What was there; none where a host had nothing.
    from: Option<Evr>,
    to: Nevra,
}

/// Publishes the notes of what a deployment brought, or took back, if it is done. It never fails a deployment: what could not
/// be published is a warning.
pub(crate) async fn publish_notes(environment: &Environment, report: &Report, printer: &Printer) {
    if environment.notes.is_empty() || report.ending != Ending::Done {
        return;
    }
    let moves = moves(report);
    if moves.is_empty() {
        return;
    }
    let Some(server) = repository_server(environment) else {
        printer.warning("release notes were not published: no repository server is named that has them");
        return;
    };
    for moved in moves.into_values() {
        let to = moved.to.clone();
        if let Err(error) = publish(environment, server, moved, report, printer).await {
            printer.warning(&printable(&format!("release notes of {to} were not published: {error:#}")));
        }
    }
}

fn moves(report: &Report) -> BTreeMap<Name, Move> {
    let mut moves: BTreeMap<Name, Move> = BTreeMap::new();
    for host in &report.hosts {
        for to in host.now.iter().flatten().filter(|now| !host.before.contains(now)) {
            let from = host.before.iter().find(|before| before.name == to.name).map(|before| before.evr.clone());
            match moves.get_mut(&to.name) {
                None => drop(moves.insert(to.name.clone(), Move { from, to: to.clone() })),
                Some(known) => {
                    // A host that had an older version has most to read; one that had nothing needs no history.
                    let is_further = match (&from, &known.from) {
                        (Some(one), Some(other)) if one.compare(&to.evr).is_lt() => one.compare(other).is_lt(),
                        (Some(one), Some(other)) => one.compare(other).is_gt(),
                        (Some(_), None) => true,
                        _ => false,
                    };
                    if is_further {
                        known.from = from;
                    }
                }
            }
        }
    }
    moves
}

async fn publish(
    environment: &Environment,
    server: &str,
    moved: Move,
    report: &Report,
    printer: &Printer,
) -> anyhow::Result<()> {
    let wanted = |one: &&NotesDestination| one.package.as_ref().is_none_or(|package| *package == moved.to.name);
    let destinations: Vec<&NotesDestination> = environment.notes.iter().filter(wanted).collect();
    if destinations.is_empty() {
        return Ok(());
    }
    let token = read_token(None, "PKG_TOKEN").map_err(|failure| failure.error)?;
    let client = Client::new(server, token.as_deref())?;
    let Some((notes, taken_back)) = notes(&client, environment.name.as_str(), &moved).await? else {
        printer.detail(&format!("{} carries no release notes to publish", moved.to));
        return Ok(());
    };
    let occasion =
        Occasion { environment: environment.name.to_string(), deployment: report.deployment.to_string(), taken_back };
    for destination in destinations {
        let destination = resolved(destination, &moved.to)?;
        match destination.publish(&notes, &occasion).await {
            Ok(false) => printer.detail(&format!("{} has nothing to tell for {}", moved.to, destination.place)),
            Ok(true) => {
                printer.talk(&printable(&format!("release notes of {} published to {}", moved.to, destination.place)))
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                let text =
                    format!("release notes of {} were not published to {}: {error:#}", moved.to, destination.place);
                printer.warning(&printable(&text));
            }
        }
    }
    Ok(())
}

/// The notes of what came, or of what was taken back and by which version's name.
async fn notes(
    client: &Client,
    environment: &str,
    moved: &Move,
) -> anyhow::Result<Option<(ReleaseNotes, Option<Line>)>> {
    let Move { from, to } = moved;
    let Some(channel) = channel_of(client, environment, to).await? else { return Ok(None) };
    let taken_back = from.as_ref().filter(|from| from.compare(&to.evr).is_gt());
    let between = match taken_back {
        Some(newer) => (Some(&to.evr), newer),
        None => (from.as_ref(), &to.evr),
    };
    let versions = client.release_notes(&channel, &to.name, between).await?.versions;
    let carried = versions.into_iter().filter_map(|version| version.notes);
    let carried = carried.map(|notes| ReleaseNotes::from_json(&notes.to_string())).collect::<Result<Vec<_>, _>>()?;
    let Some(mut notes) = ReleaseNotes::together(carried) else { return Ok(None) };
    let Some(newer) = taken_back else { return Ok(Some((notes, None))) };
    let name = |evr: &Evr| Line::new(&format!("{} {evr}", to.name));
    let gone = notes.version.clone().unwrap_or_else(|| name(newer));
    // The head is that of what runs now.
    (notes.version, notes.build, notes.date) = (Some(Line::new(&to.evr.to_string())), None, None);
    Ok(Some((notes, Some(gone))))
}

fn resolved(destination: &NotesDestination, package: &Nevra) -> anyhow::Result<Destination> {
    let audience = match destination.audience {
        NotesAudience::Internal => Audience::Internal,
        NotesAudience::Customer => Audience::Customer,
    };
    let place = match &destination.place {
        NotesPlace::File(path) => {
            let path = path.display().to_string();
            let version = package.evr.to_string();
            Place::File(path.replace("{package}", package.name.as_str()).replace("{version}", &version).into())
        }
        // The address is a secret, which no message names.
        NotesPlace::Webhook(url) => {
            let address = url.clone().try_into();
            Place::Webhook(address.map_err(|_| anyhow::anyhow!("the URL of its web hook is no address"))?)
        }
        NotesPlace::Command(command) => Place::Command(command.clone()),
    };
    Ok(Destination { audience, place })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use deployer::HostReport;

    use super::*;

    fn host(before: &[&str], now: &[&str]) -> HostReport {
        let packages = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<Nevra>>();
        HostReport {
            host: "web1".parse().unwrap(),
            before: packages(before),
            now: Some(packages(now)),
            service: None,
            balancers: Vec::new(),
            settled: true,
            out_of_balancer: Vec::new(),
        }
    }

    fn found(hosts: Vec<HostReport>) -> Vec<(Option<String>, String)> {
        let (deployment, ending) = ("D-0001".parse().unwrap(), Ending::Done);
        let report = Report { deployment, ending, reason: None, hosts, left_out: Vec::new() };
        moves(&report).into_values().map(|one| (one.from.map(|from| from.to_string()), one.to.to_string())).collect()
    }

    #[test]
    fn the_longest_way_is_told_of() {
        let row = |from: Option<&str>, to: &str| vec![(from.map(str::to_owned), to.to_owned())];
        let (old, older, new) = ("shop-2-1.noarch", "shop-1-1.noarch", "shop-3-1.noarch");
        assert_eq!(found(vec![host(&[old], &[new]), host(&[older], &[new])]), row(Some("1-1"), new));
        assert_eq!(found(vec![host(&[], &[new]), host(&[old], &[new])]), row(Some("2-1"), new));
        assert_eq!(found(vec![host(&[old], &[older]), host(&[new], &[older])]), row(Some("3-1"), older));
        assert_eq!(found(vec![host(&[], &[new])]), row(None, new));
        assert!(found(vec![host(&[new], &[new])]).is_empty());
    }
}
