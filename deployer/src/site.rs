//! An environment with the tools to reach it: what can be asked of it without changing anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::balancers::{BalancerError, Control, Front, Member, SHOW_STAT, ServerState};
use crate::environment::{Cluster, Environment, Host, Proxy};
use crate::facts::{Facts, HostFacts, ParseFactsError};
use crate::health::{Doctor, HealthError};
use crate::services::SERVICE;
use crate::transport::{ScriptError, TransportError, run_checked};
use crate::{ClusterName, HealthProbe, HostName, Observer, Policy, Script, Transport};

/// What a deployment works with. Each can be replaced in a test.
#[derive(Clone)]
pub struct Tools {
    /// Reaches the hosts.
    pub transport: Arc<dyn Transport>,
    /// Asks hosts for their health.
    pub health: Arc<dyn HealthProbe>,
    /// Is told what happens.
    pub observer: Arc<dyn Observer>,
    /// Decides what follows a step that failed.
    pub policy: Arc<dyn Policy>,
    /// What a person wants in the middle.
    pub interrupt: watch::Receiver<Interrupt>,
}

impl Tools {
    /// Waits until a person wants at least that much; for ever, where nobody can want anything any more.
    pub(crate) async fn wanted(&self, least: Interrupt) {
        let mut interrupt = self.interrupt.clone();
        let is_wanted = interrupt.wait_for(|wish| *wish >= least).await.is_ok();
        if !is_wanted {
            std::future::pending::<()>().await;
        }
    }
}

/// What a person wants while a deployment goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Interrupt {
    /// It goes on.
    #[default]
    None,
    /// It stops after the current step, in good order.
    AfterStep,
    /// The controller goes at once. What runs on hosts goes on there; `resume` finds it.
    Detach,
}

/// An environment with the tools to reach it.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) tools: &'a Tools,
}

/// Whether the repositories are asked what they offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offers {
    Asked,
    Left,
}

/// Says why a host's facts are not known.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The host does not answer, or not well.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// What it answers are no facts.
    #[error("facts of `{host}` can't be read")]
    Facts {
        /// The host.
        host: HostName,
        /// Why.
        #[source]
        source: ParseFactsError,
    },
    /// A balancer does not answer, or not well.
    #[error(transparent)]
    Balancer(#[from] BalancerError),
    /// A step of an earlier controller does not come to its end.
    #[error("a step of an earlier deployment still runs on `{0}`")]
    Busy(HostName),
}

/// All that is not known of an environment, host by host.
#[derive(Debug)]
pub struct FactsError(Vec<ProbeError>);

/// What could be observed of an environment, and what could not.
#[derive(Debug, Default)]
pub struct Sight {
    /// Of the hosts that answered.
    pub facts: Facts,
    /// Why others did not.
    pub unseen: BTreeMap<HostName, FactsError>,
    /// How the balancers see each host, whether it answered or not.
    pub views: BTreeMap<HostName, Vec<ServerState>>,
    /// Why it is not known how the balancers see the hosts, if it is not.
    pub balancers: Option<FactsError>,
    /// What is wrong with the answers of hosts whose service runs.
    pub unwell: BTreeMap<HostName, HealthError>,
    /// How what stands before the clusters sees each of them, where it is told of proxies.
    pub clusters: BTreeMap<ClusterName, Vec<ServerState>>,
}

impl FactsError {
    /// Adds what else is not known.
    pub(crate) fn join(earlier: Option<Self>, error: ProbeError) -> Self {
        let mut errors = earlier.map(|earlier| earlier.0).unwrap_or_default();
        errors.push(error);
        Self(errors)
    }

    /// Whether a host is what is not known, and not a balancer.
    #[must_use]
    pub fn is_about_hosts(&self) -> bool {
        self.0.iter().any(|error| !matches!(error, ProbeError::Balancer(_)))
    }

    /// What can be done about it, one text for each kind of trouble.
    #[must_use]
    pub fn hints(&self) -> BTreeSet<&'static str> {
        self.0.iter().filter_map(ProbeError::hint).collect()
    }
}

