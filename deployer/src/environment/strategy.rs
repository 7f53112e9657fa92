//! In what order and how carefully hosts are changed.

use serde::Deserialize;

use super::EnvironmentProblem;

/// The rolling strategy: batch after batch, each put back before the next is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rolling {
    /// How many hosts are changed at a time, 1 by default.
    pub batch_size: usize,
    /// How many hosts the balancers must see serving at any time.
    pub min_serving: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStrategy {
    #[expect(dead_code, reason = "the one kind there is; a file that names another is refused")]
    pub(super) kind: StrategyKind,
    pub(super) batch_size: Option<usize>,
    pub(super) min_serving: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StrategyKind {
    Rolling,
}

pub(super) fn rolling(
    batch_size: usize,
    min_serving: Option<usize>,
    hosts: usize,
    balanced: bool,
) -> Result<Rolling, EnvironmentProblem> {
    let min_serving = match (min_serving, balanced) {
        (None, true) => return Err(EnvironmentProblem::MinServingMissing(hosts.saturating_sub(batch_size))),
        (Some(1..), false) => return Err(EnvironmentProblem::MinServingUnseen),
        (min_serving, _) => min_serving.unwrap_or(0),
    };
    if batch_size == 0 || min_serving + batch_size.min(hosts) > hosts {
        return Err(EnvironmentProblem::NeverServing { min_serving, batch_size, hosts });
    }
    Ok(Rolling { batch_size, min_serving })
}
