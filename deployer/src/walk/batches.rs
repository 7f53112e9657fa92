//! Onward: everything staged and tested everywhere, then batch after batch.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::{Station, StepError, Walk};
use crate::HostName;
use crate::journal::Direction;
use crate::plan::{Step, Work};

/// How long others may take to be seen serving before a host is taken out.
const CAPACITY_LIMIT: Duration = Duration::from_secs(10);
const CAPACITY_INTERVAL: Duration = Duration::from_millis(250);

/// A step that failed, and where.
#[derive(Debug)]
pub(crate) struct Setback {
    /// The host; for too little capacity, the one that was to be taken out.
    pub(crate) host: HostName,
    /// The step; `None` where none was begun.
    pub(crate) step: Option<Step>,
    /// Why.
    pub(crate) error: StepError,
}

impl std::fmt::Display for Setback {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.step {
            Some(step) => write!(formatter, "`{}`: {step} failed: {}", self.host, self.error),
            None => write!(formatter, "`{}` stays as it is: {}", self.host, self.error),
        }
    }
}

impl Walk<'_> {
    /// Brings all hosts to the target.
    pub(crate) async fn onward(&self) -> Result<(), Setback> {
        let changing = || self.plan.hosts.iter().filter(|plan| plan.work == Work::Change).map(|plan| &plan.host);
        for steps in [&[Step::Stage][..], &[Step::Test][..]] {
            let stations = changing().filter_map(|host| self.station(host));
            first_setback(join_all(stations.map(|station| self.steps(station, steps, Direction::Onward))).await)?;
        }
        for batch in &self.plan.batches {
            self.wait_for_capacity(batch).await?;
            let stations = batch.iter().filter_map(|host| self.station(host));
            let walks = stations.map(|station| self.steps(station, station.plan.steps(), Direction::Onward));
            first_setback(join_all(walks).await)?;
        }
        Ok(())
    }

    /// Makes steps on one host, in order.
    pub(super) async fn steps(
        &self,
        station: Station<'_>,
        steps: &[Step],
        direction: Direction,
    ) -> Result<(), Setback> {
        for step in steps {
            self.step(station, *step, direction).await.map_err(|error| Setback {
                host: station.host.name().clone(),
                step: Some(*step),
                error,
            })?;
        }
        Ok(())
    }

    /// Waits until enough others serve for these hosts to be taken out. Hosts that do not serve cost nothing.
    pub(super) async fn wait_for_capacity(&self, leaving: &[HostName]) -> Result<(), Setback> {
        let setback = |error| Setback { host: leaving.first().unwrap_or(self.any_host()).clone(), step: None, error };
        if self.site.environment.balancers.is_empty() {
            return Ok(());
        }
        let min_serving = self.site.environment.strategy.min_serving;
        let began = Instant::now();
        loop {
            if self.site.is_interrupted() {
                return Err(setback(StepError::Interrupted));
            }
            let views = self.views().await.map_err(setback)?;
            let is_leaving = |host: &HostName| leaving.contains(host);
            let serving = views.iter().filter(|(_, view)| view.iter().all(|state| state.serving));
            let (losing, staying): (Vec<_>, Vec<_>) = serving.map(|(host, _)| host.clone()).partition(is_leaving);
            if losing.is_empty() || staying.len() >= min_serving {
                return Ok(());
            }
            if began.elapsed() >= CAPACITY_LIMIT {
                let serving = staying.len();
                return Err(setback(StepError::Capacity { serving, serving_hosts: staying, min_serving }));
            }
            tokio::time::sleep(CAPACITY_INTERVAL).await;
        }
    }

    fn any_host(&self) -> &HostName {
        self.site.environment.hosts[0].name()
    }
}

/// Gives the first failure, one that ends everything before all others.
fn first_setback(outcomes: Vec<Result<(), Setback>>) -> Result<(), Setback> {
    let mut setbacks: Vec<Setback> = outcomes.into_iter().filter_map(Result::err).collect();
    setbacks.sort_by_key(|setback| !setback.error.is_end());
    setbacks.into_iter().next().map_or(Ok(()), Err)
}
