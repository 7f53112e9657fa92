//! Clusters: one is taken out as a whole while another carries all of the load, and comes back as a whole.

use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use tokio::time::Instant;

use super::batches::{CAPACITY_INTERVAL, CAPACITY_LIMIT};
use super::decisions::Halt;
use super::{Setback, StepError, Walk};
use crate::HostName;
use crate::balancers::{Control, Front, FrontViews, Member, Rotation};
use crate::environment::{Cluster, Host, Proxy, StrategyKind};
use crate::journal::Direction;
use crate::plan::{Stage, Step};

/// How long a balancer must see a cluster serving after it came back.
const SETTLED: Duration = Duration::from_secs(1);
/// How long it may take until then: a check page has to be noticed first.
const RETURN_LIMIT: Duration = Duration::from_secs(60);

impl<'a> Walk<'a> {
    /// Takes a cluster out, deploys to it, brings it back, and watches it.
    pub(super) async fn cluster_stage(&self, stage: &Stage, cluster: &Cluster) -> Result<(), Halt> {
        let onward = Direction::Onward;
        // One whose hosts are done may be in already: whoever took it there died before that was written down.
        if !stage.batches.is_empty() {
            while let Err(setback) = self.take_cluster_out(cluster, onward).await {
                self.decide(stage, &[], &mut vec![setback]).await?;
            }
            self.batches(stage).await?;
        }
        let other = stage.hands_over_from.as_ref().and_then(|name| self.site.environment.cluster(name));
        while let Err(setback) = self.bring_cluster_back(cluster, other, onward).await {
            self.decide(stage, &[], &mut vec![setback]).await?;
        }
        while let Err(setback) = self.watch_cluster(cluster, stage.soak()).await {
            self.decide(stage, &[], &mut vec![setback]).await?;
        }
        Ok(())
    }

    /// Proves that the others can carry the load, takes the cluster out and waits until nothing is there any more.
    pub(super) async fn take_cluster_out(&self, cluster: &Cluster, direction: Direction) -> Result<(), Setback> {
        let place = (self.place(cluster), Some(cluster));
        let (front, members) = (&self.cluster_front(cluster), self.members(cluster));
        let proof = async {
            let views = front.patient_views().await?;
            let is_in = members
                .iter()
                .filter_map(|member| views.get(member.server))
                .flatten()
                .any(|state| state.rotation == Rotation::In);
            // One that is out, or where nothing works, costs nobody anything.
            if is_in && !self.healthy_hosts(&[cluster]).await.is_empty() {
                self.prove_others(cluster, Others::Serving).await?;
            }
            Ok(())
        };
        proof.await.map_err(|error| Setback { host: place.0.clone(), step: None, error })?;
        let told = |seen| self.seen((place.0, Some(&cluster.name)), Step::TakeOut, seen);
        let front = front.clone().telling(&told);
        let work = self.take_members_out(&front, &members);
        self.cluster_step(place, Step::TakeOut, direction, work.boxed()).await
    }

