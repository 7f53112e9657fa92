//! What the screen shows: the deployment's state, as its events add up.

use chrono::{DateTime, Utc};
use deployer::{ClusterName, Direction, Event, Happening, HostName, Plan, Step, StepResult, Work};

/// The state of a deployment.
#[derive(Debug, Default)]
pub(in super::super) struct Board {
    /// The first line: what is deployed where.
    pub(super) title: String,
    pub(super) began: Option<DateTime<Utc>>,
    pub(super) hosts: Vec<Row>,
    /// The clusters, where hosts are taken out by them.
    pub(super) clusters: Vec<Heading>,
    /// Whether hosts are taken back.
    pub(super) backing_out: bool,
    /// Whether a person is asked: what stands there then is not drawn over.
    pub(super) paused: bool,
}

/// A cluster.
#[derive(Debug)]
pub(in super::super) struct Heading {
    pub(super) cluster: ClusterName,
    pub(super) hosts: Vec<HostName>,
    pub(super) place: Place,
    /// What was last seen of it: connections while it is drained, the rate of errors while it is watched.
    pub(super) seen: String,
}

/// Where a cluster is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    In,
    Leaving,
    Out,
    Returning,
    /// It could not be taken out or brought back.
    Stuck,
}

impl Heading {
    pub(in super::super) fn new(cluster: &deployer::Cluster) -> Self {
        Self { cluster: cluster.name.clone(), hosts: cluster.hosts.clone(), place: Place::In, seen: String::new() }
    }
}

/// A host.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) host: HostName,
    /// The version that it is seen to have.
    pub(super) version: String,
    pub(super) standing: Standing,
    /// When its first step began.
    pub(super) since: Option<DateTime<Utc>>,
}

/// How far a host is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its turn is to come.
    Waiting,
    /// It is as it should be.
    Untouched,
    /// It is staged and tested.
    Staged,
    /// A step goes on.
    Working { step: Step, direction: Direction, since: DateTime<Utc>, seen: String },
    /// The last step ended well, the next is to come.
    Between { step: Step, direction: Direction },
    /// It is back in service.
    Back { direction: Direction, at: DateTime<Utc> },
    /// A step failed.
    Failed { step: Step, error: String },
}

impl Board {
    /// One that shows hosts below their clusters.
    pub(in super::super) fn of_clusters(clusters: Vec<Heading>) -> Self {
        Self { clusters, ..Self::default() }
    }

    /// The steps that go on, each with its host and the seconds that it takes so far.
    pub(in super::super) fn working(&self, now: DateTime<Utc>) -> Vec<String> {
        let working = self.hosts.iter().filter_map(|row| match &row.standing {
            Standing::Working { step, since, .. } => {
                Some(format!("{} {step} {}s", row.host, (now - *since).num_seconds()))
            }
            _ => None,
        });
        working.collect()
    }

    /// Takes an event in.
    pub(in super::super) fn take(&mut self, event: &Event) {
        match &event.happening {
            Happening::Begun { environment, .. } => self.title = format!("{environment}  {}", event.deployment),
            Happening::Planned { plan } => self.plan(plan),
            Happening::Approved { .. } => self.began = Some(event.at),
            Happening::BackingOut { .. } => self.backing_out = true,
            Happening::Decided { .. } => self.paused = false,
            Happening::StepBegun { host, cluster: None, step, direction } => self.on(host, |row| {
                row.since.get_or_insert(event.at);
                row.standing =
                    Standing::Working { step: *step, direction: *direction, since: event.at, seen: String::new() };
            }),
            Happening::StepBegun { cluster: Some(cluster), step, .. } => self.of(cluster, |heading| match step {
                Step::TakeOut => heading.place = Place::Leaving,
                Step::BringBack => heading.place = Place::Returning,
                _ => {}
            }),
            Happening::StepSeen { cluster: Some(cluster), seen, .. } => {
                self.of(cluster, |heading| seen.clone_into(&mut heading.seen));
            }
            Happening::StepEnded { cluster: Some(cluster), step, result, .. } => {
                self.of(cluster, |heading| match (result, step) {
                    (StepResult::Ok { .. }, Step::TakeOut) => heading.place = Place::Out,
                    (StepResult::Ok { .. }, Step::BringBack) => heading.place = Place::In,
                    (StepResult::Failed { .. }, Step::TakeOut | Step::BringBack) => heading.place = Place::Stuck,
                    _ => {}
                })
            }
            Happening::StepSeen { host, cluster: None, step, seen: now } => self.on(host, |row| {
                if let Standing::Working { step: at, seen, .. } = &mut row.standing
                    && at == step
                {
                    now.clone_into(seen);
                }
            }),
            Happening::StepEnded { host, cluster: None, step, direction, result, .. } => self.on(host, |row| {
                row.standing = match (result, step) {
                    (StepResult::Failed { error, .. }, _) => Standing::Failed { step: *step, error: error.clone() },
                    (StepResult::Ok { .. }, Step::Stage | Step::Test) => Standing::Staged,
                    (StepResult::Ok { .. }, Step::PutBack | Step::Watch) => {
                        Standing::Back { direction: *direction, at: event.at }
                    }
                    (StepResult::Ok { .. }, _) => Standing::Between { step: *step, direction: *direction },
                };
                if let (StepResult::Ok { detail: Some(detail) }, Step::Install) = (result, step) {
                    // `from→to`, perhaps with more behind it.
                    let to = detail.split_whitespace().next().and_then(|moved| moved.rsplit('→').next());
                    row.version = to.unwrap_or_default().to_owned();
                }
            }),
            _ => {}
        }
    }

    fn plan(&mut self, plan: &Plan) {
        let mut targets: Vec<String> = Vec::new();
        self.hosts = plan
            .hosts
            .iter()
            .map(|host| {
                for change in &host.changes {
                    let target = format!("{} {}", change.to.name, change.to.evr);
                    if !targets.contains(&target) {
                        targets.push(target);
                    }
                }
                let from = host.changes.iter().filter_map(|change| change.from.as_ref());
                let version = from.map(|from| from.evr.to_string()).next().unwrap_or_else(|| "-".to_owned());
                let standing = if host.work == Work::Nothing { Standing::Untouched } else { Standing::Waiting };
                Row { host: host.host.clone(), version, standing, since: None }
            })
            .collect();
        self.title = format!("{} → {}", targets.join(", "), self.title);
    }

    fn of(&mut self, cluster: &ClusterName, change: impl FnOnce(&mut Heading)) {
        if let Some(heading) = self.clusters.iter_mut().find(|heading| heading.cluster == *cluster) {
            change(heading);
        }
    }

    fn on(&mut self, host: &HostName, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.hosts.iter_mut().find(|row| row.host == *host) {
            change(row);
        }
    }
}
