//! How a deployment looks: the plan, one stable line per event, the closing table.

use deployer::{Direction, Ending, Event, Happening, HookRecord, HostName, HostReport, Observer, Report, StepResult};

use super::host_names::rows;
use crate::render::{Printer, Tone, printable};

/// Prints events as they come: lines to stderr, or JSON lines to stdout.
pub(crate) struct Progress(pub(crate) Printer);

impl Progress {
    /// Prints only what fails, for where rows show the rest.
    pub(crate) fn failures(&self, event: &Event) {
        match &event.happening {
            Happening::StepEnded { result: StepResult::Failed { .. }, .. }
            | Happening::BackingOut { .. }
            | Happening::Left { .. } => self.observe(event),
            Happening::HookEnded { hook } if hook.failed.is_some() => self.observe(event),
            _ => {}
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: &Event) {
        let printer = &self.0;
        if printer.is_json() {
            printer.json(event);
        }
        let begin = format!("{} {}", event.at.format("%H:%M:%SZ"), event.deployment);
        match &event.happening {
            Happening::Begun { environment, token, .. } => {
                printer.talk(&format!("{begin} {environment} lease ok, token {token}"));
            }
            Happening::Planned { .. } => {}
            Happening::StepBegun { host, cluster, step, .. } => {
                printer.detail(&format!("{begin} {}{host} {step} begins", of_cluster(cluster.as_ref())));
            }
            Happening::StepEnded { host, cluster, step, direction, result, milliseconds } => {
                let seconds = format!("{:.1}s", std::time::Duration::from_millis(*milliseconds).as_secs_f64());
                let back = if *direction == Direction::Back { "back:" } else { "" };
                let begin = format!("{begin} {}{host} {back}{step}", of_cluster(cluster.as_ref()));
                match result {
                    StepResult::Ok { detail } => {
                        let detail = detail.as_deref().map(|detail| format!(" {detail}")).unwrap_or_default();
                        printer.talk(&format!("{begin} {} {seconds}{detail}", printer.paint(Tone::Good, "ok")));
                    }
                    StepResult::Failed { error, log } => {
                        printer.urgent(&format!("{begin} {} {seconds} {error}", printer.paint(Tone::Bad, "failed")));
                        for line in log {
                            printer.urgent(&format!("{}> {line}", printer.paint(Tone::Faint, host.as_str())));
                        }
                    }
                }
            }
            Happening::BackingOut { because } => {
                printer.urgent(&format!("{begin} {} {because}", printer.paint(Tone::Busy, "backing out:")));
            }
            Happening::Left { host, because } => {
                printer.urgent(&format!("{begin} {host} {} {because}", printer.paint(Tone::Bad, "left:")));
            }
            Happening::HookEnded { hook } => self.hook(&begin, hook),
            Happening::StepSeen { host, cluster, step, seen } => {
                printer.detail(&format!("{begin} {}{host} {step} {seen}", of_cluster(cluster.as_ref())));
            }
            Happening::Paused { pause } => {
                printer
                    .urgent(&format!("{begin} {}", printer.paint(Tone::Busy, &format!("paused in {}", pause.stage))));
            }
            Happening::Decided { decision } => printer.urgent(&format!("{begin} decided: {decision}")),
            Happening::Approved { agreement } => {
                let people = agreement.people.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let signed = if people.is_empty() { people } else { format!(", signed by {}", printable(&people)) };
                printer.detail(&format!("{begin} approved{signed}"));
            }
            Happening::Finished { .. } => {}
        }
    }
}

impl Progress {
    fn hook(&self, begin: &str, hook: &HookRecord) {
        let printer = &self.0;
        let host = hook.host.as_ref().map(|host| format!("{host} ")).unwrap_or_default();
        let begin = format!("{begin} {host}hook {}", hook.point);
        let seconds = format!("{:.1}s", std::time::Duration::from_millis(hook.milliseconds).as_secs_f64());
        match &hook.failed {
            None => printer.talk(&format!("{begin} {} {seconds}", printer.paint(Tone::Good, "ok"))),
            Some(reason) => {
                let tone = if hook.required { Tone::Bad } else { Tone::Busy };
                let failed = printer.paint(tone, "failed");
                printer.urgent(&format!("{begin} {failed} {seconds} `{}`: {reason}", printable(&hook.command)));
                for line in &hook.output {
                    printer.urgent(&format!("{}> {}", printer.paint(Tone::Faint, host.trim()), printable(line)));
                }
            }
        }
    }
}

/// Says which cluster a step is about as a whole.
fn of_cluster(cluster: Option<&deployer::ClusterName>) -> String {
    cluster.map(|cluster| format!("cluster {cluster} ")).unwrap_or_default()
}

/// What a host was left with: a mark, and words.
fn left_with(printer: &Printer, host: &HostReport) -> [String; 2] {
    let packages = match &host.now {
        None => "unknown".to_owned(),
        Some(packages) if packages.is_empty() => "nothing".to_owned(),
        Some(packages) => packages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let service = host.service.as_deref().unwrap_or("unknown");
    let mark = match (host.settled, service) {
        (false, _) => printer.paint(Tone::Bad, "✖"),
        (true, _) if !host.out_of_balancer.is_empty() => printer.paint(Tone::Busy, "!"),
        (true, "active" | "reloading") => printer.paint(Tone::Good, "✔"),
        // What it was before it was touched is no success of a deployment's.
        (true, _) => printer.paint(Tone::Busy, "!"),
    };
    let balancers = if host.balancers.is_empty() { "-".to_owned() } else { host.balancers.join(" ") };
    [mark, format!("{packages}  service {service}  balancer {balancers}")]
}

/// The closing table: what every host was left with, failures last, and then the outcome.
pub(crate) fn print_report(printer: &Printer, report: &Report) {
    let mut hosts: Vec<&HostReport> = report.hosts.iter().collect();
    hosts.sort_by_key(|host| !host.settled);
    let width = hosts.iter().map(|host| host.host.as_str().len()).max().unwrap_or_default();
    for same in hosts.chunk_by(|left, right| left_with(printer, left) == left_with(printer, right)) {
        let names: Vec<&HostName> = same.iter().map(|host| &host.host).collect();
        let [mark, text] = same.first().map(|host| left_with(printer, host)).unwrap_or_default();
        for name in rows(&names) {
            let line = format!("  {mark} {name:width$}  {text}");
            if report.ending == Ending::PartlyChanged { printer.urgent(&line) } else { printer.talk(&line) }
        }
    }
    let (tone, outcome) = match report.ending {
        Ending::Done => (Tone::Good, "done"),
        Ending::NothingToDo => (Tone::Good, "nothing to do"),
        Ending::NothingChanged => (Tone::Bad, "failed, nothing changed"),
        Ending::RolledBack => (Tone::Bad, "failed and rolled back"),
        Ending::PartlyChanged => (Tone::Bad, "PARTLY CHANGED: a person is needed"),
        Ending::NotApproved => (Tone::Bad, "not approved, nothing changed"),
    };
    let reason = report.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let line = format!("{} {}{reason}", report.deployment, printer.paint(tone, outcome));
    if tone == Tone::Good {
        printer.talk(&line)
    } else {
        printer.urgent(&line)
    }
    for line in held_out(report) {
        printer.urgent(&format!("{} {line}", printer.paint(Tone::Busy, "note:")));
    }
    if report.ending == Ending::PartlyChanged {
        printer.urgent(
            "`pkg resume` tries again from here; `pkg deploy` of a version that works repairs every host that it can",
        );
    }
}

/// Names the hosts that are as they should be, but get no requests: somebody else holds them out, or took them out meanwhile.
fn held_out(report: &Report) -> impl Iterator<Item = String> {
    let hosts = report.hosts.iter().filter(|host| host.settled && !host.out_of_balancer.is_empty());
    hosts.map(|host| {
        format!("`{}` gets no requests: its balancer says {}", host.host, printable(&host.out_of_balancer.join(", ")))
    })
}