    /// Brings a cluster back; where another is to hand over to it, that one is taken out at the same moment.
    pub(super) async fn bring_cluster_back(
        &self,
        cluster: &Cluster,
        other: Option<&Cluster>,
        direction: Direction,
    ) -> Result<(), Setback> {
        let place = (self.place(cluster), Some(cluster));
        let Some(other) = other else {
            let told = |seen| self.seen((place.0, Some(&cluster.name)), Step::BringBack, seen);
            let work = async {
                let (front, members) = (&self.cluster_front(cluster).telling(&told), self.members(cluster));
                let returns = members
                    .iter()
                    .copied()
                    .map(|member| async move { front.put_back(&member, SETTLED, RETURN_LIMIT).await });
                let seen = join_all(returns).await.into_iter().collect::<Result<Vec<_>, _>>()?;
                Ok(Some(seen.join(", ")))
            };
            return self.cluster_step(place, Step::BringBack, direction, work.boxed()).await;
        };
        let leaving = (self.place(other), Some(other));
        let told = |seen| self.seen((place.0, Some(&cluster.name)), Step::BringBack, seen);
        let leaving_told = |seen| self.seen((leaving.0, Some(&other.name)), Step::TakeOut, seen);
        // Both are in the journal before either begins: whoever resumes looks at both.
        let hand_over = async {
            let (front, members) = (&self.cluster_front(cluster).telling(&told), self.members(cluster));
            self.prove_others(other, Others::Healthy).await?;
            front.hand_over(&members, &self.members(other)).await?;
            let returns = members
                .iter()
                .copied()
                .map(|member| async move { front.put_back(&member, SETTLED, RETURN_LIMIT).await });
            let seen = join_all(returns).await.into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok(Some(format!("{}; takes over from {}", seen.join(", "), other.name)))
        };
        let work = async { self.cluster_step(place, Step::BringBack, direction, hand_over.boxed()).await };
        let mut inner = None;
        let outer = async {
            match work.await {
                Ok(()) => {
                    let front = self.cluster_front(other).telling(&leaving_told);
                    self.take_members_out(&front, &self.members(other)).await
                }
                Err(setback) => {
                    let error = StepError::NotHandedOver(setback.host.clone());
                    inner = Some(setback);
                    Err(error)
                }
            }
        };
        let outcome = self.cluster_step(leaving, Step::TakeOut, direction, outer.boxed()).await;
        match inner {
            Some(setback) => Err(setback),
            None => outcome,
        }
    }

    /// Sees a cluster serve for a while.
    async fn watch_cluster(&self, cluster: &Cluster, time: Duration) -> Result<(), Setback> {
        if time.is_zero() {
            return Ok(());
        }
        let place = (self.place(cluster), Some(cluster));
        let skipped = self.skipped().await;
        let hosts = cluster.hosts.iter().filter(|host| !skipped.contains(host));
        let stations: Vec<_> = hosts.filter_map(|host| self.station(host)).collect();
        let told = |seen| self.seen((place.0, Some(&cluster.name)), Step::Watch, seen);
        let (front, members) = (&self.cluster_front(cluster).telling(&told), self.members(cluster));
        let work = self.watch(&stations, (front, &members), time);
        self.cluster_step(place, Step::Watch, Direction::Onward, work.boxed()).await
    }

