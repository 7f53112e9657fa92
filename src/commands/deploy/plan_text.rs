//! A plan as a person reads it: from, to, in which order, who is out when, how to go back, what can't go back.

use std::collections::BTreeMap;

use deployer::{Change, HostName, HostPlan, Plan, Stage, WayBack, Work};

use super::host_names::{folded, rows};

/// The plan, as lines.
pub(crate) fn plan_lines(plan: &Plan) -> Vec<String> {
    let mut lines = host_lines(plan);
    for host in &plan.left_out {
        lines.push(format!("  {host}: left out; nobody looks at it, it keeps what it has"));
    }
    let many = plan.stages.len() > 1 || plan.stages.iter().any(|stage| stage.cluster.is_some() || stage.outage);
    let mut number = 0;
    for (index, stage) in plan.stages.iter().enumerate() {
        if many {
            lines.push(stage_line(plan, stage, index));
        }
        for batch in &stage.batches {
            number += 1;
            let hosts: Vec<&HostName> = batch.iter().collect();
            let steps = batch.first().and_then(|host| plan.host(host)).map_or(&[][..], HostPlan::steps);
            let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
            let indent = if many { "    " } else { "  " };
            lines.push(format!("{indent}batch {number}: {}: {}", folded(&hosts), steps.join(" → ")));
        }
        if stage.soak_milliseconds > 0 {
            lines.push(format!("    then watched for {} s", stage.soak().as_secs_f64()));
        }
        if let Some(other) = &stage.hands_over_from {
            lines.push(format!("    comes back at the moment at which cluster {other} is taken out"));
        }
    }
    lines.extend(way_back_line(plan));
    lines
}

/// What is done on each host; once for many of which the same is to be said.
fn host_lines(plan: &Plan) -> Vec<String> {
    let width = plan.hosts.iter().map(|host| host.host.as_str().len()).max().unwrap_or_default();
    let same = plan.hosts.chunk_by(|left, right| host_texts(left) == host_texts(right));
    let mut lines = Vec::new();
    for hosts in same {
        let names: Vec<&HostName> = hosts.iter().map(|host| &host.host).collect();
        let texts = hosts.first().map(host_texts).unwrap_or_default();
        for name in rows(&names) {
            lines.extend(texts.iter().enumerate().map(|(index, text)| {
                let name = if index == 0 { name.as_str() } else { "" };
                format!("  {name:width$}  {text}")
            }));
        }
    }
    lines
}

fn host_texts(host: &HostPlan) -> Vec<String> {
    let changes: Vec<String> = host
        .changes
        .iter()
        .map(|change| match &change.from {
            Some(from) if change.moves() => {
                format!("{} {} {} → {}", change.verb, change.to.name, from.evr, change.to.evr)
            }
            Some(_) => format!("has {}", change.to),
            None => format!("{} {}", change.verb, change.to),
        })
        .collect();
    let work = match host.work {
        Work::Nothing if host.changes.is_empty() => "nothing to do",
        Work::Nothing => "nothing to do: ",
        Work::Restart => "restart, check, put back: ",
        Work::Change => "",
    };
    let mut texts = vec![format!("{work}{}", changes.join(", "))];
    texts.extend(host.changes.iter().filter(|change| change.moves()).filter_map(warning));
    texts
}

/// What has to be said aloud of a change.
fn warning(change: &Change) -> Option<String> {
    match (change.way_back, &change.from, &change.beyond) {
        (WayBack::Refused, _, Some(oldest)) => {
            Some(format!("NO WAY BACK: {} says that it can go back to {oldest} at most", change.to))
        }
        (_, Some(from), Some(oldest)) => {
            Some(format!("AGAINST THE PACKAGE'S WORD: {from} says that it can go back to {oldest} at most"))
        }
        (WayBack::Offered, ..) => None,
        (lost, ..) => Some(format!("NO WAY BACK: {lost}")),
    }
}

fn stage_line(plan: &Plan, stage: &Stage, index: usize) -> String {
    let number = index + 1;
    let title = &stage.title;
    if stage.outage {
        return format!("  stage {number}: {title}: AN OUTAGE: nothing serves from the first stop to the last start");
    }
    if stage.cluster.is_none() {
        return format!("  stage {number}: {title}");
    }
    let handed = index > 0 && plan.stages[index - 1].hands_over_from == stage.cluster;
    let out = if handed { "is out already" } else { "is taken out as a whole" };
    format!("  stage {number}: {title}: {out}; the others carry all of the load")
}

/// How to go back, once it is done: by which versions, and where that can't be.
fn way_back_line(plan: &Plan) -> Option<String> {
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    let mut lost = 0;
    for host in plan.hosts.iter().filter(|host| host.changes.iter().any(deployer::Change::moves)) {
        if !host.has_way_back() {
            lost += 1;
            continue;
        }
        let from: Vec<String> = host
            .changes
            .iter()
            .filter(|change| change.moves())
            .filter_map(|change| change.from.as_ref().map(ToString::to_string))
            .collect();
        *versions.entry(from.join(" ")).or_default() += 1;
    }
    let mut ways: Vec<String> =
        versions.iter().map(|(versions, hosts)| format!("to {versions} on {}", hosts_text(*hosts))).collect();
    if lost > 0 {
        ways.push(format!("NOT on {}", hosts_text(lost)));
    }
    (!ways.is_empty()).then(|| format!("  way back (`pkg rollback {}`): {}", plan.environment, ways.join(", ")))
}

fn hosts_text(count: usize) -> String {
    if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn many_hosts_of_which_the_same_is_said_are_one_line() {
        let host = |number: usize, from: &str, way_back: &str| {
            let change = json!({ "from": from, "to": "app-2-1.noarch", "verb": "upgrade", "way_back": way_back });
            json!({ "host": format!("web{number:02}"), "work": "change", "changes": [change] })
        };
        let hosts: Vec<Value> = (1..=12)
            .map(|number| host(number, "app-1-1.noarch", "offered"))
            .chain([host(13, "app-0-1.noarch", "not_offered"), host(14, "app-1-1.noarch", "offered")])
            .collect();
        let names: Vec<&Value> = hosts.iter().map(|host| &host["host"]).collect();
        let stages = json!([{ "title": "rolling", "batches": [names[..12], names[12..]] }]);
        let plan: Plan =
            serde_json::from_value(json!({ "environment": "prod", "hosts": hosts, "stages": stages })).unwrap();
        let lines = plan_lines(&plan);
        assert_eq!(lines[0], "  web[01-12] (12 hosts)  upgrade app 1-1 → 2-1");
        assert_eq!(lines[1], "  web13  upgrade app 0-1 → 2-1");
        assert!(lines[2].starts_with("         NO WAY BACK: "), "{lines:#?}");
        assert_eq!(lines[3], "  web14  upgrade app 1-1 → 2-1");
        assert!(lines[4].starts_with("  batch 1: web[01-12]: "), "{lines:#?}");
        assert!(lines[5].starts_with("  batch 2: web13, web14: "), "{lines:#?}");
    }
}
