//! A batch: its hosts side by side, each through its steps, as soon as enough others serve.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::decisions::Halt;
use super::{Station, StepError, Walk};
use crate::HostName;
use crate::journal::Direction;
use crate::plan::{Stage, Step};
use crate::policy::{Decision, StepFailure};

/// How long others may take to be seen serving before a host is taken out.
pub(super) const CAPACITY_LIMIT: Duration = Duration::from_secs(10);
pub(super) const CAPACITY_INTERVAL: Duration = Duration::from_millis(250);

/// A step that failed, and where.
#[derive(Debug)]
pub(crate) struct Setback {
    /// The host; for too little capacity, the one that was to be taken out; for a cluster, its proxy's.
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

impl Setback {
    /// The same, for whoever decides what follows.
    pub(super) fn failure(&self) -> StepFailure {
        let (error, log) = (self.error.to_string(), self.error.log().to_vec());
        StepFailure { host: self.host.clone(), step: self.step, error, log }
    }
}

/// A host and the steps that it still has to make.
type Way<'a> = (Station<'a>, &'static [Step]);

impl<'a> Walk<'a> {
    /// Brings the hosts of a batch to the target, however often it is tried.
    pub(super) async fn batch(&self, stage: &Stage, batch: &[HostName]) -> Result<(), Halt> {
        let mut ways: Vec<Way<'a>> =
            batch.iter().filter_map(|host| self.station(host)).map(|station| (station, station.plan.steps())).collect();
        loop {
            let mut setbacks = match self.wait_where_needed(stage, &ways).await {
                Ok(()) => self.walk(&ways, Direction::Onward).await,
                Err(setback) => vec![setback],
            };
            if setbacks.is_empty() {
                return Ok(());
            }
            match self.decide(stage, batch, &mut setbacks).await? {
                // Without a step nobody was let go: all of them try again.
                Decision::Retry if setbacks.iter().all(|setback| setback.step.is_none()) => {}
                Decision::Retry => ways = ways.into_iter().filter_map(|way| again(way, &setbacks)).collect(),
                _ => {
                    self.skip(setbacks.iter().map(|setback| setback.host.clone())).await;
                    return Ok(());
                }
            }
        }
    }

    /// All hosts side by side; gives what failed.
    pub(super) async fn walk(&self, ways: &[Way<'_>], direction: Direction) -> Vec<Setback> {
        let walks = ways.iter().copied().map(|(station, steps)| self.steps(station, steps, direction));
        join_all(walks).await.into_iter().filter_map(Result::err).collect()
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

    /// Waits for capacity before hosts of their own are taken out; a cluster that is out costs nothing more.
    async fn wait_where_needed(&self, stage: &Stage, ways: &[Way<'_>]) -> Result<(), Setback> {
        if stage.cluster.is_some() || stage.outage {
            return Ok(());
        }
        let leaving: Vec<HostName> = ways
            .iter()
            .filter(|(_, steps)| steps.first() == Some(&Step::Drain))
            .map(|(station, _)| station.host.name().clone())
            .collect();
        self.wait_for_capacity(&leaving).await
    }

    /// Waits until enough others serve for these hosts to be taken out. Hosts that do not serve cost nothing.
    pub(super) async fn wait_for_capacity(&self, leaving: &[HostName]) -> Result<(), Setback> {
        let Some(first) = leaving.first() else { return Ok(()) };
        let setback = |error| Setback { host: first.clone(), step: None, error };
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
}

/// What a host that failed has left to do; nothing for one that did not fail.
///
/// A service that did not come up is started anew: whoever retries has mended something in between.
fn again<'a>((station, steps): Way<'a>, setbacks: &[Setback]) -> Option<Way<'a>> {
    let setback = setbacks.iter().find(|setback| setback.host == *station.host.name())?;
    let from = match setback.step {
        Some(Step::Start | Step::Check) => Step::Stop,
        Some(step) => step,
        None => return Some((station, steps)),
    };
    let position = station.plan.steps().iter().position(|step| *step == from);
    Some((station, &station.plan.steps()[position.unwrap_or(0)..]))
}
