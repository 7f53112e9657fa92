//! What each step does on a host.

use std::collections::BTreeMap;
use std::time::Duration;

use nevra::{Evr, Nevra};
use tokio::time::Instant;

use super::{Station, StepError, Walk};
use crate::balancers::{Control, Front, Member, ServerState};
use crate::environment::Endpoint;
use crate::facts::PackageManager;
use crate::health::HealthError;
use crate::journal::Direction;
use crate::plan::{Step, Verb, WayBack};
use crate::transport::{ScriptError, TransportError, run_checked};
use crate::{HostName, Script};

const PACKAGE_MANAGER: &str = include_str!("../scripts/package_manager.sh");
/// How long a connection that broke is tried again at most, before the step counts as failed.
const PATIENCE: Duration = Duration::from_secs(30);
const RECONNECT_INTERVAL: Duration = Duration::from_millis(500);
/// Downloads take their time.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(1800);

impl Walk<'_> {
    /// Does a step; gives what was seen, where that says more than "ok".
    pub(super) async fn perform(
        &self,
        station: Station<'_>,
        step: Step,
        direction: Direction,
    ) -> Result<Option<String>, StepError> {
        match step {
            Step::Stage => self.stage(station).await.map(|()| None),
            Step::Test => self.test(station).await.map(|()| None),
            Step::Drain => self.drain(station).await,
            Step::Stop => {
                let forgotten = self.keep_out(station).await?;
                self.stop_service(station).await.map(|said| forgotten.or(said))
            }
            Step::Install => self.transact(station, direction).await.map(Some),
            Step::Start => {
                let forgotten = self.keep_out(station).await?;
                self.start_service(station, direction).await.map(|said| forgotten.or(said))
            }
            Step::Check => self.check(station, direction).await.map(|()| None),
            Step::PutBack => self.put_back(station).await.map(Some),
            // These are about clusters and stages, and are done where those are.
            Step::TakeOut | Step::BringBack | Step::Watch => Ok(None),
        }
    }

    async fn stage(&self, station: Station<'_>) -> Result<(), StepError> {
        let changes = &station.plan.changes;
        let back = changes.iter().filter(|change| {
            let is_offered = matches!(change.way_back, WayBack::Offered | WayBack::Refused);
            is_offered && !matches!(change.verb, Verb::Nothing | Verb::Repair)
        });
        let (up, down) = self.directions(station, |verb| verb != Verb::Nothing);
        let script = self
            .packaging(station, "stage", include_str!("../scripts/stage.sh"))
            .set_words("UP", up)
            .set_words("DOWN", down)
            .set_words("BACK", back.filter_map(|change| change.from.as_ref()).map(Nevra::with_epoch))
            .time_limit(DOWNLOAD_LIMIT);
        self.run(&station.host.endpoint, &script).await.map(drop)
    }

    async fn test(&self, station: Station<'_>) -> Result<(), StepError> {
        // What is there twice is no matter for rpm's test: one of them goes first.
        let (up, down) = self.directions(station, |verb| !matches!(verb, Verb::Nothing | Verb::Repair));
        let script = self
            .packaging(station, "test", include_str!("../scripts/test.sh"))
            .set_words("UP", up)
            .set_words("DOWN", down)
            .time_limit(DOWNLOAD_LIMIT);
        self.run(&station.host.endpoint, &script).await.map(drop)
    }

    /// What has to come, and what of it lies below what is there: dnf finds that out itself, yum 3 wants to be told.
    fn directions(&self, station: Station<'_>, comes: impl Fn(Verb) -> bool) -> (Vec<String>, Vec<String>) {
        let facts = self.facts.hosts.get(station.host.name());
        let is_above =
            |to: &Nevra| facts.is_some_and(|facts| facts.installed_of(&to.name).any(|there| there.evr > to.evr));
        let coming = station.plan.changes.iter().filter(|change| comes(change.verb)).map(|change| &change.to);
        let (down, up): (Vec<&Nevra>, Vec<&Nevra>) = coming.partition(|to| is_above(to));
        let words = |packages: Vec<&Nevra>| packages.into_iter().map(Nevra::with_epoch).collect();
        (words(up), words(down))
    }

    /// Whether balancers are told of the host itself: not where its cluster goes out and comes back as a whole.
    fn is_told(&self, station: Station<'_>) -> bool {
        self.cluster_out(station.host.name()).is_none_or(|cluster| !cluster.proxies.is_empty())
    }

    /// Takes the host, or its cluster, out again where a balancer has forgotten that it is out.
    async fn keep_out(&self, station: Station<'_>) -> Result<Option<String>, StepError> {
        let of_cluster = self.keep_cluster_out(station.host.name()).await?;
        if !self.is_told(station) {
            return Ok(of_cluster);
        }
        let of_host = self.front().keep_out(&member(station)).await?;
        Ok(of_cluster.or(of_host))
    }

    /// Takes the host out of all balancers.
    async fn drain(&self, station: Station<'_>) -> Result<Option<String>, StepError> {
        if !self.is_told(station) {
            return Ok(Some("its cluster is out".to_owned()));
        }
        let told = |seen| self.seen((station.host.name(), None), Step::Drain, seen);
        let outcome = self.front().telling(&told).take_out(&member(station)).await?;
        self.absent.lock().await.insert(station.host.name().clone(), Instant::now());
        Ok(outcome)
    }

    /// Waits until the host answers with the right version.
    async fn check(&self, station: Station<'_>, direction: Direction) -> Result<(), StepError> {
        let health = &self.site.environment.health;
        let began = Instant::now();
        let (mut successes, mut told) = (0, String::new());
        loop {
            match self.healthy(station, direction).await {
                Ok(()) => {
                    successes += 1;
                    if successes >= health.successes {
                        return Ok(());
                    }
                }
                Err(last) if began.elapsed() >= health.start_timeout => {
                    let log = self.service_log(&station.host.endpoint).await;
                    return Err(StepError::Health { limit: health.start_timeout, last, log });
                }
                Err(last) => {
                    successes = 0;
                    let seen = last.brief();
                    if seen != told {
                        told.clone_from(&seen);
                        self.seen((station.host.name(), None), Step::Check, seen);
                    }
                }
            }
            tokio::time::sleep(health.interval).await;
        }
    }

    /// Asks once whether the host answers with the version that it has after going in a direction.
    async fn healthy(&self, station: Station<'_>, direction: Direction) -> Result<(), HealthError> {
        let version = self.health_version(station, direction);
        self.site.doctor().look(&self.site.environment.health, station.host, version.as_ref()).await
    }

    /// Asks once whether the host answers with the version that it has now.
    pub(super) async fn healthy_now(&self, station: Station<'_>) -> Result<(), HealthError> {
        let finished = self.finished.lock().await.get(station.host.name()).copied();
        let is_there = station.plan.changes.iter().all(|change| change.verb == Verb::Nothing);
        let direction = finished.unwrap_or(if is_there { Direction::Onward } else { Direction::Back });
        self.healthy(station, direction).await
    }

    /// The version that a healthy host tells.
    pub(super) fn health_version(&self, station: Station<'_>, direction: Direction) -> Option<Evr> {
        let name = self.site.environment.health.package.as_ref();
        let changes = &station.plan.changes;
        let change = match name {
            Some(name) => changes.iter().find(|change| change.to.name == *name),
            None => changes.first(),
        };
        match (change, direction) {
            (Some(change), Direction::Onward) => Some(change.to.evr.clone()),
            (Some(change), Direction::Back) => change.from.as_ref().map(|from| from.evr.clone()),
            (None, _) => {
                let facts = self.facts.hosts.get(station.host.name())?;
                facts.installed_of(name?).next().map(|package| package.evr.clone())
            }
        }
    }

    /// Puts the host back and sees that the balancers keep it.
    async fn put_back(&self, station: Station<'_>) -> Result<String, StepError> {
        let retired = self.retire(station).await?;
        if !self.is_told(station) {
            return Ok("comes back with its cluster".to_owned());
        }
        if self.site.environment.balancers.is_empty() {
            return Ok(retired.unwrap_or_else(|| "no balancer".to_owned()));
        }
        let told = |seen| self.seen((station.host.name(), None), Step::PutBack, seen);
        let (front, member) = (self.front().telling(&told), member(station));
        front.let_in(&member).await?;
        let absent = self.absent.lock().await.remove(station.host.name()).map(|since| since.elapsed());
        let health = &self.site.environment.health;
        let seen = front.keep_in(&member, health.watch, health.start_timeout).await?;
        Ok(match absent {
            Some(time) => format!("{seen}; was out for {:.1} s", time.as_secs_f64()),
            None => seen,
        })
    }

    /// The balancers in front of the hosts, for changes.
    pub(super) fn front(&self) -> Front<'_> {
        self.site.front(Control::changing(&*self.site.tools.transport, self.fence()))
    }

    /// How the balancers see the hosts; one that restarts is waited for.
    pub(super) async fn views(&self) -> Result<BTreeMap<HostName, Vec<ServerState>>, StepError> {
        let mut views = self.front().patient_views().await?;
        let hosts = self.site.environment.hosts.iter();
        Ok(hosts.filter_map(|host| Some((host.name().clone(), views.remove(&host.server)?))).collect())
    }

    /// Makes a fenced script that uses the package manager.
    pub(super) fn packaging(&self, station: Station<'_>, name: &'static str, part: &'static str) -> Script {
        let manager = self.facts.hosts.get(station.host.name()).map_or(PackageManager::Dnf4, |facts| facts.manager);
        self.fenced(name, &[PACKAGE_MANAGER, part])
            .set("MANAGER", manager.as_str())
            .set_words("REPOSITORIES", self.site.environment.repositories.iter().cloned())
    }

    /// Runs a script that may be run again, also over a connection that breaks.
    pub(super) async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<String, StepError> {
        let (began, patience) = (Instant::now(), self.site.environment.reconnect_timeout(&endpoint.name).min(PATIENCE));
        loop {
            match run_checked(&*self.site.tools.transport, endpoint, script).await {
                Err(ScriptError::Transport(TransportError::Unreachable { .. })) if began.elapsed() < patience => {
                    tokio::time::sleep(RECONNECT_INTERVAL).await;
                }
                outcome => return Ok(outcome?),
            }
        }
    }
}

pub(super) fn member(station: Station<'_>) -> Member<'_> {
    Member { server: &station.host.server, endpoint: &station.host.endpoint }
}
