//! What the entries add up to: the deployments, and who holds the lease.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ledger::{Abridgement, Author, Commit, Position};
use nevra::Name;
use serde::Serialize;

use super::entry::{Action, Direction, Ending, Entry, HookRecord, HostReport, StepResult};
use crate::approval::Agreement;
use crate::plan::{Change, Plan, Step};
use crate::policy::{Decision, Pause};
use crate::{ClusterName, DeploymentId, HostName, Target};

/// Everything that an environment's ledger says.
#[derive(Debug, Clone)]
pub struct JournalState {
    /// Up to where it was read.
    pub position: Position,
    /// The deployments, oldest first. The steps of those before the last clean end need not be there.
    pub deployments: Vec<DeploymentRecord>,
    /// The numbers of the commits that still matter after a clean end.
    kept: Vec<u64>,
}

/// One deployment, as its entries tell it.
#[derive(Debug, Clone, Serialize)]
pub struct DeploymentRecord {
    /// Its id.
    pub id: DeploymentId,
    /// What kind of change it is.
    pub action: Action,
    /// What the environment was to run.
    pub target: Target,
    /// Who began it.
    pub author: Author,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When its last entry was written.
    pub last: DateTime<Utc>,
    /// Who holds its lease: whoever began or resumed it last.
    pub holder: Author,
    /// Since when the holder has it.
    pub held_since: DateTime<Utc>,
    /// When the lease ends unless it is extended.
    pub until: DateTime<Utc>,
    /// The fencing token.
    pub token: u64,
    /// The first plan that was agreed to: what was before it is what a way back leads to.
    pub plan: Option<Plan>,
    /// How each of its plans was agreed to: the first, and those of resumptions.
    pub agreements: Vec<Agreement>,
    /// The commands of the environment's that ran, with the time at which each ended.
    pub hooks: Vec<(DateTime<Utc>, HookRecord)>,
    /// The steps, in the order in which they began.
    pub steps: Vec<StepRecord>,
    /// Where it paused, and what was decided.
    pub pauses: Vec<(Pause, Option<Decision>)>,
    /// Why hosts are taken back, once all of them are.
    pub backing_out: Option<String>,
    /// How it ended; `None` while it runs, and for ever where its controller died and nobody resumed it.
    pub ending: Option<Ending>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// What its hosts were left with.
    pub hosts: Vec<HostReport>,
    /// The commit before its first.
    #[serde(skip)]
    before: Position,
    /// The number of its last commit.
    #[serde(skip)]
    newest: u64,
}

/// One step of a deployment.
#[derive(Debug, Clone, Serialize)]
pub struct StepRecord {
    /// Where; for a whole cluster, its first proxy, or its first host.
    pub host: HostName,
    /// The cluster, where the step is about a whole one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Which.
    pub step: Step,
    /// Onward or back.
    pub direction: Direction,
    /// When it began.
    pub began: DateTime<Utc>,
    /// How it ended, if it is known to have.
    pub result: Option<StepResult>,
    /// How long it took.
    pub milliseconds: Option<u64>,
}

impl Default for JournalState {
    fn default() -> Self {
        Self::after(Position::start())
    }
}

impl JournalState {
    /// Nothing of what comes after a commit has been read yet.
    pub(super) fn after(position: Position) -> Self {
        Self { position, deployments: Vec::new(), kept: Vec::new() }
    }

    /// The last deployment, if it has not finished: it holds the lease, be it expired.
    #[must_use]
    pub fn unfinished(&self) -> Option<&DeploymentRecord> {
        self.deployments.last().filter(|record| record.ending.is_none())
    }

    /// Finds a deployment.
    #[must_use]
    pub fn deployment(&self, id: DeploymentId) -> Option<&DeploymentRecord> {
        self.deployments.iter().find(|record| record.id == id)
    }

    /// The hosts that were left in mid-walk by the last run that touched them.
    #[must_use]
    pub fn unsettled(&self) -> BTreeSet<HostName> {
        let mut unsettled = BTreeSet::new();
        for record in &self.deployments {
            for step in record.steps.iter().filter(|step| step.step.touches()) {
                if step.is_final() {
                    unsettled.remove(&step.host);
                } else {
                    unsettled.insert(step.host.clone());
                }
            }
        }
        unsettled
    }

    /// The clusters that were taken out and not brought back.
    #[must_use]
    pub fn out(&self) -> BTreeSet<ClusterName> {
        let mut out = BTreeSet::new();
        for record in &self.deployments {
            for step in &record.steps {
                match (&step.cluster, step.step, &step.result) {
                    (Some(cluster), Step::TakeOut, _) => drop(out.insert(cluster.clone())),
                    (Some(cluster), Step::BringBack, Some(StepResult::Ok { .. })) => drop(out.remove(cluster)),
                    _ => {}
                }
            }
        }
        out
    }

    /// Whether a deployment that ends so leaves nothing that its steps are needed for.
    pub(crate) fn is_clean(&self, ending: Ending) -> bool {
        ending != Ending::PartlyChanged && self.unsettled().is_empty() && self.out().is_empty()
    }

    /// What of the ledger still matters after a clean end, which is the last commit.
    pub(crate) fn abridgement(&self) -> Abridgement {
        Abridgement { until: self.position, kept: self.kept.clone() }
    }

