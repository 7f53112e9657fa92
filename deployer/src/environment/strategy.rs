//! In what order and how carefully hosts are changed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::reader::{Checked, Located, Reader, Text};
use super::{Cluster, EnvironmentProblem};

/// In what order and how carefully hosts are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strategy {
    /// The order.
    pub kind: StrategyKind,
    /// How many hosts are changed at a time; of a cluster, for clusters.
    pub batch_size: Portion,
    /// How many hosts the balancers must see serving at any time; 0 for clusters, which have a number of their own.
    pub min_serving: usize,
}

/// The order in which hosts are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrategyKind {
    /// Batch after batch, each put back before the next is taken out.
    Rolling,
    /// A few first, which serve for a while; then the rest, batch after batch.
    Canary {
        /// How many come first.
        first: Portion,
        /// How long they serve before the others follow.
        soak: Duration,
    },
    /// Cluster after cluster, each taken out as a whole while another carries all of the load.
    Clusters {
        /// How long a cluster serves the new version before the next one follows.
        soak: Duration,
        /// How many hosts of the others must answer rightly before one is taken out; `None` for all of them.
        min_serving: Option<usize>,
    },
    /// All hosts at the same time: nothing serves meanwhile.
    AllAtOnce,
}

/// So many hosts, or such a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    /// So many. Never 0.
    Count(usize),
    /// So many of a hundred, 1 to 100.
    Percent(usize),
}

impl Portion {
    /// All.
    pub const WHOLE: Self = Self::Percent(100);

    /// How many that is of so many, rounded down; at least one.
    #[must_use]
    pub fn of(self, whole: usize) -> usize {
        match self {
            Self::Count(count) => count.min(whole),
            Self::Percent(percent) => whole * percent / 100,
        }
        .max(1)
    }

    /// The same, rounded up.
    fn at_least(self, whole: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (whole * percent).div_ceil(100),
        }
    }
}

impl fmt::Display for Portion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStrategy {
    kind: Kind,
    batch_size: Option<RawPortion>,
    min_serving: Option<RawPortion>,
    canary: Option<RawPortion>,
    soak: Option<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Rolling,
    Canary,
    Clusters,
    AllAtOnce,
}

/// A portion as it is written; 0 hosts can be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RawPortion(Portion);

impl<'de> Deserialize<'de> for RawPortion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number of hosts, such as 2, or a part of them, such as \"25%\"")]
        enum Written {
            Count(usize),
            Text(String),
        }
        let wrong = || serde::de::Error::custom("a part of the hosts is written as `\"1%\"` to `\"100%\"`");
        match Written::deserialize(deserializer)? {
            Written::Count(count) => Ok(Self(Portion::Count(count))),
            Written::Text(text) => {
                let percent = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
                let percent = percent.filter(|percent| (1..=100).contains(percent)).ok_or_else(wrong)?;
                Ok(Self(Portion::Percent(percent)))
            }
        }
    }
}

/// What the strategy is made for.
pub(super) struct Ground<'a> {
    pub(super) hosts: usize,
    pub(super) clusters: &'a [Cluster],
    pub(super) balanced: bool,
}

impl Reader<'_> {
    pub(super) fn strategy(&self, raw: &Spanned<RawStrategy>, ground: &Ground<'_>) -> Checked<Strategy> {
        let wrong = |problem| Located { span: raw.span(), problem };
        let written = raw.get_ref();
        let mentions = [
            (written.canary.is_some() && written.kind != Kind::Canary, "`canary` is for `kind = \"canary\"`"),
            (
                written.soak.is_some() && matches!(written.kind, Kind::Rolling | Kind::AllAtOnce),
                "`soak` is for `kind = \"canary\"` and `kind = \"clusters\"`",
            ),
            (
                written.kind == Kind::AllAtOnce && (written.batch_size.is_some() || written.min_serving.is_some()),
                "`batch_size` and `min_serving` have no meaning where all hosts go at once",
            ),
            (
                written.kind == Kind::Canary && (written.canary.is_none() || written.soak.is_none()),
                "`kind = \"canary\"` needs `canary` (how many hosts come first) and `soak` (how long they serve alone)",
            ),
        ];
        if let Some((_, rule)) = mentions.into_iter().find(|(applies, _)| *applies) {
            return Err(wrong(EnvironmentProblem::Strategy(rule)));
        }
        let soak = |default| self.time(written.soak.as_ref(), default);
        let batch_size = |default| written.batch_size.map_or(default, |portion| portion.0);
        let kind = match written.kind {
            Kind::Rolling => StrategyKind::Rolling,
            Kind::Canary => StrategyKind::Canary {
                first: written.canary.map_or(Portion::Count(1), |portion| portion.0),
                soak: soak(Duration::from_secs(300))?,
            },
            Kind::Clusters => {
                let min_serving = serving_clusters(written, ground).map_err(wrong)?;
                StrategyKind::Clusters { soak: soak(Duration::from_secs(10))?, min_serving }
            }
            Kind::AllAtOnce => StrategyKind::AllAtOnce,
        };
        let (batch_size, min_serving) = match written.kind {
            Kind::Rolling | Kind::Canary => {
                let batch_size = batch_size(Portion::Count(1));
                (batch_size, serving_beside(batch_size, written.min_serving, ground).map_err(wrong)?)
            }
            Kind::Clusters => (batch_size(Portion::WHOLE), 0),
            Kind::AllAtOnce => (Portion::WHOLE, 0),
        };
        if matches!(kind, StrategyKind::Canary { first: Portion::Count(0), .. }) {
            return Err(wrong(EnvironmentProblem::Strategy("`canary` = 0 hosts is not canary; at least 1 is needed")));
        }
        Ok(Strategy { kind, batch_size, min_serving })
    }
}

