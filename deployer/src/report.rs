//! What came of a deployment.

use serde::Serialize;

use crate::journal::{Ending, HostReport};
use crate::{DeploymentId, HostName};

/// What came of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Which.
    pub deployment: DeploymentId,
    /// How it ended.
    pub ending: Ending,
    /// Why, where that was not the aim.
    pub reason: Option<String>,
    /// What the hosts of the plan were left with, in the environment's order.
    pub hosts: Vec<HostReport>,
    /// Hosts of the environment that a person wanted left out: nobody looked at them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<HostName>,
}
