//! One look at an environment: what each host has, and in what it differs from what it should have.

use std::collections::BTreeSet;

use deployer::{Deployer, Drift, HostFacts, HostName, JournalState, ServerState, Sight, brought, drift};
use nevra::Nevra;
use serde::Serialize;

use super::super::deploy;
use crate::exit::Failure;

/// All that one look at an environment tells.
pub(super) struct View {
    pub(super) hosts: Vec<HostStatus>,
    /// What is to be known of the environment as a whole: a deployment that goes on, or was left.
    pub(super) notes: Vec<String>,
    pub(super) sight: Sight,
}

/// One host's line.
#[derive(Debug, Serialize)]
pub(super) struct HostStatus {
    pub(super) host: HostName,
    pub(super) installed: BTreeSet<Nevra>,
    pub(super) service: String,
    pub(super) balancers: Vec<String>,
    pub(super) deployment: Option<String>,
    pub(super) since: Option<chrono::DateTime<chrono::Utc>>,
    pub(super) drift: Vec<DriftText>,
    /// What else is worth knowing: locks, a clock that is off.
    pub(super) remarks: Vec<String>,
    /// Why nothing is known of it but how balancers see it; all else is empty then.
    pub(super) error: Option<String>,
}

/// Something that is not as it should be.
#[derive(Debug, Serialize)]
pub(super) struct DriftText {
    pub(super) kind: &'static str,
    pub(super) text: String,
}

impl View {
    /// Whether everything was seen.
    pub(super) fn is_whole(&self) -> bool {
        self.sight.unseen.is_empty() && self.sight.balancers.is_none()
    }
}

pub(super) async fn look(deployer: &Deployer, order: &[HostName]) -> Result<View, Failure> {
    let (state, sight) = deployer.look().await.map_err(deploy::failure)?;
    let mut drifts = drift(&state, &sight);
    let mut hosts: Vec<HostStatus> = Vec::new();
    for name in order {
        if let Some(found) = sight.facts.hosts.get(name) {
            let drifts = drifts.remove(name).unwrap_or_default();
            hosts.push(status(name, found, &state, &drifts));
        } else if let Some(error) = sight.unseen.get(name) {
            let views = sight.views.get(name).map(Vec::as_slice).unwrap_or_default();
            hosts.push(unknown(name, views, error.to_string()));
        }
    }
    Ok(View { hosts, notes: notes(&state), sight })
}

fn notes(state: &JournalState) -> Vec<String> {
    let mut notes = Vec::new();
    let goes_on = state.unfinished().inspect(|record| {
        let (id, who, until) = (record.id, &record.holder.who, record.until);
        notes.push(if until > chrono::Utc::now() {
            format!("{id} by {who} goes on")
        } else {
            format!("{id} by {who} was left at {}: `pkg resume`", until.format("%H:%M:%SZ"))
        });
    });
    if goes_on.is_none() {
        let out = state.out().into_iter();
        notes.extend(out.map(|cluster| format!("cluster {cluster} was taken out and not brought back: `pkg resume`")));
    }
    notes
}

fn unknown(name: &HostName, views: &[ServerState], error: String) -> HostStatus {
    HostStatus {
        host: name.clone(),
        installed: BTreeSet::new(),
        service: "unknown".to_owned(),
        balancers: views.iter().map(ToString::to_string).collect(),
        deployment: None,
        since: None,
        drift: Vec::new(),
        remarks: Vec::new(),
        error: Some(error),
    }
}

fn status(name: &HostName, found: &HostFacts, state: &JournalState, drifts: &[Drift]) -> HostStatus {
    let brought = found.installed.iter().filter_map(|package| brought(state, name, package)).next_back();
    let text = |drift: &Drift| DriftText { kind: drift.kind(), text: drift.to_string() };
    HostStatus {
        host: name.clone(),
        installed: found.installed.clone(),
        service: found.service.clone(),
        balancers: found.balancers.iter().map(ToString::to_string).collect(),
        deployment: brought.map(|record| record.id.to_string()),
        since: brought.map(|record| record.last),
        drift: drifts.iter().map(text).collect(),
        remarks: found.condition.remarks(),
        error: None,
    }
}
