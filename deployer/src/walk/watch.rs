//! Seeing hosts serve for a while: they answer with their version, and the balancers keep them without more errors.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::{Station, StepError, Walk};
use crate::balancers::{Front, Member};
use crate::site::Interrupt;

/// How often hosts are asked.
const INTERVAL: Duration = Duration::from_secs(1);
/// So many answers in a row may be wrong: one can be lost on its way.
const TOLERATED: usize = 2;
/// How long a balancer may take to see a host serving again that it lost sight of.
const LIMIT: Duration = Duration::from_secs(15);

impl Walk<'_> {
    /// Watches hosts for a while. Changes nothing, so that it ends at once where a person wants it to.
    pub(super) async fn watch(
        &self,
        stations: &[Station<'_>],
        (front, members): (&Front<'_>, &Vec<Member<'_>>),
        time: Duration,
    ) -> Result<Option<String>, StepError> {
        let balancers = async {
            if front.balancers.is_empty() {
                return Ok(());
            }
            let watched =
                members.iter().copied().map(|member| async move { front.keep_in(&member, time, LIMIT).await });
            join_all(watched).await.into_iter().try_for_each(|outcome| outcome.map(drop))
        };
        let answers = join_all(stations.iter().copied().map(|station| self.watch_answers(station, time)));
        tokio::select! {
            (balancers, answers) = async { futures::join!(balancers, answers) } => {
                balancers?;
                answers.into_iter().collect::<Result<(), StepError>>()?;
                let hosts = if stations.len() == 1 { "host" } else { "hosts" };
                Ok(Some(format!("{} {hosts} watched for {} s", stations.len(), time.as_secs_f64())))
            }
            () = self.site.tools.wanted(Interrupt::AfterStep) => Err(StepError::Interrupted),
        }
    }

    async fn watch_answers(&self, station: Station<'_>, time: Duration) -> Result<(), StepError> {
        let began = Instant::now();
        let mut wrong = 0;
        loop {
            match self.healthy_now(station).await {
                Ok(()) => wrong = 0,
                Err(last) if wrong < TOLERATED => {
                    tracing::debug!(host = %station.host.name(), %last, "a wrong answer while watching");
                    wrong += 1;
                }
                Err(last) => return Err(StepError::Lost { after: began.elapsed(), last }),
            }
            if began.elapsed() >= time {
                return Ok(());
            }
            tokio::time::sleep(INTERVAL.min(time)).await;
        }
    }
}