impl ProbeError {
    fn hint(&self) -> Option<&'static str> {
        let (Self::Script(error) | Self::Balancer(BalancerError::Script(error))) = self else { return None };
        match error {
            ScriptError::Transport(TransportError::Unreachable { .. }) => Some(
                "does `ssh` with the options of the environment reach the host without a question? Its key has to be \
                 known beforehand (`ssh-keyscan`, known_hosts)",
            ),
            ScriptError::Failed { status: COMMAND_NOT_FOUND, .. } => {
                Some("install it there: hosts need dnf or yum, and sudo if `sudo = true`; balancers need socat")
            }
            ScriptError::Failed { output, .. } if output.contains("sudo: ") => Some(
                "the login has to become root by `sudo -n`: `pkg hosts prepare ENV --user root` writes the rule for the \
                 login that `[standard] sudo_user` names",
            ),
            ScriptError::Failed { status: NO_OFFERS, output, .. } if output.contains("its clock is ") => {
                Some("set that host's clock, and keep it by NTP (`timedatectl`, chrony)")
            }
            ScriptError::Failed { status: NO_OFFERS, output, .. } if output.contains("signature") => Some(
                "does `gpgkey` in the host's .repo file name the key that the repository is signed with \
                 (SERVER/keys/repository.asc)?",
            ),
            ScriptError::Failed { status: NO_OFFERS, .. } => Some(
                "are the environment's repositories configured on the host (`curl -o /etc/yum.repos.d/CHANNEL.repo \
                 SERVER/CHANNEL/CHANNEL.repo`), and does the repository server run?",
            ),
            ScriptError::Failed { script: SHOW_STAT, .. } => {
                Some("is HAProxy running there, and is `socket` its admin socket (`stats socket PATH level admin`)?")
            }
            _ => None,
        }
    }
}

/// What a shell says of a program that is not there.
const COMMAND_NOT_FOUND: i32 = 127;
/// What `scripts/facts.sh` says where the repositories can't be asked.
const NO_OFFERS: i32 = 73;

impl fmt::Display for FactsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(formatter, "{separator}{error}")?;
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                write!(formatter, ": {error}")?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl std::error::Error for FactsError {}

/// How long a transaction that an earlier controller began is waited for.
const BUSY_LIMIT: Duration = Duration::from_secs(600);
const BUSY_INTERVAL: Duration = Duration::from_millis(500);
/// Repositories that answer slowly are still answered.
const FACTS_LIMIT: Duration = Duration::from_secs(180);

