//! What an environment's entries add up to: the deployments, who holds the lease, what each host was left with.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ledger::{Abridgement, Commit, Position};
use nevra::{Name, Nevra};
use repo_api::{DeploymentSummary, HostOutcome, PackageMove};
use serde_json::Value;
use uuid::Uuid;

use super::entry::{Change, Entry, HostPlan};
use super::per_host::{Names, PerHost};

/// Everything that an environment's ledger says, but for the steps.
#[derive(Debug)]
pub(super) struct Projection {
    /// Up to where it was read.
    pub(super) position: Position,
    /// The deployments, oldest first.
    pub(super) deployments: Vec<Deployment>,
    /// What all of them but the last have left: those before the last don't change any more.
    before_last: Hosts,
    names: Names,
    /// The numbers of the commits that still matter after a clean end.
    kept: Vec<u64>,
    /// The last clean end, and how many are kept up to it.
    clean: Option<(Position, usize)>,
}

/// What each host was left with, by the packages' names.
type Hosts = BTreeMap<String, BTreeMap<Name, Left>>;

/// What a host was left with of one name.
#[derive(Debug, Clone)]
struct Left {
    packages: BTreeSet<Nevra>,
    seen: bool,
    settled: bool,
    /// The place of the deployment since which it is so.
    deployment: usize,
}

/// One deployment.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) summary: DeploymentSummary,
    /// The commits that are about it.
    pub(super) first: u64,
    pub(super) newest: u64,
    /// The writer who holds the lease.
    pub(super) writer: Uuid,
    /// What the first plan that was agreed to does on each host.
    pub(super) plan: Option<PerHost<Vec<Change>>>,
    /// What its hosts were left with, each without its name.
    pub(super) hosts: PerHost<HostOutcome>,
}

/// What a host runs of one name.
#[derive(Debug, Clone)]
pub(super) struct Running<'a> {
    pub(super) packages: BTreeSet<Nevra>,
    /// Whether that was seen after the deployment.
    pub(super) seen: bool,
    pub(super) settled: bool,
    pub(super) deployment: &'a Deployment,
}

impl Default for Projection {
    fn default() -> Self {
        Self {
            position: Position::start(),
            deployments: Vec::new(),
            before_last: Hosts::new(),
            names: Names::default(),
            kept: Vec::new(),
            clean: None,
        }
    }
}

impl Projection {
    /// The last deployment, if it has not finished: it holds the lease, be it expired.
    pub(super) fn unfinished(&self) -> Option<&Deployment> {
        self.deployments.last().filter(|deployment| deployment.summary.ending.is_none())
    }

    /// The last deployment that has finished.
    pub(super) fn last_finished(&self) -> Option<&Deployment> {
        self.deployments.iter().rev().find(|deployment| deployment.summary.ending.is_some())
    }

    /// What each host was left with, by the packages' names: each deployment is about some.
    pub(super) fn running(&self, at: Option<DateTime<Utc>>) -> BTreeMap<&str, BTreeMap<Name, Running<'_>>> {
        let mut hosts = Hosts::new();
        let mut from = 0;
        if at.is_none() {
            hosts.clone_from(&self.before_last);
            from = self.deployments.len().saturating_sub(1);
        }
        for (place, deployment) in self.deployments.iter().enumerate().skip(from) {
            if at.is_none_or(|at| deployment.summary.last <= at) {
                deployment.leave(place, &mut hosts);
            }
        }
        let mut running: BTreeMap<&str, BTreeMap<Name, Running<'_>>> = BTreeMap::new();
        for (host, names) in hosts {
            for (name, Left { packages, seen, settled, deployment }) in names {
                let deployment = &self.deployments[deployment];
                if let Some(host) = deployment.hosts.name(&host) {
                    let known = Running { packages, seen, settled, deployment };
                    running.entry(host).or_default().insert(name, known);
                }
            }
        }
        running
    }

    /// What of the ledger still matters, up to the last clean end.
    pub(super) fn abridgement(&self) -> Option<Abridgement> {
        self.clean.map(|(until, count)| Abridgement { until, kept: self.kept[..count].to_vec() })
    }

    /// Where the last clean end is.
    pub(super) fn clean_end(&self) -> u64 {
        self.clean.map_or(0, |(until, _)| until.number)
    }

    /// The numbers of the commits after one, without those that matter no more.
    pub(super) fn abridged(&self, after: u64) -> impl Iterator<Item = u64> {
        let (end, count) = self.clean.map_or((0, 0), |(until, count)| (until.number, count));
        let from = self.kept[..count].partition_point(|number| *number <= after);
        self.kept[from..count].iter().copied().chain(end.max(after).saturating_add(1)..=self.position.number)
    }

    /// Takes the next commit in.
    pub(super) fn apply(&mut self, commit: &Commit<Value>) {
        self.position = commit.position();
        if Entry::is_lasting(&commit.payload) {
            self.kept.push(commit.number);
        }
        // What can't be read changes nothing here; it stays in the ledger for those who can.
        let Ok(entry) = Entry::read(&commit.payload) else { return };
        if matches!(entry, Entry::Finished { clean: true, .. }) {
            self.clean = Some((self.position, self.kept.len()));
        }
        if let Entry::Begun { deployment, action, until } = &entry {
            if let Some((last, before)) = self.deployments.split_last() {
                last.leave(before.len(), &mut self.before_last);
            }
            self.deployments.push(Deployment::begun(commit, deployment.clone(), action.clone(), *until));
        }
        let Some(id) = Entry::deployment(&commit.payload) else { return };
        let Some(place) = self.deployments.iter().rposition(|deployment| deployment.summary.id == id) else { return };
        self.deployments[place].apply(commit, entry, &mut self.names);
        if place + 1 < self.deployments.len() {
            // No deployer writes to one before the last; a ledger that was made by hand may have it.
            self.before_last.clear();
            let count = self.deployments.len() - 1;
            for (place, deployment) in self.deployments[..count].iter().enumerate() {
                deployment.leave(place, &mut self.before_last);
            }
        }
    }
}