    async fn take_members_out(&self, front: &Front<'_>, members: &[Member<'_>]) -> Result<Option<String>, StepError> {
        let left = join_all(members.iter().copied().map(|member| async move { front.take_out(&member).await })).await;
        let left: Vec<String> = left.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        Ok((!left.is_empty()).then(|| left.join(", ")))
    }

    /// Takes the cluster of a host out again that a balancer let in meanwhile.
    pub(super) async fn keep_cluster_out(&self, host: &HostName) -> Result<Option<String>, StepError> {
        let Some(cluster) = self.cluster_out(host) else { return Ok(None) };
        let (front, members) = (&self.cluster_front(cluster), self.members(cluster));
        let forgotten =
            join_all(members.iter().copied().map(|member| async move { front.keep_out(&member).await })).await;
        let forgotten: Vec<String> =
            forgotten.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        Ok((!forgotten.is_empty()).then(|| forgotten.join(", ")))
    }

    /// Waits until enough hosts of the other clusters answer rightly; those of one that serves, where they are to carry
    /// the load at once.
    async fn prove_others(&self, leaving: &Cluster, others: Others) -> Result<(), StepError> {
        let min_serving = self.min_serving_beside(leaving);
        let began = Instant::now();
        loop {
            if self.site.is_interrupted() {
                return Err(StepError::Interrupted);
            }
            let healthy = self.healthy_others(leaving, others).await?;
            if !healthy.is_empty() && healthy.len() >= min_serving {
                return Ok(());
            }
            if began.elapsed() >= CAPACITY_LIMIT {
                let serving = healthy.len();
                return Err(StepError::Capacity { serving, serving_hosts: healthy, min_serving });
            }
            tokio::time::sleep(CAPACITY_INTERVAL).await;
        }
    }

    /// How many hosts of the other clusters must answer rightly: all of them, unless the environment says another number.
    fn min_serving_beside(&self, leaving: &Cluster) -> usize {
        if let StrategyKind::Clusters { min_serving: Some(count), .. } = self.site.environment.strategy.kind {
            return count;
        }
        let others = self.site.environment.clusters.iter().filter(|cluster| cluster.name != leaving.name);
        others.map(|cluster| cluster.hosts.len()).sum()
    }

    async fn healthy_others(&self, leaving: &Cluster, others: Others) -> Result<Vec<HostName>, StepError> {
        let views = match others {
            Others::Serving => Some(self.cluster_front(leaving).patient_views().await?),
            Others::Healthy => None,
        };
        let clusters = self.site.environment.clusters.iter();
        let others = clusters.filter(|cluster| cluster.name != leaving.name);
        let carrying: Vec<&Cluster> = match views {
            None => others.collect(),
            Some(views) => others.filter(|cluster| self.is_serving(cluster, &views)).collect(),
        };
        Ok(self.healthy_hosts(&carrying).await)
    }

    fn is_serving(&self, cluster: &Cluster, views: &FrontViews) -> bool {
        let members = self.members(cluster);
        members.iter().filter_map(|member| views.get(member.server)).flatten().all(|state| state.serving)
    }

    /// The hosts that answer rightly.
    async fn healthy_hosts(&self, clusters: &[&Cluster]) -> Vec<HostName> {
        let skipped = self.skipped().await;
        let hosts = clusters.iter().flat_map(|cluster| &cluster.hosts).filter(|host| !skipped.contains(host));
        let stations: Vec<_> = hosts.filter_map(|host| self.station(host)).collect();
        let answers = join_all(stations.iter().copied().map(|station| self.healthy_now(station))).await;
        let healthy = stations.iter().zip(answers).filter(|(_, answer)| answer.is_ok());
        healthy.map(|(station, _)| station.host.name().clone()).collect()
    }

    async fn cluster_step(
        &self,
        (host, cluster): (&HostName, Option<&Cluster>),
        step: Step,
        direction: Direction,
        work: BoxFuture<'_, Result<Option<String>, StepError>>,
    ) -> Result<(), Setback> {
        let place = (host, cluster.map(|cluster| &cluster.name));
        let outcome = self.journalled(place, step, direction, work).await;
        outcome.map_err(|error| Setback { host: host.clone(), step: Some(step), error })
    }

    /// The host under whose name a cluster's steps are told.
    fn place<'c>(&self, cluster: &'c Cluster) -> &'c HostName {
        cluster.proxies.first().map_or(&cluster.hosts[0], |proxy| &proxy.endpoint.name)
    }

    /// What stands before the clusters: the balancers that are told of proxies, or of the hosts themselves.
    fn cluster_front(&self, cluster: &Cluster) -> Front<'_> {
        if cluster.proxies.is_empty() {
            return self.front();
        }
        self.site.cluster_front(Control::changing(&*self.site.tools.transport, self.fence()))
    }

    fn members<'c>(&self, cluster: &'c Cluster) -> Vec<Member<'c>>
    where
        'a: 'c,
    {
        if !cluster.proxies.is_empty() {
            return cluster.proxies.iter().map(proxy_member).collect();
        }
        let hosts = cluster.hosts.iter().filter_map(|name| self.site.environment.host(name));
        hosts.map(host_member).collect()
    }

    /// The cluster that is out as a whole while a host of it is worked on.
    pub(super) fn cluster_out(&self, host: &HostName) -> Option<&'a Cluster> {
        match self.site.environment.strategy.kind {
            StrategyKind::Clusters { .. } => self.site.environment.cluster_of(host),
            StrategyKind::Rolling | StrategyKind::Canary { .. } | StrategyKind::AllAtOnce => None,
        }
    }
}

/// Which hosts of the other clusters count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// Those that answer rightly, of clusters that the balancers send requests to.
    Serving,
    /// Those that answer rightly.
    Healthy,
}

fn proxy_member(proxy: &Proxy) -> Member<'_> {
    Member { server: &proxy.server, endpoint: &proxy.endpoint }
}

fn host_member(host: &Host) -> Member<'_> {
    Member { server: &host.server, endpoint: &host.endpoint }
}
