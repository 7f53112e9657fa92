//! The pages of environments: what runs on which host, what was deployed when, by whom and why, and how that goes on.

use chrono::{DateTime, TimeDelta, Utc};
use nevra::Nevra;
use repo_api::{
    ApprovalRule, DeploymentInfo, DeploymentList, DeploymentSummary, EnvironmentInfo, EnvironmentSettings,
    EnvironmentSummary, HostInfo, StepInfo, TagName,
};
use serde::Serialize;

use super::event::Link;
use super::notes_article::NotesArticle;
use super::progress::Progress;
use super::template::{PageError, Shell, render};
use super::visible::Visible;
use super::written::{Time, seconds};

/// `/ui/environments`
#[derive(Debug, Serialize)]
pub(crate) struct EnvironmentsPage {
    environments: Vec<EnvironmentRow>,
    /// Those that say what they hold and no more.
    holds: Vec<HoldRow>,
}

#[derive(Debug, Serialize)]
struct EnvironmentRow {
    name: String,
    hosts: usize,
    drifting: usize,
    packages: Vec<Link>,
    running: Option<DeploymentRow>,
    last: Option<DeploymentRow>,
}

#[derive(Debug, Serialize)]
struct HoldRow {
    name: String,
    packages: usize,
    said: Time,
    who: String,
}

/// `/ui/environments/NAME`
#[derive(Debug, Serialize)]
pub(crate) struct EnvironmentPage {
    name: String,
    commit: u64,
    at: Time,
    approval: Option<&'static str>,
    freeze: Option<Freeze>,
    hosts: Vec<HostRow>,
    running: Option<DeploymentRow>,
    deployments: Vec<DeploymentRow>,
    /// Where older ones go on.
    before: Option<String>,
    needs: Vec<Link>,
    /// What it says that it holds, where it says that.
    held: Option<(Time, String)>,
    /// What is in the versions that run there, as far as they tell.
    notes: Vec<PackageNotes>,
}

#[derive(Debug, Serialize)]
struct PackageNotes {
    package: Link,
    article: NotesArticle,
}

#[derive(Debug, Serialize)]
struct Freeze {
    because: String,
    until: Option<Time>,
}

#[derive(Debug, Serialize)]
struct HostRow {
    host: String,
    packages: Vec<Link>,
    deployment: String,
    since: Time,
    is_settled: bool,
    /// In what it differs, and when that was seen.
    drift: Option<String>,
    seen: Option<Time>,
}