impl Deployment {
    fn begun(commit: &Commit<Value>, id: String, action: String, until: DateTime<Utc>) -> Self {
        let summary = DeploymentSummary {
            id,
            action,
            who: commit.author.who.clone(),
            from: commit.author.from.clone(),
            why: commit.author.why.clone(),
            holder: commit.author.who.clone(),
            until,
            began: commit.at,
            last: commit.at,
            ending: None,
            reason: None,
            moves: Vec::new(),
            approved_by: Vec::new(),
        };
        let (first, newest, writer) = (commit.number, commit.number, commit.writer);
        Self { summary, first, newest, writer, plan: None, hosts: PerHost::default() }
    }

    /// Takes what it left on its hosts in, if it has finished.
    fn leave(&self, place: usize, hosts: &mut Hosts) {
        for (name, outcome) in self.hosts.iter().filter(|_| self.summary.ending.is_some()) {
            // Where it could not be seen, it may be either.
            let packages = outcome.now.as_ref().unwrap_or(&outcome.before);
            let planned = self.changes(name).iter().map(|change| &change.to.name);
            let named = packages.iter().chain(&outcome.before).map(|package| &package.name);
            let names: BTreeSet<&Name> = planned.chain(named).collect();
            let host = hosts.entry(name.to_owned()).or_default();
            for name in names {
                let packages: BTreeSet<Nevra> =
                    packages.iter().filter(|package| package.name == *name).cloned().collect();
                let (seen, settled) = (outcome.now.is_some(), outcome.settled);
                // What a deployment found and left is there since the one that brought it.
                let known = host.get(name).filter(|known| known.packages == packages && known.settled == settled);
                let deployment = known.map_or(place, |known| known.deployment);
                host.insert(name.clone(), Left { packages, seen, settled, deployment });
            }
        }
    }

    /// What was planned for a host.
    pub(super) fn changes(&self, host: &str) -> &[Change] {
        self.plan.as_ref().and_then(|plan| plan.get(host)).map_or(&[], Vec::as_slice)
    }

    /// What its hosts were left with.
    pub(super) fn outcomes(&self) -> Vec<HostOutcome> {
        self.hosts.iter().map(|(host, outcome)| HostOutcome { host: host.to_owned(), ..outcome.clone() }).collect()
    }

    fn apply(&mut self, commit: &Commit<Value>, entry: Entry, names: &mut Names) {
        self.newest = commit.number;
        let summary = &mut self.summary;
        summary.last = commit.at;
        match entry {
            Entry::Resumed { until, .. } => {
                summary.holder.clone_from(&commit.author.who);
                summary.until = until;
                summary.ending = None;
                self.writer = commit.writer;
            }
            Entry::Extended { until, .. } => summary.until = until,
            Entry::Planned { plan, agreement } if self.plan.is_none() => {
                summary.moves = moves(&plan.hosts);
                summary.approved_by = agreement.people;
                let changes = plan.hosts.into_iter().map(|host| (host.host, host.changes));
                self.plan = Some(PerHost::new(changes, names));
            }
            Entry::Finished { ending, reason, hosts, .. } => {
                summary.ending = Some(ending);
                summary.reason = reason;
                let outcomes = hosts.into_iter().map(|mut outcome| (std::mem::take(&mut outcome.host), outcome));
                self.hosts = PerHost::new(outcomes, names);
            }
            _ => {}
        }
    }
}

/// What moves, each move once however many hosts make it.
fn moves(hosts: &[HostPlan]) -> Vec<PackageMove> {
    let mut moves: Vec<PackageMove> = Vec::new();
    for change in hosts.iter().flat_map(|host| &host.changes).filter(|change| change.moves()) {
        match moves.iter_mut().find(|known| known.to == change.to && known.from == change.from) {
            Some(known) => known.hosts += 1,
            None => moves.push(PackageMove { from: change.from.clone(), to: change.to.clone(), hosts: 1 }),
        }
    }
    moves
}
