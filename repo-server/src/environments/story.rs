//! The whole story of one deployment, out of its entries.

use ledger::Commit;
use repo_api::StepInfo;
use serde_json::Value;

use super::entry::{Entry, step_name};

/// Adds the steps that further commits tell of, in the order in which they began.
pub(super) fn tell(steps: &mut Vec<StepInfo>, id: &str, commits: &[Commit<Value>]) {
    let about = commits.iter().filter(|commit| Entry::deployment(&commit.payload) == Some(id));
    let entries = about.filter_map(|commit| Some((commit, Entry::read(&commit.payload).ok()?)));
    let parts = entries.flat_map(|(commit, entry)| {
        let parts = if let Entry::Steps { steps } = entry { steps } else { vec![entry] };
        parts.into_iter().map(move |entry| (commit, entry))
    });
    for (commit, entry) in parts {
        match entry {
            Entry::StepBegun { host, step, direction, .. } => steps.push(StepInfo {
                host,
                step: step_name(&step),
                direction,
                began: commit.at,
                milliseconds: None,
                result: None,
                detail: None,
                log: Vec::new(),
            }),
            Entry::StepEnded { host, step, result, milliseconds, .. } => {
                let name = step_name(&step);
                let begun = steps.iter_mut().rev().find(|begun| begun.host == host && begun.step == name);
                if let Some(begun) = begun {
                    begun.milliseconds = Some(milliseconds);
                    begun.detail = result.detail.or(result.error);
                    begun.result = Some(result.is);
                    begun.log = result.log;
                }
            }
            _ => {}
        }
    }
}
