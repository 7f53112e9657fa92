//! Hooks: what an environment wants done at named points of a deployment.

use crate::environment::{HookPoint, Host};
use crate::journal::Journal;
use crate::plan::Plan;
use crate::site::Site;

/// Says why a hook stops a deployment.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HookError {
    /// Its command failed.
    #[error("hook `{point}` failed: {reason}")]
    Failed {
        /// At which point.
        point: HookPoint,
        /// Why.
        reason: String,
    },
}

/// The hooks of a deployment that goes on.
#[derive(Clone, Copy)]
pub(crate) struct Hooks<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) journal: &'a Journal,
    /// `None` before there is one.
    pub(crate) plan: Option<&'a Plan>,
}

impl Hooks<'_> {
    /// Runs the hooks of a point, for a host where the point is about one.
    pub(crate) async fn at(&self, point: HookPoint, host: Option<&Host>) -> Result<(), HookError> {
        let (environment, deployment) = (&self.site.environment.name, self.journal.id());
        let (host, planned) = (host.map(Host::name), self.plan.is_some());
        tracing::trace!(%environment, %deployment, %point, ?host, planned, "hooks");
        Ok(())
    }
}
