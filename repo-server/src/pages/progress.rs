//! How far a deployment is: a row for each host, a column for each step.

use std::collections::{BTreeMap, BTreeSet};

use repo_api::StepInfo;
use serde::Serialize;

use super::written::seconds;

/// The step that ends a host's walk.
const LAST: &str = "put_back";

/// How far a deployment is.
#[derive(Debug, Serialize)]
pub(super) struct Progress {
    /// How many hosts are through, and how many there are to be.
    through: usize,
    of: usize,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Column {
    step: String,
    is_back: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    host: String,
    cells: Vec<Option<Cell>>,
}

#[derive(Debug, Clone, Serialize)]
struct Cell {
    /// `ok`, `failed`, or `running`.
    state: String,
    took: Option<String>,
}

/// A step, and whether it is one of the way back.
type StepOfWay<'a> = (&'a str, bool);

impl Progress {
    /// Hosts and steps stand in the order in which they came; of a step that was tried again, the last try counts.
    pub(super) fn of(steps: &[StepInfo], hosts: usize) -> Self {
        let mut columns: Vec<StepOfWay<'_>> = Vec::new();
        let mut rows: Vec<(&str, BTreeMap<StepOfWay<'_>, Cell>)> = Vec::new();
        let mut through = BTreeSet::new();
        for step in steps {
            let column = (step.step.as_str(), step.direction == "back");
            if !columns.contains(&column) {
                columns.push(column);
            }
            let known = rows.iter().position(|(host, _)| *host == step.host);
            let row = known.unwrap_or_else(|| {
                rows.push((&step.host, BTreeMap::new()));
                rows.len() - 1
            });
            let state = step.result.clone().unwrap_or_else(|| "running".to_owned());
            if column == (LAST, false) && state == "ok" {
                through.insert(step.host.as_str());
            }
            rows[row].1.insert(column, Cell { state, took: step.milliseconds.map(seconds) });
        }
        let row = |(host, cells): &(&str, BTreeMap<StepOfWay<'_>, Cell>)| Row {
            host: (*host).to_owned(),
            cells: columns.iter().map(|column| cells.get(column).cloned()).collect(),
        };
        Self {
            through: through.len(),
            of: hosts.max(rows.len()),
            rows: rows.iter().map(row).collect(),
            columns: columns
                .iter()
                .map(|(step, is_back)| Column { step: step.replace('_', " "), is_back: *is_back })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_for_each_host() {
        let step = |host: &str, step: &str, direction: &str, result: Option<&str>| StepInfo {
            host: host.to_owned(),
            step: step.to_owned(),
            direction: direction.to_owned(),
            began: chrono::DateTime::default(),
            milliseconds: result.map(|_| 1500),
            result: result.map(str::to_owned),
            detail: None,
            log: Vec::new(),
        };
        let steps = [
            step("web1", "drain", "onward", Some("ok")),
            step("web1", "put_back", "onward", Some("ok")),
            step("web2", "drain", "onward", Some("failed")),
            step("web2", "drain", "onward", None),
            step("web1", "drain", "back", Some("ok")),
        ];
        let progress = Progress::of(&steps, 3);
        assert_eq!((progress.through, progress.of), (1, 3));
        let columns: Vec<_> = progress.columns.iter().map(|column| (column.step.as_str(), column.is_back)).collect();
        assert_eq!(columns, [("drain", false), ("put back", false), ("drain", true)]);
        let states = |row: usize| -> Vec<Option<&str>> {
            progress.rows[row].cells.iter().map(|cell| cell.as_ref().map(|cell| cell.state.as_str())).collect()
        };
        assert_eq!(states(0), [Some("ok"), Some("ok"), Some("ok")]);
        assert_eq!(states(1), [Some("running"), None, None]);
    }
}
