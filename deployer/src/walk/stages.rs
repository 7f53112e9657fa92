//! Onward: everything staged and tested everywhere, then stage after stage.

use futures::FutureExt;

use super::decisions::Halt;
use super::{Setback, Walk};
use crate::HostName;
use crate::environment::HookPoint;
use crate::journal::Direction;
use crate::plan::{Stage, Step, Work};
use crate::policy::Decision;

impl Walk<'_> {
    /// Brings all hosts to the target.
    pub(crate) async fn onward(&self) -> Result<(), Halt> {
        self.prepare().await?;
        self.hooked(HookPoint::BeforeDeploy).await?;
        for stage in &self.plan.stages {
            match stage.cluster.as_ref().and_then(|name| self.site.environment.cluster(name)) {
                Some(cluster) => self.cluster_stage(stage, cluster).await?,
                None => {
                    self.batches(stage).await?;
                    self.soak(stage).await?;
                }
            }
        }
        self.hooked(HookPoint::AfterDeploy).await
    }

    /// Stages and tests everything on every host that changes, before anything is changed anywhere.
    async fn prepare(&self) -> Result<(), Halt> {
        let stage = preparation();
        for step in [&[Step::Stage][..], &[Step::Test][..]] {
            let changing = self.plan.hosts.iter().filter(|plan| plan.work == Work::Change).map(|plan| &plan.host);
            let mut hosts: Vec<HostName> = changing.cloned().collect();
            while !hosts.is_empty() {
                let stations = hosts.iter().filter_map(|host| self.station(host));
                let ways: Vec<_> = stations.map(|station| (station, step)).collect();
                let mut setbacks = self.walk(&ways, Direction::Onward).await;
                hosts = setbacks.iter().map(|setback| setback.host.clone()).collect();
                if !setbacks.is_empty() {
                    self.decide(&stage, &[], &mut setbacks).await?;
                }
            }
        }
        Ok(())
    }

    /// Runs the hooks of a point of the whole deployment.
    async fn hooked(&self, point: HookPoint) -> Result<(), Halt> {
        let Err(error) = self.hooks().at(point, None).await else { return Ok(()) };
        let setback = Setback { host: self.any_host().clone(), step: None, error: error.into() };
        let decision = if self.touched().await.is_empty() { Decision::Stop } else { Decision::BackOut };
        Err(Halt::Decided { decision, because: setback.error.to_string(), batch: Vec::new() })
    }

    /// The batches of a stage, one after the other.
    pub(super) async fn batches(&self, stage: &Stage) -> Result<(), Halt> {
        for batch in &stage.batches {
            self.batch(stage, batch).await?;
        }
        Ok(())
    }

    /// Sees the hosts of a stage serve for as long as the plan says.
    async fn soak(&self, stage: &Stage) -> Result<(), Halt> {
        if stage.soak_milliseconds == 0 {
            return Ok(());
        }
        let skipped = self.skipped().await;
        let hosts = stage.batches.iter().flatten().filter(|host| !skipped.contains(host));
        let stations: Vec<_> = hosts.filter_map(|host| self.station(host)).collect();
        let Some(first) = stations.first() else { return Ok(()) };
        let place = (first.host.name(), None);
        let members = stations.iter().map(|station| super::steps::member(*station)).collect();
        let front = self.front();
        loop {
            let watched = self.watch(&stations, (&front, &members), stage.soak());
            let Err(error) = self.journalled(place, Step::Watch, Direction::Onward, watched.boxed()).await else {
                return Ok(());
            };
            let mut setbacks = vec![Setback { host: place.0.clone(), step: Some(Step::Watch), error }];
            self.decide(stage, &[], &mut setbacks).await?;
        }
    }

    pub(super) fn any_host(&self) -> &HostName {
        self.site.environment.hosts[0].name()
    }
}

/// What goes before the first stage.
fn preparation() -> Stage {
    Stage {
        title: "staging".to_owned(),
        cluster: None,
        batches: Vec::new(),
        hands_over_from: None,
        soak_milliseconds: 0,
        outage: false,
    }
}