    /// Takes the next commit in.
    pub(crate) fn apply(&mut self, commit: &Commit<Entry>) {
        self.position = commit.position();
        if commit.payload.is_lasting() {
            self.kept.push(commit.number);
        }
        if let Entry::Begun { deployment, action, target, until } = &commit.payload {
            self.deployments.push(DeploymentRecord {
                id: *deployment,
                action: *action,
                target: target.clone(),
                author: commit.author.clone(),
                began: commit.at,
                last: commit.at,
                holder: commit.author.clone(),
                held_since: commit.at,
                until: *until,
                token: commit.number,
                plan: None,
                agreements: Vec::new(),
                hooks: Vec::new(),
                steps: Vec::new(),
                pauses: Vec::new(),
                backing_out: None,
                ending: None,
                reason: None,
                hosts: Vec::new(),
                before: Position { number: commit.number.saturating_sub(1), digest: commit.previous },
                newest: commit.number,
            });
        }
        let id = commit.payload.deployment();
        if let Some(record) = self.deployments.iter_mut().rev().find(|record| record.id == id) {
            record.apply(commit);
        }
    }
}

impl DeploymentRecord {
    /// The hosts on which a step that changes something was begun, in that order, without those that are back already.
    #[must_use]
    pub fn touched(&self) -> Vec<HostName> {
        let mut touched: Vec<HostName> = Vec::new();
        for step in self.steps.iter().filter(|step| step.step.touches()) {
            if step.is_final() && step.direction == Direction::Back {
                touched.retain(|host| *host != step.host);
            } else if !touched.contains(&step.host) {
                touched.push(step.host.clone());
            }
        }
        touched
    }

    /// The commit before its first one, and the number of its last.
    pub(super) fn span(&self) -> (Position, u64) {
        (self.before, self.newest)
    }

    /// The names of the packages that it is about.
    #[must_use]
    pub fn names(&self) -> BTreeSet<Name> {
        let hosts = self.plan.iter().flat_map(|plan| &plan.hosts);
        hosts.flat_map(|host| &host.changes).map(|change| change.to.name.clone()).collect()
    }

    /// Whether no cluster was taken out.
    #[must_use]
    pub fn took_out_nothing(&self) -> bool {
        !self.steps.iter().any(|step| step.step == Step::TakeOut)
    }

    /// What was planned for a host.
    #[must_use]
    pub fn changes(&self, host: &HostName) -> &[Change] {
        self.plan.as_ref().and_then(|plan| plan.host(host)).map_or(&[], |plan| plan.changes.as_slice())
    }

    fn apply(&mut self, commit: &Commit<Entry>) {
        self.last = commit.at;
        self.newest = commit.number;
        for entry in commit.payload.parts() {
            self.take_in(entry, commit);
        }
    }

    fn take_in(&mut self, entry: &Entry, commit: &Commit<Entry>) {
        match entry {
            Entry::Begun { .. } | Entry::Steps { .. } => {}
            Entry::Resumed { until, .. } => {
                self.holder = commit.author.clone();
                self.held_since = commit.at;
                self.until = *until;
                self.token = commit.number;
                self.ending = None;
            }
            Entry::Extended { until, .. } => self.until = *until,
            Entry::Planned { plan, agreement, .. } => {
                self.plan.get_or_insert_with(|| plan.clone());
                self.agreements.push(agreement.clone());
            }
            Entry::HookEnded { hook, .. } => self.hooks.push((commit.at, hook.clone())),
            Entry::StepBegun { host, cluster, step, direction, .. } => self.steps.push(StepRecord {
                host: host.clone(),
                cluster: cluster.clone(),
                step: *step,
                direction: *direction,
                began: commit.at,
                result: None,
                milliseconds: None,
            }),
            Entry::StepEnded { host, step, result, milliseconds, .. } => {
                let begun = self.steps.iter_mut().rev().find(|begun| begun.host == *host && begun.step == *step);
                if let Some(begun) = begun {
                    begun.result = Some(result.clone());
                    begun.milliseconds = Some(*milliseconds);
                }
            }
            Entry::Paused { pause, .. } => self.pauses.push((pause.clone(), None)),
            Entry::Decided { decision, .. } => {
                if let Some((_, decided)) = self.pauses.last_mut() {
                    *decided = Some(*decision);
                }
            }
            Entry::BackingOut { because, hosts: None, .. } => self.backing_out = Some(because.clone()),
            // What is left of a batch that was being taken back is found by looking at its hosts.
            Entry::BackingOut { .. } => {}
            Entry::Finished { ending, reason, hosts, .. } => {
                self.ending = Some(*ending);
                self.reason.clone_from(reason);
                self.hosts.clone_from(hosts);
            }
        }
    }
}

impl StepRecord {
    /// Whether the host was put back by it, and so finished its walk.
    fn is_final(&self) -> bool {
        self.step == Step::PutBack && matches!(self.result, Some(StepResult::Ok { .. }))
    }
}

impl Step {
    /// Whether the step changes what the host serves; staging, testing and watching do not, nor what is
    /// done with a cluster as a whole.
    #[must_use]
    pub fn touches(self) -> bool {
        matches!(self, Self::Drain | Self::Stop | Self::Install | Self::Start | Self::Check | Self::PutBack)
    }
}
