//! In which order hosts are worked on: the strategies.

use std::time::Duration;

use super::{HostPlan, Past, Stage, Work};
use crate::HostName;
use crate::environment::{Environment, Portion, StrategyKind};

/// Orders the hosts that have work, by the environment's strategy.
pub(super) fn stages(environment: &Environment, hosts: &[HostPlan], past: &Past) -> Vec<Stage> {
    // What is out of the balancers already comes first: that costs nobody anything.
    let mut order: Vec<&HostName> =
        hosts.iter().filter(|plan| plan.work != Work::Nothing).map(|plan| &plan.host).collect();
    order.sort_by_key(|host| !past.unsettled.contains(host));
    let (batch_size, all) = (environment.strategy.batch_size, environment.hosts.len());
    let stages = match environment.strategy.kind {
        StrategyKind::Rolling => vec![stage("rolling", &order, batch_size.of(all), Duration::ZERO)],
        StrategyKind::Canary { first, soak } => {
            let canaries: Vec<&HostName> =
                environment.hosts.iter().take(first.of(all)).map(|host| host.name()).collect();
            let (first, rest): (Vec<_>, Vec<_>) = order.into_iter().partition(|host| canaries.contains(host));
            vec![
                stage("canary", &first, batch_size.of(all), soak),
                stage("the rest", &rest, batch_size.of(all), Duration::ZERO),
            ]
        }
        StrategyKind::Clusters { soak, .. } => return clusters(environment, (&order, batch_size), past, soak),
        StrategyKind::AllAtOnce => {
            vec![Stage { outage: true, ..stage("all at once", &order, all, Duration::ZERO) }]
        }
    };
    stages.into_iter().filter(|stage| !stage.batches.is_empty()).collect()
}

fn stage(title: &str, hosts: &[&HostName], batch_size: usize, soak: Duration) -> Stage {
    let batches = hosts.chunks(batch_size).map(|batch| batch.iter().copied().cloned().collect());
    Stage {
        title: title.to_owned(),
        cluster: None,
        batches: batches.collect(),
        hands_over_from: None,
        soak_milliseconds: u64::try_from(soak.as_millis()).unwrap_or(u64::MAX),
        outage: false,
    }
}

/// Cluster after cluster, those first that are out already. Of two, the one comes back at the moment at which the other
/// is taken out: so nobody sees the new version and then the old one.
fn clusters(
    environment: &Environment,
    (order, batch_size): (&[&HostName], Portion),
    past: &Past,
    soak: Duration,
) -> Vec<Stage> {
    let mut clusters: Vec<_> = environment.clusters.iter().collect();
    clusters.sort_by_key(|cluster| !past.out.contains(&cluster.name));
    let mut stages: Vec<Stage> = Vec::new();
    for cluster in clusters {
        let hosts: Vec<&HostName> = order.iter().copied().filter(|host| cluster.hosts.contains(host)).collect();
        if hosts.is_empty() && !past.out.contains(&cluster.name) {
            continue;
        }
        let title = format!("cluster {}", cluster.name);
        let stage = stage(&title, &hosts, batch_size.of(cluster.hosts.len()), soak);
        stages.push(Stage { cluster: Some(cluster.name.clone()), ..stage });
    }
    if let ([first, second], 2) = (&mut stages[..], environment.clusters.len()) {
        first.hands_over_from.clone_from(&second.cluster);
    }
    stages
}
