//! What a deployment has left: less than the facts, which ask for what a plan needs.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use nevra::{Name, Nevra};

use crate::balancers::ServerState;
use crate::environment::Host;
use crate::services::SERVICE;
use crate::site::Site;
use crate::transport::run_checked;
use crate::{HostName, Script};

/// What was left, as far as it could be asked.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// Of each host that answered.
    pub(super) hosts: BTreeMap<HostName, HostAftermath>,
    /// How each balancer sees each host, in the order of the environment.
    pub(super) views: BTreeMap<HostName, Vec<ServerState>>,
}

/// What was left on one host.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostAftermath {
    pub(super) installed: BTreeSet<Nevra>,
    /// The service, as `systemctl is-active` says it.
    pub(super) service: String,
}

impl Aftermath {
    /// Asks all hosts and balancers, side by side.
    pub(super) async fn ask(site: Site<'_>, names: &BTreeSet<&Name>) -> Self {
        let script = Script::new("left", &[SERVICE, include_str!("../scripts/left.sh")])
            .set_words("NAMES", names.iter().map(ToString::to_string));
        let script = &site.environment.service.tell(script);
        let site = &site;
        let hosts = join_all(site.environment.hosts.iter().map(async |host: &Host| {
            let text = run_checked(&*site.tools.transport, &host.endpoint, script).await.ok()?;
            Some((host.name().clone(), HostAftermath::parse(&text)?))
        }));
        let (hosts, views) = futures::join!(hosts, site.balancer_views());
        Self { hosts: hosts.into_iter().flatten().collect(), views: views.unwrap_or_default() }
    }
}

impl HostAftermath {
    /// Reads what `scripts/left.sh` prints; `None` for what it would never print.
    fn parse(text: &str) -> Option<Self> {
        let values = |key: &'static str| text.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(' '));
        let installed = values("installed").map(|package| package.parse().ok()).collect::<Option<_>>()?;
        Some(Self { installed, service: values("service").next()?.to_owned() })
    }
}
