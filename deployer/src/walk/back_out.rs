//! The way back: every host that was touched, in reverse order, by the same steps.

use super::batches::Setback;
use super::{StepError, Walk};
use crate::HostName;
use crate::journal::Direction;
use crate::observer::Happening;
use crate::plan::WALK;

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
    pub(crate) async fn back_out(&self, unsettled: &[HostName]) -> BackedOut {
        let mut order = self.touched().await;
        order.reverse();
        order.sort_by_key(|host| !unsettled.contains(host));
        let mut outcome = BackedOut::default();
        for host in order {
            match self.take_back(&host).await {
                Ok(()) => {}
                Err(Setback { error, .. }) if error.is_end() || matches!(error, StepError::Interrupted) => {
                    outcome.ended_by = Some(error);
                    return outcome;
                }
                Err(setback) => self.leave(&mut outcome, host, setback.to_string()),
            }
        }
        outcome
    }

    async fn take_back(&self, host: &HostName) -> Result<(), Setback> {
        let Some(station) = self.station(host) else { return Ok(()) };
        if !station.plan.has_way_back() {
            let error = StepError::NoWayBack(
                station.plan.changes.iter().filter(|change| change.moves()).map(|change| change.way_back).collect(),
            );
            return Err(Setback { host: host.clone(), step: None, error });
        }
        self.wait_for_capacity(std::slice::from_ref(host)).await?;
        let moves = station.plan.changes.iter().any(crate::plan::Change::moves);
        let steps: Vec<_> = WALK.iter().copied().filter(|step| moves || *step != crate::plan::Step::Install).collect();
        self.steps(station, &steps, Direction::Back).await
    }

    fn leave(&self, outcome: &mut BackedOut, host: HostName, because: String) {
        self.tell(Happening::Left { host, because: because.clone() });
        outcome.left.push(because);
    }
}
