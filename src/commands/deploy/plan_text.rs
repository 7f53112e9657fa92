//! A plan as a person reads it: from, to, in which order, who is out when, how to go back, what can't go back.

use std::collections::BTreeMap;

use deployer::{Change, HostName, HostPlan, Plan, Stage, WayBack, Work};

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
            let hosts: Vec<&str> = batch.iter().map(HostName::as_str).collect();
            let steps = batch.first().and_then(|host| plan.host(host)).map_or(&[][..], HostPlan::steps);
            let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
            let indent = if many { "    " } else { "  " };
            lines.push(format!("{indent}batch {number}: {}: {}", hosts.join(", "), steps.join(" → ")));
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

fn host_lines(plan: &Plan) -> Vec<String> {
    let width = plan.hosts.iter().map(|host| host.host.as_str().len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for host in &plan.hosts {
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
        lines.push(format!("  {:width$}  {work}{}", host.host, changes.join(", ")));
        for change in host.changes.iter().filter(|change| change.moves()) {
            lines.extend(warning(change).map(|warning| format!("  {:width$}  {warning}", "")));
        }
    }
    lines
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