#[derive(Debug, Serialize)]
struct DeploymentRow {
    id: String,
    action: String,
    who: String,
    why: Option<String>,
    began: Time,
    /// When anything was last written of it.
    changed: Time,
    took: Option<String>,
    ending: Option<String>,
    is_good: bool,
    reason: Option<String>,
    moves: Vec<Move>,
    approved_by: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Move {
    from: Option<Link>,
    to: Link,
    hosts: usize,
}

/// `/ui/environments/NAME/feed`, as Atom (RFC 4287).
#[derive(Debug, Serialize)]
pub(crate) struct EnvironmentFeed {
    base: String,
    environment: String,
    updated: Option<Time>,
    deployments: Vec<DeploymentRow>,
}

/// `/ui/environments/NAME/deployments/ID`
#[derive(Debug, Serialize)]
pub(crate) struct DeploymentPage {
    environment: String,
    /// The commit after which events are news.
    commit: u64,
    deployment: DeploymentRow,
    holder: String,
    hosts: Vec<OutcomeRow>,
    progress: Progress,
    steps: Vec<StepRow>,
}

#[derive(Debug, Serialize)]
struct OutcomeRow {
    host: String,
    before: Vec<Link>,
    now: Option<Vec<Link>>,
    service: Option<String>,
    balancers: String,
    is_settled: bool,
}

#[derive(Debug, Serialize)]
struct StepRow {
    host: String,
    step: String,
    is_back: bool,
    began: Time,
    /// The time of day, to the second.
    clock: String,
    took: Option<String>,
    result: Option<String>,
    detail: Option<String>,
    log: String,
}

impl EnvironmentsPage {
    pub(crate) fn new(environments: &[EnvironmentSummary], visible: &Visible) -> Self {
        let row = |summary: &EnvironmentSummary| EnvironmentRow {
            name: summary.name.to_string(),
            hosts: summary.hosts,
            drifting: summary.drifting,
            packages: links(&summary.packages, visible),
            running: summary.running.as_ref().map(|deployment| DeploymentRow::of(deployment, visible)),
            last: summary.last.as_ref().map(|deployment| DeploymentRow::of(deployment, visible)),
        };
        let is_known = |name: &TagName| environments.iter().any(|summary| summary.name == *name);
        let holds = visible.state.environments().iter().filter(|(name, _)| !is_known(name));
        let holds = holds.map(|(name, hold)| HoldRow {
            name: name.to_string(),
            packages: hold.packages.iter().filter(|nevra| visible.has(nevra)).count(),
            said: hold.said_at.into(),
            who: hold.said_by.to_string(),
        });
        Self { environments: environments.iter().map(row).collect(), holds: holds.collect() }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("environments.html", shell, self)
    }
}

impl EnvironmentPage {
    /// The page of what the server knows of an environment; what it says that it holds stands beside it.
    pub(crate) fn new(
        info: &EnvironmentInfo,
        deployments: &DeploymentList,
        notes: Vec<(Nevra, NotesArticle)>,
        visible: &Visible,
    ) -> Self {
        let hold = visible.state.environments().get(&info.name);
        let held = hold.map(|hold| hold.packages.iter().cloned().collect::<Vec<Nevra>>()).unwrap_or_default();
        let needs = if info.needs.is_empty() { &held } else { &info.needs };
        let deployments_shown = deployments.deployments.iter();
        Self {
            name: info.name.to_string(),
            commit: info.commit,
            at: info.at.into(),
            approval: approval(&info.settings),
            freeze: info
                .settings
                .freeze
                .as_ref()
                .filter(|freeze| freeze.holds(Utc::now()))
                .map(|freeze| Freeze { because: freeze.because.clone(), until: freeze.until.map(Time::from) }),
            hosts: info.hosts.iter().map(|host| HostRow::of(host, visible)).collect(),
            running: info.running.as_ref().map(|deployment| DeploymentRow::of(deployment, visible)),
            deployments: deployments_shown.map(|deployment| DeploymentRow::of(deployment, visible)).collect(),
            before: deployments.before.clone(),
            needs: links(needs, visible),
            held: hold.map(|hold| (hold.said_at.into(), hold.said_by.to_string())),
            notes: notes
                .into_iter()
                .map(|(nevra, article)| PackageNotes { package: link(&nevra, visible), article })
                .collect(),
        }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("environment.html", shell, self)
    }
}

impl EnvironmentFeed {
    /// The feed of some deployments, the newest first; `base` is the server's own address.
    pub(crate) fn new(base: String, environment: &TagName, list: &DeploymentList, visible: &Visible) -> Self {
        Self {
            base,
            environment: environment.to_string(),
            updated: list.deployments.iter().map(|deployment| deployment.last).max().map(Time::from),
            deployments: list.deployments.iter().map(|deployment| DeploymentRow::of(deployment, visible)).collect(),
        }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("environment_feed.xml", shell, self)
    }
}

impl DeploymentPage {
    pub(crate) fn new(environment: &TagName, commit: u64, info: &DeploymentInfo, visible: &Visible) -> Self {
        let hosts = info.hosts.iter().map(|outcome| OutcomeRow {
            host: outcome.host.clone(),
            before: links(&outcome.before, visible),
            now: outcome.now.as_ref().map(|now| links(now, visible)),
            service: outcome.service.clone(),
            balancers: outcome.balancers.join(", "),
            is_settled: outcome.settled,
        });
        Self {
            environment: environment.to_string(),
            commit,
            deployment: DeploymentRow::of(&info.summary, visible),
            holder: info.summary.holder.clone(),
            hosts: hosts.collect(),
            progress: Progress::of(&info.steps, info.summary.moves.iter().map(|moved| moved.hosts).max().unwrap_or(0)),
            steps: info.steps.iter().map(StepRow::of).collect(),
        }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("deployment.html", shell, self)
    }
}

impl HostRow {
    fn of(host: &HostInfo, visible: &Visible) -> Self {
        Self {
            host: host.host.clone(),
            packages: links(&host.packages, visible),
            deployment: host.deployment.clone(),
            since: host.since.into(),
            is_settled: host.settled,
            drift: host.sighting.as_ref().and_then(|sighting| sighting.drift.clone()),
            seen: host.sighting.as_ref().map(|sighting| sighting.at.into()),
        }
    }
}

impl DeploymentRow {
    fn of(deployment: &DeploymentSummary, visible: &Visible) -> Self {
        let moves = deployment.moves.iter().map(|moved| Move {
            from: moved.from.as_ref().map(|nevra| link(nevra, visible)),
            to: link(&moved.to, visible),
            hosts: moved.hosts,
        });
        Self {
            id: deployment.id.clone(),
            action: deployment.action.clone(),
            who: deployment.who.clone(),
            why: deployment.why.clone(),
            began: deployment.began.into(),
            changed: deployment.last.into(),
            took: deployment.ending.as_ref().map(|_| span(deployment.began, deployment.last)),
            ending: deployment.ending.as_ref().map(|ending| ending.replace('_', " ")),
            is_good: deployment.ending.as_deref() == Some("done"),
            reason: deployment.reason.clone(),
            moves: moves.collect(),
            approved_by: deployment.approved_by.clone(),
        }
    }
}

impl StepRow {
    fn of(step: &StepInfo) -> Self {
        Self {
            host: step.host.clone(),
            step: step.step.replace('_', " "),
            is_back: step.direction == "back",
            began: step.began.into(),
            clock: step.began.format("%H:%M:%S").to_string(),
            took: step.milliseconds.map(seconds),
            result: step.result.clone(),
            detail: step.detail.clone(),
            log: step.log.join("\n"),
        }
    }
}

/// A package, with its page where the reader may see that.
fn link(nevra: &Nevra, visible: &Visible) -> Link {
    let link = Link::to(nevra);
    if visible.has(nevra) { link } else { Link { url: String::new(), ..link } }
}

fn links(packages: &[Nevra], visible: &Visible) -> Vec<Link> {
    packages.iter().map(|nevra| link(nevra, visible)).collect()
}

fn approval(settings: &EnvironmentSettings) -> Option<&'static str> {
    match settings.approval {
        ApprovalRule::None => None,
        ApprovalRule::Person => Some("by a person"),
        ApprovalRule::Two => Some("by a person, with another one's signature"),
    }
}

fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let took = (to - from).max(TimeDelta::zero());
    seconds(took.num_milliseconds().unsigned_abs())
}
