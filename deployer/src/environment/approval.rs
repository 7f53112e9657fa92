//! Who has to agree to a change.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::EnvironmentProblem;
use super::reader::{Checked, Located, Reader, Text};

/// Who has to agree before a deployment changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Nobody: a job may deploy on its own.
    None,
    /// A person at a terminal, who has seen the plan and types the environment's name.
    Person,
    /// Such a person, and another one, who both sign the plan's digest.
    Two,
}

impl Reader<'_> {
    /// The file of those who may approve, which `two` needs.
    pub(super) fn approvers(&self, approval: Approval, file: Option<&Text>, name: &Text) -> Checked<Option<PathBuf>> {
        if approval == Approval::Two && file.is_none() {
            let problem = EnvironmentProblem::Needs {
                what: "`approval = \"two\"`",
                needs: "`approvers`: the file of those who may sign, as ALLOWED SIGNERS in ssh-keygen(1)",
            };
            return Err(Located { span: name.span(), problem });
        }
        file.map(|file| self.path(file)).transpose()
    }
}
