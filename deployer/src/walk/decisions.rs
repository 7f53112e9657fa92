//! What follows steps that failed: it is asked for, written down, and turned into the walk's way on or its end.

use super::{Setback, StepError, Walk};
use crate::HostName;
use crate::environment::HookPoint;
use crate::journal::Entry;
use crate::observer::Happening;
use crate::plan::{Stage, Step};
use crate::policy::{Decision, Pause};

/// Why a walk does not come to its end.
#[derive(Debug)]
pub(crate) enum Halt {
    /// This controller may change nothing any more.
    End(StepError),
    /// A person stopped it.
    Interrupted,
    /// It was decided, because of this.
    Decided {
        /// What.
        decision: Decision,
        /// Why.
        because: String,
        /// The hosts of the batch that failed.
        batch: Vec<HostName>,
    },
}

impl From<StepError> for Halt {
    fn from(error: StepError) -> Self {
        Self::End(error)
    }
}

impl Walk<'_> {
    /// Asks what follows; gives back only what the walk goes on with: to try again, or to pass the failed hosts over.
    pub(super) async fn decide(
        &self,
        stage: &Stage,
        batch: &[HostName],
        setbacks: &mut Vec<Setback>,
    ) -> Result<Decision, Halt> {
        // Nothing more can be written: whoever comes next finds the steps that were begun.
        if let Some(end) = setbacks.iter().position(|setback| setback.error.is_end()) {
            return Err(Halt::End(setbacks.swap_remove(end).error));
        }
        let because = setbacks.iter().map(Setback::to_string).collect::<Vec<_>>().join("; ");
        let halt = |decision| Halt::Decided { decision, because: because.clone(), batch: batch.to_vec() };
        if setbacks.iter().any(|setback| matches!(setback.error, StepError::Interrupted)) {
            return Err(Halt::Interrupted);
        }
        if let Err(error) = self.hooks().at(HookPoint::OnFailure, None).await {
            tracing::warn!(%error, "a failure is not told");
        }
        let pause = Pause {
            deployment: self.journal.id(),
            stage: stage.title.clone(),
            batch: batch.to_vec(),
            failures: setbacks.iter().map(Setback::failure).collect(),
            skipped: self.skipped().await,
            touched: self.touched().await,
            choices: self.choices(batch, setbacks).await,
        };
        let deployment = self.journal.id();
        self.journal.write(Entry::Paused { deployment, pause: pause.clone() }).await.map_err(StepError::from)?;
        self.tell(Happening::Paused { pause: pause.clone() });
        let decision = self.site.tools.policy.decide(self.site.environment, &pause).await;
        let decision = if pause.choices.contains(&decision) { decision } else { Decision::Stop };
        self.journal.write(Entry::Decided { deployment, decision }).await.map_err(StepError::from)?;
        self.tell(Happening::Decided { decision });
        match decision {
            Decision::Retry | Decision::Skip => Ok(decision),
            Decision::BackOutBatch | Decision::BackOut | Decision::Stop => Err(halt(decision)),
        }
    }

    /// What can be decided: hosts that did not change can't be taken back, and only hosts can be passed over.
    async fn choices(&self, batch: &[HostName], setbacks: &[Setback]) -> Vec<Decision> {
        let touched = self.touched().await;
        let of_host = |setback: &Setback| batch.contains(&setback.host) && setback.step.is_some_and(Step::touches);
        let beyond = touched.iter().any(|host| !batch.contains(host));
        let in_batch = touched.iter().any(|host| batch.contains(host));
        [
            (Decision::Retry, true),
            (Decision::Skip, setbacks.iter().all(of_host)),
            (Decision::BackOutBatch, beyond && in_batch),
            (Decision::BackOut, !touched.is_empty()),
            (Decision::Stop, true),
        ]
        .into_iter()
        .filter_map(|(decision, can)| can.then_some(decision))
        .collect()
    }
}
