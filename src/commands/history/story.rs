//! The whole story of one deployment, as lines.

use chrono::{DateTime, Utc};
use deployer::{
    Agreement, Author, Consent, DeploymentRecord, Direction, HookRecord, HostReport, StepRecord, StepResult,
};

/// Tells everything that the journal knows of a deployment, in the order in which it happened.
pub(super) fn story(record: &DeploymentRecord) -> Vec<String> {
    let mut lines = vec![format!("  began {} by {}", time(record.began), who(&record.author))];
    if record.holder != record.author {
        lines.push(format!("  taken over {} by {}", time(record.held_since), who(&record.holder)));
    }
    lines.extend(record.agreements.iter().flat_map(agreement));
    for host in record.plan.iter().flat_map(|plan| &plan.hosts) {
        for change in host.changes.iter().filter(|change| change.moves()) {
            let from = change.from.as_ref().map_or("nothing".to_owned(), ToString::to_string);
            lines.push(format!("  plan {}: {} {from} → {}", host.host, change.verb, change.to));
        }
    }
    let mut happened: Vec<(DateTime<Utc>, Vec<String>)> =
        record.steps.iter().map(|entry| (entry.began, step(entry))).collect();
    happened.extend(record.hooks.iter().map(|(at, entry)| (*at, hook(*at, entry))));
    happened.sort_by_key(|(at, _)| *at);
    lines.extend(happened.into_iter().flat_map(|(_, lines)| lines));
    if let Some(because) = &record.backing_out {
        lines.push(format!("  backed out because {because}"));
    }
    lines.extend(record.hosts.iter().map(left));
    lines.extend(record.reason.as_ref().map(|reason| format!("  because: {reason}")));
    if record.ending.is_some() {
        lines.push(format!("  ended {} after {} s", time(record.last), (record.last - record.began).num_seconds()));
    }
    lines
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn who(author: &Author) -> String {
    let why = author.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{} from {}{why}", author.who, author.from)
}

fn agreement(agreement: &Agreement) -> Vec<String> {
    let consent = match agreement.consent {
        Consent::Unattended => "nobody was asked",
        Consent::Confirmed => "confirmed at the terminal",
        Consent::NameTyped => "the environment's name was typed at the terminal",
    };
    let mut lines = vec![format!("  approved: {consent}")];
    for approval in &agreement.approvals {
        lines.push(format!("  plan {} signed {}", approval.statement.plan, time(approval.statement.at)));
    }
    if !agreement.people.is_empty() {
        let people: Vec<&str> = agreement.people.iter().map(String::as_str).collect();
        lines.push(format!("  signed by {}", people.join(", ")));
    }
    if let Some(closed) = &agreement.closed {
        let despite = agreement.despite.as_deref().unwrap_or("the way back is always open");
        lines.push(format!("  although closed ({closed}): {despite}"));
    }
    lines
}

fn step(entry: &StepRecord) -> Vec<String> {
    let back = if entry.direction == Direction::Back { "back:" } else { "" };
    let begin = format!("  {} {} {back}{}", entry.began.format("%H:%M:%SZ"), entry.host, entry.step);
    let took = entry.milliseconds.map(seconds).unwrap_or_default();
    match &entry.result {
        None => vec![format!("{begin} begun, end unknown")],
        Some(StepResult::Ok { detail }) => {
            let detail = detail.as_deref().map(|detail| format!(" {detail}")).unwrap_or_default();
            vec![format!("{begin} ok{took}{detail}")]
        }
        Some(StepResult::Failed { error, log }) => {
            let mut lines = vec![format!("{begin} failed{took} {error}")];
            lines.extend(log.iter().map(|line| format!("    {}> {line}", entry.host)));
            lines
        }
    }
}

fn hook(at: DateTime<Utc>, hook: &HookRecord) -> Vec<String> {
    let host = hook.host.as_ref().map(|host| format!("{host} ")).unwrap_or_default();
    let result = hook.failed.as_ref().map_or("ok".to_owned(), |reason| format!("failed: {reason}"));
    let took = seconds(hook.milliseconds);
    let (at, point) = (at.format("%H:%M:%SZ"), hook.point);
    let mut lines = vec![format!("  {at} {host}hook {point} on {} `{}` {result}{took}", hook.place, hook.command)];
    lines.extend(hook.output.iter().map(|line| format!("    {}> {line}", host.trim())));
    lines
}

fn seconds(milliseconds: u64) -> String {
    format!(" {:.1}s", std::time::Duration::from_millis(milliseconds).as_secs_f64())
}

fn left(host: &HostReport) -> String {
    let words = |packages: &std::collections::BTreeSet<nevra::Nevra>| match packages.len() {
        0 => "nothing".to_owned(),
        _ => packages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let now = host.now.as_ref().map_or("unknown".to_owned(), words);
    let place = match (host.settled, host.out_of_balancer.as_slice()) {
        (true, []) => String::new(),
        (false, []) => ", out of service".to_owned(),
        (_, out) => format!(", out of service: the balancer says {}", out.join(", ")),
    };
    format!("  {} had {}, left with {now}{place}", host.host, words(&host.before))
}
