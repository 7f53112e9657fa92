//! Who has to agree to a change.

use serde::{Deserialize, Serialize};

/// Who has to agree before a deployment changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Nobody: a job may deploy on its own.
    None,
    /// A person at a terminal, who has seen the plan and types the environment's name.
    Person,
}