fn serving_beside(
    batch_size: Portion,
    min_serving: Option<RawPortion>,
    ground: &Ground<'_>,
) -> Result<usize, EnvironmentProblem> {
    let hosts = ground.hosts;
    let min_serving = match (min_serving, ground.balanced) {
        (None, true) => return Err(EnvironmentProblem::MinServingMissing(hosts.saturating_sub(batch_size.of(hosts)))),
        (Some(RawPortion(Portion::Count(0))) | None, false) => 0,
        (Some(_), false) => return Err(EnvironmentProblem::MinServingUnseen),
        (Some(portion), true) => portion.0.at_least(hosts),
    };
    if batch_size == Portion::Count(0) || min_serving + batch_size.of(hosts) > hosts {
        return Err(EnvironmentProblem::NeverServing { min_serving, batch_size, hosts });
    }
    Ok(min_serving)
}

fn serving_clusters(written: &RawStrategy, ground: &Ground<'_>) -> Result<Option<usize>, EnvironmentProblem> {
    let clustered: usize = ground.clusters.iter().map(|cluster| cluster.hosts.len()).sum();
    if ground.clusters.len() < 2 || clustered < ground.hosts {
        return Err(EnvironmentProblem::Strategy(
            "`kind = \"clusters\"` needs at least two `[[clusters]]`, and every host in one of them",
        ));
    }
    let proxied = ground.clusters.iter().all(|cluster| !cluster.proxies.is_empty());
    if !proxied && !ground.balanced {
        return Err(EnvironmentProblem::Strategy(
            "`kind = \"clusters\"` needs something that takes a cluster out: `proxies` of the clusters and `[[front]]`, \
             or a `[[balancer]]`",
        ));
    }
    let largest = ground.clusters.iter().map(|cluster| cluster.hosts.len()).max().unwrap_or_default();
    let others = ground.hosts - largest;
    let min_serving = written.min_serving.map(|portion| portion.0.at_least(ground.hosts));
    let no_hosts = written.batch_size.is_some_and(|portion| portion.0 == Portion::Count(0));
    if no_hosts || min_serving.is_some_and(|min_serving| min_serving > others) {
        return Err(EnvironmentProblem::NeverServing {
            min_serving: min_serving.unwrap_or(others),
            batch_size: Portion::Count(largest),
            hosts: ground.hosts,
        });
    }
    Ok(min_serving)
}

impl fmt::Display for Strategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, batch_size, min_serving } = self;
        match kind {
            StrategyKind::Rolling => {
                write!(formatter, "rolling, {batch_size} at a time, {min_serving} serving at any time")
            }
            StrategyKind::Canary { first, soak } => write!(
                formatter,
                "canary, {first} first for {} s, then {batch_size} at a time, {min_serving} serving at any time",
                soak.as_secs_f64()
            ),
            StrategyKind::Clusters { soak, min_serving } => {
                let others = min_serving.map_or("all".to_owned(), |count| count.to_string());
                let soak = soak.as_secs_f64();
                write!(formatter, "clusters, {others} of the other hosts answering rightly, each watched for {soak} s")
            }
            StrategyKind::AllAtOnce => write!(formatter, "all at once, with an outage"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_at_least_one_host() {
        for (portion, whole, expected) in [
            (Portion::Count(2), 8, 2),
            (Portion::Count(9), 8, 8),
            (Portion::Percent(25), 8, 2),
            (Portion::Percent(25), 7, 1),
            (Portion::Percent(1), 8, 1),
            (Portion::WHOLE, 8, 8),
        ] {
            assert_eq!(portion.of(whole), expected, "{portion} of {whole}");
        }
        assert_eq!(Portion::Percent(50).at_least(5), 3);
    }
}
