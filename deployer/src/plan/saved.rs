//! A plan in a file: made once, looked at, agreed to, and carried out only while it still holds.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use nevra::Nevra;
use serde::{Deserialize, Serialize};

use super::{HostPlan, Plan};
use crate::journal::Action;
use crate::{HostName, Target};

/// The format of plan files that this version writes and reads.
pub const PLAN_FORMAT: u32 = 1;

/// A plan that was written to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// The format, [`PLAN_FORMAT`].
    pub format: u32,
    /// The plan's digest, [`Plan::digest`].
    pub digest: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// What kind of change it is.
    pub action: Action,
    /// The plan.
    pub plan: Plan,
    /// What was worth saying of its hosts when it was made. No part of what is agreed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// Something worth saying before anything changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// What.
    pub text: String,
    /// Of which hosts.
    pub hosts: Vec<HostName>,
}

/// Says why a file is no plan that can be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// It can't be read or written.
    #[error("plan file can't be read or written")]
    File(#[source] std::io::Error),
    /// It is no plan.
    #[error("`{file}` is no plan that `pkg plan --out` wrote")]
    Shape {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is of another version of the format.
    #[error("`{file}` has format {found}; this version of `pkg` knows {PLAN_FORMAT}")]
    Format {
        /// The file.
        file: String,
        /// Its format.
        found: u32,
    },
    /// It was changed after it was written.
    #[error("`{file}` was changed: it says `{said}`, and its plan has `{found}`")]
    Changed {
        /// The file.
        file: String,
        /// The digest in it.
        said: String,
        /// The digest of its plan.
        found: String,
    },
}

impl Plan {
    /// The sha256 of the plan as canonical JSON, as 64 hexadecimal digits: what people sign. Two plans have the same one
    /// only if they do the same, from the same state of the hosts, in the same order.
    #[must_use]
    pub fn digest(&self) -> String {
        // A plan has no map with keys that are no texts, and nothing else that could fail here.
        ::approval::plan_digest(&serde_json::to_value(self).unwrap_or_default())
    }

    /// Says what is different in another plan, a line for each difference that a person should know.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for before in &self.hosts {
            match now.host(&before.host) {
                None => lines.push(format!("`{}` is not there any more", before.host)),
                Some(after) if after == before => {}
                Some(after) => lines.push(format!("`{}`: was {}, is {}", before.host, said(before), said(after))),
            }
        }
        let new = now.hosts.iter().filter(|after| self.host(&after.host).is_none());
        lines.extend(new.map(|after| format!("`{}` is new: {}", after.host, said(after))));
        if self.left_out != now.left_out {
            lines.push(format!("left out were {}, are {}", names(&self.left_out), names(&now.left_out)));
        }
        if self.environment != now.environment {
            lines.push(format!("it is of environment `{}`, this is `{}`", self.environment, now.environment));
        }
        if lines.is_empty() && self.stages != now.stages {
            lines.push("the order of the hosts, or how they are taken out, is another".to_owned());
        }
        lines
    }

    /// What its hosts are to have: the target that leads to the same plan as long as nothing changes.
    #[must_use]
    pub fn target(&self) -> Target {
        let wanted = |host: &HostPlan| host.changes.iter().map(|change| change.to.clone()).collect::<Vec<Nevra>>();
        let hosts = self.hosts.iter().filter(|host| !host.changes.is_empty());
        Target::Hosts(hosts.map(|host| (host.host.clone(), wanted(host))).collect::<BTreeMap<HostName, _>>())
    }
}

fn said(host: &HostPlan) -> String {
    let changes: Vec<String> = host
        .changes
        .iter()
        .map(|change| match &change.from {
            Some(from) => format!("{} `{from}` → `{}`", change.verb, change.to),
            None => format!("{} `{}`", change.verb, change.to),
        })
        .collect();
    if changes.is_empty() { "nothing".to_owned() } else { changes.join(", ") }
}

fn names(hosts: &[HostName]) -> String {
    if hosts.is_empty() { "none".to_owned() } else { hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ") }
}

impl PlanFile {
    /// Makes one of a plan.
    #[must_use]
    pub fn new(plan: Plan, action: Action, made_by: String) -> Self {
        let digest = plan.digest();
        Self { format: PLAN_FORMAT, digest, made_by, made_at: Utc::now(), action, plan, remarks: Vec::new() }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`PlanFileError`] for what is no plan, or was changed since it was written.
    pub fn read(path: &Path) -> Result<Self, PlanFileError> {
        let text = fs_err::read_to_string(path).map_err(PlanFileError::File)?;
        let file = path.display().to_string();
        let read: Self =
            serde_json::from_str(&text).map_err(|source| PlanFileError::Shape { file: file.clone(), source })?;
        if read.format != PLAN_FORMAT {
            return Err(PlanFileError::Format { file, found: read.format });
        }
        let found = read.plan.digest();
        if found != read.digest {
            return Err(PlanFileError::Changed { file, said: read.digest, found });
        }
        Ok(read)
    }

    /// Writes it, in place of what was there, as a whole or not at all.
    ///
    /// # Errors
    /// [`PlanFileError::File`].
    pub fn write(&self, path: &Path) -> Result<(), PlanFileError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| PlanFileError::Shape { file: path.display().to_string(), source })?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Others look at it, and sign it: who may read it is for the umask to say, as with any file.
        let file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory);
        let mut file = file.map_err(PlanFileError::File)?;
        std::io::Write::write_all(&mut file, format!("{text}\n").as_bytes()).map_err(PlanFileError::File)?;
        file.persist(path).map(drop).map_err(|error| PlanFileError::File(error.error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Verb, WayBack, Work};
    use super::*;

    fn plan(from: &str) -> Plan {
        let change = Change {
            from: Some(from.parse().unwrap()),
            to: "app-2-1.noarch".parse().unwrap(),
            verb: Verb::Upgrade,
            way_back: WayBack::Offered,
            beyond: None,
        };
        let hosts = vec![HostPlan { host: "web1".parse().unwrap(), work: Work::Change, changes: vec![change] }];
        Plan { environment: "test".parse().unwrap(), hosts, stages: Vec::new(), left_out: Vec::new() }
    }

    #[test]
    fn a_plan_comes_back_from_its_file_unless_it_was_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.plan");
        let file = PlanFile::new(plan("app-1-1.noarch"), Action::Deploy, "ana".to_owned());
        file.write(&path).unwrap();
        let plain = directory.path().join("plain");
        fs_err::write(&plain, "").unwrap();
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain), "who approves may read it");
        assert_eq!(PlanFile::read(&path).unwrap(), file);
        let text = fs_err::read_to_string(&path).unwrap();
        fs_err::write(&path, text.replace("app-2-1", "app-3-1")).unwrap();
        assert!(matches!(PlanFile::read(&path), Err(PlanFileError::Changed { .. })));
        fs_err::write(&path, "{}").unwrap();
        assert!(matches!(PlanFile::read(&path), Err(PlanFileError::Shape { .. })));
    }

    #[test]
    fn another_state_of_a_host_is_another_plan() {
        let (before, now) = (plan("app-1-1.noarch"), plan("app-1-2.noarch"));
        assert_ne!(before.digest(), now.digest());
        let lines = before.differences(&now);
        assert_eq!(
            lines,
            ["`web1`: was upgrade `app-1-1.noarch` → `app-2-1.noarch`, is upgrade `app-1-2.noarch` → `app-2-1.noarch`"]
        );
        assert!(before.differences(&before).is_empty());
    }
}
