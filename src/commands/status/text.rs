//! A look at an environment as lines of text: functions from values to values.

use std::collections::BTreeSet;

use nevra::Nevra;

use super::look::{HostStatus, View};
use crate::render::{Tone, printable};

/// A line for each host.
pub(super) fn host_lines(view: &View) -> Vec<String> {
    let width = view.hosts.iter().map(|host| host.host.as_str().len()).max().unwrap_or_default();
    view.hosts.iter().map(|host| line(host, width)).collect()
}

/// A line for each cluster that something stands before.
pub(super) fn cluster_lines(view: &View) -> Vec<String> {
    let clusters = view.sight.clusters.iter();
    clusters
        .map(|(cluster, states)| {
            let said: Vec<String> = states.iter().map(ToString::to_string).collect();
            let place = if states.iter().all(|state| state.serving) { "in" } else { "OUT" };
            format!("cluster {cluster}  {place}  {}", printable(&said.join(" ")))
        })
        .collect()
}

/// How many hosts there are, and how many of them differ.
pub(super) fn summary(view: &View) -> String {
    let differing = view.hosts.iter().filter(|host| !host.drift.is_empty()).count();
    let unknown = view.hosts.iter().filter(|host| host.error.is_some()).count();
    let mut said = vec![format!("{} hosts", view.hosts.len())];
    said.push(match differing {
        0 => "nothing differs".to_owned(),
        1 => "1 differs".to_owned(),
        many => format!("{many} differ"),
    });
    if unknown > 0 {
        said.push(format!("{unknown} unknown"));
    }
    said.join(", ")
}

/// What is drawn over and over on a terminal: the hosts that differ first, as many as there is room for.
pub(super) fn live_lines(
    view: &View,
    last: &str,
    (width, height): (usize, usize),
    paint: &dyn Fn(Tone, &str) -> String,
) -> Vec<String> {
    let name = view.hosts.iter().map(|host| host.host.as_str().len()).max().unwrap_or_default();
    let is_well = |host: &&HostStatus| host.drift.is_empty() && host.error.is_none();
    let (well, unwell): (Vec<&HostStatus>, Vec<&HostStatus>) = view.hosts.iter().partition(is_well);
    let mut lines: Vec<String> = Vec::new();
    for host in unwell {
        lines.push(cut(&line(host, name), width));
        let drift = host.drift.iter().map(|drift| cut(&format!("    {}", printable(&drift.text)), width));
        lines.extend(drift.map(|drift| paint(Tone::Bad, &drift)));
    }
    lines.extend(well.iter().map(|host| cut(&line(host, name), width)));
    let tail = cluster_lines(view).into_iter().chain(view.notes.iter().map(|note| printable(note)));
    let tail: Vec<String> = tail.chain([last.to_owned()]).map(|line| cut(&line, width)).collect();
    let room = height.saturating_sub(tail.len() + 1).max(2);
    if lines.len() > room {
        let hidden = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(cut(&format!("… and {hidden} lines more"), width));
    }
    lines.extend(tail);
    lines
}

fn line(host: &HostStatus, width: usize) -> String {
    let balancers = if host.balancers.is_empty() { "-".to_owned() } else { host.balancers.join(" ") };
    if host.error.is_some() {
        return format!("{:width$}  unknown: it does not answer  balancer {balancers}", host.host);
    }
    let origin = match (&host.deployment, &host.since) {
        (Some(id), Some(since)) => format!("{id} since {}", since.format("%Y-%m-%d %H:%M:%SZ")),
        _ => "not deployed from here".to_owned(),
    };
    let packages = packages(&host.installed);
    format!("{:width$}  {packages}  service {}  balancer {balancers}  {origin}", host.host, host.service)
}

fn packages(packages: &BTreeSet<Nevra>) -> String {
    if packages.is_empty() {
        return "nothing".to_owned();
    }
    packages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Cuts a line to a width, so that it does not wrap: a wrapped one could not be drawn over.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::look::DriftText;
    use super::*;

    fn view(hosts: usize) -> View {
        let host = |number: usize| HostStatus {
            host: format!("web{number:02}").parse().unwrap(),
            installed: ["app-1.0-1.noarch".parse().unwrap()].into(),
            service: "active".to_owned(),
            balancers: vec!["UP".to_owned()],
            deployment: None,
            since: None,
            drift: Vec::new(),
            remarks: Vec::new(),
            error: None,
        };
        let sight = deployer::Sight::default();
        let mut view = View { hosts: (1..=hosts).map(host).collect(), notes: vec!["D-0002 goes on".to_owned()], sight };
        view.hosts[hosts - 1].drift.push(DriftText { kind: "service", text: "the service is \u{1b}dead".to_owned() });
        view
    }

    #[test]
    fn what_differs_is_on_top_however_small_the_terminal() {
        let drawn = |hosts, size| live_lines(&view(hosts), "the end", size, &|_, text| text.to_owned());
        let all = drawn(2, (80, 24));
        assert_eq!(
            all,
            [
                "web02  app-1.0-1.noarch  service active  balancer UP  not deployed from here",
                "    the service is \\u{1b}dead",
                "web01  app-1.0-1.noarch  service active  balancer UP  not deployed from here",
                "D-0002 goes on",
                "the end",
            ]
        );
        let few = drawn(60, (30, 8));
        assert_eq!(few.len(), 7, "{few:?}");
        assert!(few[0].starts_with("web60") && few[4] == "… and 57 lines more", "{few:?}");
        assert!(few.iter().all(|line| line.chars().count() <= 30), "{few:?}");
        assert_eq!(summary(&view(60)), "60 hosts, 1 differs");
    }
}