impl Site<'_> {
    /// Observes all hosts and balancers, side by side.
    ///
    /// `names` gives the names that packages of interest may have on a host.
    pub(crate) async fn facts<N>(&self, names: N, offers: Offers) -> Result<Facts, FactsError>
    where
        N: Fn(&HostName) -> BTreeSet<String>,
    {
        let sight = self.look(names, offers).await;
        let errors: Vec<ProbeError> =
            sight.unseen.into_values().chain(sight.balancers).flat_map(|errors| errors.0).collect();
        if errors.is_empty() { Ok(sight.facts) } else { Err(FactsError(errors)) }
    }

    /// Observes what can be observed of all hosts and balancers, side by side.
    pub(crate) async fn look<N>(&self, names: N, offers: Offers) -> Sight
    where
        N: Fn(&HostName) -> BTreeSet<String>,
    {
        let hosts = join_all(self.environment.hosts.iter().map(|host| {
            let names = names(host.name());
            async move { (host.name().clone(), self.host_facts(host, names, offers).await) }
        }));
        let (hosts, views) = futures::join!(hosts, self.balancer_views());
        let mut sight = Sight::default();
        for (name, found) in hosts {
            match found {
                Ok(found) => drop(sight.facts.hosts.insert(name, found)),
                Err(error) => drop(sight.unseen.insert(name, FactsError(vec![error]))),
            }
        }
        match views {
            Ok(views) => {
                for (name, found) in &mut sight.facts.hosts {
                    found.balancers = views.get(name).cloned().unwrap_or_default();
                }
                sight.views = views;
            }
            Err(error) => sight.balancers = Some(FactsError(vec![error])),
        }
        sight
    }

    /// Observes one host, but not how the balancers see it.
    pub(crate) async fn host_facts(
        &self,
        host: &Host,
        names: BTreeSet<String>,
        offers: Offers,
    ) -> Result<HostFacts, ProbeError> {
        let parts = [include_str!("scripts/package_manager.sh"), SERVICE, include_str!("scripts/facts.sh")];
        let asked = offers == Offers::Asked && !names.is_empty();
        let script = Script::new("facts", &parts)
            .set("ENVIRONMENT", self.environment.name.as_str())
            .set("OFFERS", if asked { "yes" } else { "no" })
            .set("NOW", chrono::Utc::now().timestamp().to_string())
            .set_words("REPOSITORIES", self.environment.repositories.iter().cloned())
            .set_words("NAMES", names)
            .time_limit(FACTS_LIMIT);
        let script = self.environment.service.tell(script);
        let began = Instant::now();
        loop {
            let text = run_checked(&*self.tools.transport, &host.endpoint, &script).await?;
            let facts =
                HostFacts::parse(&text).map_err(|source| ProbeError::Facts { host: host.name().clone(), source })?;
            if !facts.busy || offers == Offers::Left {
                return Ok(facts);
            }
            if began.elapsed() > BUSY_LIMIT {
                return Err(ProbeError::Busy(host.name().clone()));
            }
            tokio::time::sleep(BUSY_INTERVAL).await;
        }
    }

    /// Asks all balancers how they see the hosts: per host, one state per balancer.
    pub(crate) async fn balancer_views(&self) -> Result<BTreeMap<HostName, Vec<ServerState>>, ProbeError> {
        let mut views = self.front(Control::looking(&*self.tools.transport)).views().await?;
        let of_host = |host: &Host| Some((host.name().clone(), views.remove(&host.server)?));
        Ok(self.environment.hosts.iter().filter_map(of_host).collect())
    }

    /// Asks what stands before the clusters how it sees them; nothing where it is not told of proxies.
    pub(crate) async fn cluster_views(&self) -> Result<BTreeMap<ClusterName, Vec<ServerState>>, ProbeError> {
        let front = self.cluster_front(Control::looking(&*self.tools.transport));
        if front.members.is_empty() {
            return Ok(BTreeMap::new());
        }
        let views = front.views().await?;
        let of_cluster = |cluster: &Cluster| {
            let proxies = cluster.proxies.iter().filter_map(|proxy| views.get(&proxy.server));
            (cluster.name.clone(), proxies.flatten().cloned().collect())
        };
        let with_proxies = self.environment.clusters.iter().filter(|cluster| !cluster.proxies.is_empty());
        Ok(with_proxies.map(of_cluster).collect())
    }

    /// What stands before the proxies of all clusters.
    pub(crate) fn cluster_front<'b>(&'b self, control: Control<'b>) -> Front<'b> {
        let proxies = self.environment.clusters.iter().flat_map(|cluster| &cluster.proxies);
        let member = |proxy: &'b Proxy| Member { server: &proxy.server, endpoint: &proxy.endpoint };
        Front {
            balancers: &self.environment.front,
            control,
            members: proxies.map(member).collect(),
            port: None,
            told: None,
        }
    }

    /// The balancers in front of the hosts.
    pub(crate) fn front<'b>(&'b self, control: Control<'b>) -> Front<'b> {
        let member = |host: &'b Host| Member { server: &host.server, endpoint: &host.endpoint };
        Front {
            balancers: &self.environment.balancers,
            control,
            members: self.environment.hosts.iter().map(member).collect(),
            port: self.environment.service.port,
            told: None,
        }
    }

    /// Who looks whether hosts are well.
    pub(crate) fn doctor(&self) -> Doctor<'_> {
        Doctor { probe: &*self.tools.health, transport: &*self.tools.transport }
    }

    /// Whether a person wants it to stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        *self.tools.interrupt.borrow() != Interrupt::None
    }
}
