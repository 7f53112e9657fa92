//! The way back: every host that was touched, in reverse order, by the same steps.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::batches::Setback;
use super::{StepError, Walk};
use crate::environment::{Cluster, StrategyKind};
use crate::journal::{Direction, StepRecord};
use crate::observer::Happening;
use crate::plan::{Change, Step, WALK, WayBack};
use crate::{ClusterName, HostName};

/// What came of the way back.
#[derive(Debug, Default)]
pub(crate) struct BackedOut {
    /// Why hosts are not back, one text for each.
    pub(crate) left: Vec<String>,
    /// What ended the way back before its end: nothing may be changed any more, or a person stopped it.
    pub(crate) ended_by: Option<StepError>,
}

impl BackedOut {
    /// Whether every host is back.
    pub(crate) fn is_whole(&self) -> bool {
        self.left.is_empty() && self.ended_by.is_none()
    }
}

impl Walk<'_> {
    /// Takes touched hosts back, the last first; those that are out of service already go before the others.
    ///
    /// Of a deployment that is taken back only in part, `only` names the hosts.
    pub(crate) async fn back_out(&self, unsettled: &[HostName], only: Option<&[HostName]>) -> BackedOut {
        let mut order = self.touched().await;
        order.retain(|host| only.is_none_or(|only| only.contains(host)));
        order.reverse();
        order.sort_by_key(|host| !unsettled.contains(host));
        let mut outcome = BackedOut::default();
        match self.site.environment.strategy.kind {
            StrategyKind::Clusters { .. } => self.clusters_back(&order, only, &mut outcome).await,
            StrategyKind::AllAtOnce => drop(self.hosts_back(&order, &mut outcome).await),
            StrategyKind::Rolling | StrategyKind::Canary { .. } => {
                for host in &order {
                    if let Err(setback) = self.wait_for_capacity(std::slice::from_ref(host)).await {
                        self.note(&mut outcome, setback);
                    } else {
                        self.hosts_back(std::slice::from_ref(host), &mut outcome).await;
                    }
                    if outcome.ended_by.is_some() {
                        return outcome;
                    }
                }
            }
        }
        outcome
    }

    /// Takes clusters back as wholes: one that is out first, while the others carry the load.
    async fn clusters_back(&self, touched: &[HostName], only: Option<&[HostName]>, outcome: &mut BackedOut) {
        let out = self.out().await;
        let clusters = self.concerned(touched, only, &out);
        let back = Direction::Back;
        for (index, cluster) in clusters.iter().enumerate() {
            let hosts: Vec<HostName> = touched.iter().filter(|host| cluster.hosts.contains(host)).cloned().collect();
            if !hosts.is_empty() {
                if let Err(setback) = self.take_cluster_out(cluster, back).await {
                    return self.note(outcome, setback);
                }
                if !self.hosts_back(&hosts, outcome).await {
                    // It stays out, and the others carry the load.
                    return;
                }
            }
            let next = clusters.get(index + 1).filter(|next| next.hosts.iter().any(|host| touched.contains(host)));
            let next = next.copied().filter(|_| self.site.environment.clusters.len() == 2);
            if let Err(setback) = self.bring_cluster_back(cluster, next, back).await {
                return self.note(outcome, setback);
            }
        }
    }

    /// The clusters that have something to be taken back, those first that are out.
    fn concerned(&self, touched: &[HostName], only: Option<&[HostName]>, out: &BTreeSet<ClusterName>) -> Vec<&Cluster> {
        let concerns = |cluster: &&Cluster| {
            let is_touched = cluster.hosts.iter().any(|host| touched.contains(host));
            let is_meant = only.is_none_or(|only| cluster.hosts.iter().any(|host| only.contains(host)));
            is_touched || (is_meant && out.contains(&cluster.name))
        };
        let mut clusters: Vec<&Cluster> = self.site.environment.clusters.iter().rev().filter(concerns).collect();
        clusters.sort_by_key(|cluster| !out.contains(&cluster.name));
        clusters
    }

    /// Takes hosts back side by side; says whether all of them are.
    async fn hosts_back(&self, hosts: &[HostName], outcome: &mut BackedOut) -> bool {
        let outcomes = join_all(hosts.iter().cloned().map(|host| self.take_back(host))).await;
        let setbacks: Vec<Setback> = outcomes.into_iter().filter_map(Result::err).collect();
        let whole = setbacks.is_empty();
        for setback in setbacks {
            self.note(outcome, setback);
        }
        whole
    }

    async fn take_back(&self, host: HostName) -> Result<(), Setback> {
        let Some(station) = self.station(&host) else { return Ok(()) };
        let ways = station.plan.changes.iter().filter(|change| change.moves()).map(|change| change.way_back);
        let (mut lost, mut is_there) = (Vec::new(), true);
        for way in ways {
            // What could not be brought back was not taken away yet, or what can't go back has not run yet: then it can.
            let (gone_with, is_offered) = match way {
                WayBack::Offered => continue,
                WayBack::Refused => (Step::Start, true),
                WayBack::NothingBefore | WayBack::NotOffered => (Step::Install, false),
            };
            is_there &= is_offered;
            if self.has_begun(&host, gone_with).await {
                lost.push(way);
            }
        }
        if !lost.is_empty() {
            return Err(Setback { host, step: None, error: StepError::NoWayBack(lost) });
        }
        let moves = is_there && station.plan.changes.iter().any(Change::moves);
        let steps: Vec<_> = WALK.iter().copied().filter(|step| moves || *step != Step::Install).collect();
        self.steps(station, &steps, Direction::Back).await
    }

    /// Whether a step onward was begun on a host, in this run or an earlier one of the same deployment.
    async fn has_begun(&self, host: &HostName, step: Step) -> bool {
        let state = self.journal.state().await;
        let is_it =
            |begun: &StepRecord| begun.host == *host && begun.step == step && begun.direction == Direction::Onward;
        state.deployment(self.journal.id()).is_some_and(|record| record.steps.iter().any(is_it))
    }

    /// Notes what is not back, or what ended the way back.
    fn note(&self, outcome: &mut BackedOut, setback: Setback) {
        if setback.error.is_end() || matches!(setback.error, StepError::Interrupted) {
            outcome.ended_by.get_or_insert(setback.error);
            return;
        }
        let because = setback.to_string();
        self.tell(Happening::Left { host: setback.host, because: because.clone() });
        outcome.left.push(because);
    }
}
