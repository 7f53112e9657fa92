//! Every fault at every moment: a controller that dies, one that wakes up too late, connections and answers that fail.
//!
//! The fleet itself watches that nothing stopped gets requests and that enough of it serves at any time.

use std::pin::pin;
use std::sync::Arc;

use deployer::{
    Author, DeployError, Deployer, Ending, Entry, Identity, JournalError, JournalState, Report, Request, Tools,
};
use ledger::Ledger;

use crate::fate::{At, Commits, Deed, Fate, FatedLedger, FatedTransport, Moment, Side};
use crate::strategies::{CLUSTERS, site};
use crate::{Answer, Events, Site};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rolling,
    Canary,
    Clusters,
}

/// What is being done when the fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    Deploy,
    Rollback,
    /// A version that is not healthy on one host: everything is taken back.
    Broken,
}

const OLD: &str = "1.0-1";
const NEW: &str = "1.1-1";

impl Story {
    const ALL: [Self; 3] = [Self::Deploy, Self::Rollback, Self::Broken];

    fn request(self) -> Request {
        match self {
            Self::Rollback => Request::Rollback(None),
            Self::Deploy | Self::Broken => Request::Deploy(vec![format!("app-{NEW}").parse().unwrap()]),
        }
    }

    fn start(self) -> &'static str {
        if self == Self::Rollback { NEW } else { OLD }
    }

    /// What runs everywhere in the end, unless it is taken back.
    fn end(self) -> &'static str {
        if self == Self::Deploy { NEW } else { OLD }
    }
}

/// A fleet, its ledger, and what is done.
struct Trial {
    site: Site,
    commits: Commits,
    story: Story,
    name: String,
}

impl Trial {
    async fn new(kind: Kind, story: Story, name: String) -> Self {
        let (strategy, clusters, must_serve) = match kind {
            Kind::Rolling => ("kind = \"rolling\"\nbatch_size = 2\nmin_serving = 2", "", 2),
            Kind::Canary => ("kind = \"canary\"\ncanary = 1\nsoak = \"2s\"\nmin_serving = 3", "", 3),
            Kind::Clusters => ("kind = \"clusters\"\nsoak = \"1s\"", CLUSTERS, 2),
        };
        let site = site(strategy, clusters);
        site.fleet.must_serve(must_serve);
        let trial = Self { site, commits: Commits::default(), story, name };
        if story == Story::Rollback {
            let report = trial.run(Story::Deploy.request(), &Fate::kind()).await.unwrap().unwrap();
            assert_eq!(report.ending, Ending::Done);
        }
        if story == Story::Broken {
            trial.site.fleet.breaks("web3", NEW);
        }
        trial.site.fleet.happened();
        trial
    }

    fn ledger(&self, fate: &Arc<Fate>) -> Ledger<Entry> {
        let server = FatedLedger { commits: self.commits.clone(), fate: Arc::clone(fate) };
        Ledger::remote(Arc::new(server), "environments/test")
    }

    fn deployer(&self, fate: &Arc<Fate>) -> Deployer {
        let tools = Tools {
            transport: Arc::new(FatedTransport::new(self.site.fleet.clone(), Arc::clone(fate))),
            health: Arc::new(self.site.fleet.clone()),
            observer: Arc::new(Events::default()),
            policy: Arc::clone(&self.site.policy),
            interrupt: self.site.interrupt.subscribe(),
        };
        Deployer::with_ledger(self.site.environment(), self.ledger(fate), tools)
    }

    /// Runs a request until its end, or until its controller dies.
    async fn run(&self, request: Request, fate: &Arc<Fate>) -> Option<Result<Report, DeployError>> {
        let deployer = self.deployer(fate);
        tokio::select! {
            biased;
            end = act(&deployer, request) => Some(end),
            () = fate.stands_still() => None,
        }
    }

    async fn state(&self) -> JournalState {
        self.deployer(&Fate::kind()).journal().await.unwrap()
    }

    /// Lets the lease of a dead controller end.
    async fn end_lease(&self, state: &JournalState) {
        if let Some(record) = state.unfinished() {
            let entry =
                Entry::Extended { deployment: record.id, until: chrono::Utc::now() - chrono::TimeDelta::seconds(1) };
            let author = Author { who: "ana".to_owned(), from: "test".to_owned(), why: None };
            self.ledger(&Fate::kind()).append(&state.position, author, entry).await.unwrap();
        }
    }

    /// Has another controller finish what is left, or take it back, and sees that all is well.
    async fn recover(&self, way: &Request) {
        let name = &self.name;
        let state = self.state().await;
        self.end_lease(&state).await;
        let begun = state.deployments.len() == if self.story == Story::Rollback { 2 } else { 1 };
        let so_far = self.site.fleet.happened();
        let settled = so_far.iter().filter_map(|what| what.split_once(" → ")).map(|(host, _)| host.to_owned());
        let unsettled = state.unsettled();
        let settled: Vec<String> =
            settled.filter(|host| !unsettled.iter().any(|other| other.as_str() == host)).collect();
        let expected = match self.run(way.clone(), &Fate::kind()).await.unwrap() {
            Ok(report) => {
                let takes_back = matches!(way, Request::BackOut) || self.story == Story::Broken;
                let expected = if takes_back { Ending::RolledBack } else { Ending::Done };
                assert_eq!(report.ending, expected, "{name}: {:?}", report.reason);
                if takes_back { self.story.start() } else { self.story.end() }
            }
            Err(DeployError::Journal(JournalError::NothingToResume(_))) if begun => self.story.end(),
            Err(DeployError::Journal(JournalError::NothingToResume(_))) => self.story.start(),
            Err(error) => panic!("{name}: {error}"),
        };
        let happened = self.site.fleet.happened();
        if self.story == Story::Deploy && matches!(way, Request::Resume) {
            for host in &settled {
                let again = format!("{host} stop");
                assert!(!happened.contains(&again), "{name}: {again} again: {happened:?}");
            }
            let mut transactions: Vec<&String> =
                so_far.iter().chain(&happened).filter(|what| what.contains('→')).collect();
            let all = transactions.len();
            transactions.sort();
            transactions.dedup();
            assert_eq!(transactions.len(), all, "{name}: {so_far:?} {happened:?}");
        }
        self.is_well(expected).await;
    }

    /// Every host runs the version and serves, the lease is free, nothing is left to be done.
    async fn is_well(&self, version: &str) {
        let name = &self.name;
        let expected: Vec<String> = (1..=4).map(|host| format!("web{host} app-{version}.noarch UP")).collect();
        assert_eq!(self.site.fleet.now(), expected, "{name}");
        let state = self.state().await;
        assert!(state.unfinished().is_none(), "{name}");
        assert!(state.unsettled().is_empty() && state.out().is_empty(), "{name}");
    }
}

async fn act(deployer: &Deployer, request: Request) -> Result<Report, DeployError> {
    let who = Identity { who: "ana".to_owned(), from: "test".to_owned() };
    deployer.run(request, who, None, &Answer(true)).await
}

/// Every how many-th moment is tried; all of them where `PKG_EVERY_MOMENT` is set, which takes minutes.
fn stride(stride: usize) -> usize {
    if is_long() { 1 } else { stride }
}

fn is_long() -> bool {
    std::env::var_os("PKG_EVERY_MOMENT").is_some()
}

/// What strikes whom at what.
#[derive(Clone, Copy)]
struct Blow {
    kind: Kind,
    story: Story,
    at: At,
    deed: Deed,
    stride: usize,
}

/// Tries moments at which it can strike, until it no longer does; gives how many there were.
async fn at_moments(blow: Blow, trial: impl AsyncFn(&Trial, Moment, Arc<Fate>)) -> usize {
    let Blow { kind, story, at, deed, .. } = blow;
    for number in (0..).step_by(blow.stride) {
        let sides: &[Side] = match (at, deed) {
            // After one entry is before the next, but where hosts go side by side.
            (At::Entry, _) if !is_long() => &[Side::After],
            (_, Deed::Babble) => &[Side::After],
            _ => &[Side::Before, Side::After],
        };
        for side in sides {
            let moment = Moment { at, number, side: *side };
            let subject = Trial::new(kind, story, format!("{kind:?} {story:?} {moment:?} {deed:?}")).await;
            let fate = Fate::new(moment, deed);
            trial(&subject, moment, Arc::clone(&fate)).await;
            if !fate.has_struck() {
                return number;
            }
        }
    }
    unreachable!("a deployment ends")
}

/// A controller that dies at moments; another finishes it, or takes it back, or dies as well.
async fn dies(kind: Kind, at: At) {
    let every = if at == At::Entry { 1 } else { stride(7) };
    for story in Story::ALL {
        let blow = Blow { kind, story, at, deed: Deed::Still, stride: every };
        let moments = at_moments(blow, async |trial, moment, fate| {
            let way = if moment.number % 2 == 0 { Request::Resume } else { Request::BackOut };
            match trial.run(story.request(), &fate).await {
                None => trial.recover(&way).await,
                Some(end) => drop(end.unwrap()),
            }
        });
        assert!(moments.await > 30);
        if is_long() {
            at_moments(blow, async |trial, moment, fate| {
                let way = if moment.number % 2 == 1 { Request::Resume } else { Request::BackOut };
                if trial.run(story.request(), &fate).await.is_none() {
                    trial.recover(&way).await;
                }
            })
            .await;
        }
        let twice = Blow { stride: stride(9), ..blow };
        at_moments(twice, async |trial, moment, fate| {
            if trial.run(story.request(), &fate).await.is_some() {
                return;
            }
            trial.end_lease(&trial.state().await).await;
            let second = Fate::new(Moment { number: (moment.number * 13 + 5) % 47, ..moment }, Deed::Still);
            let way = if moment.number % 2 == 0 { Request::BackOut } else { Request::Resume };
            if trial.run(way.clone(), &second).await.is_none() {
                trial.recover_after_another(&way).await;
            }
        })
        .await;
    }
}

impl Trial {
    /// As `recover`, after two controllers.
    async fn recover_after_another(&self, way: &Request) {
        let state = self.state().await;
        self.end_lease(&state).await;
        let end = self.run(way.clone(), &Fate::kind()).await.unwrap();
        let takes_back = state.deployments.last().is_some_and(|record| record.backing_out.is_some())
            || matches!(way, Request::BackOut);
        match end {
            Ok(report) if takes_back || self.story == Story::Broken => {
                assert_eq!(report.ending, Ending::RolledBack, "{}", self.name);
                self.is_well(self.story.start()).await;
            }
            Ok(report) => {
                assert_eq!(report.ending, Ending::Done, "{}", self.name);
                self.is_well(self.story.end()).await;
            }
            Err(DeployError::Journal(JournalError::NothingToResume(_))) => {
                let moved = state.deployments.last().and_then(|record| record.ending) == Some(Ending::Done);
                let begun = state.deployments.len() == if self.story == Story::Rollback { 2 } else { 1 };
                self.is_well(if moved && begun { self.story.end() } else { self.story.start() }).await;
            }
            Err(error) => panic!("{}: {error}", self.name),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_while_hosts_roll_is_replaced() {
    dies(Kind::Rolling, At::Entry).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_after_canaries_is_replaced() {
    dies(Kind::Canary, At::Entry).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_between_clusters_is_replaced() {
    dies(Kind::Clusters, At::Entry).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_at_a_script_is_replaced() {
    dies(Kind::Rolling, At::Script).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_at_a_script_for_clusters_is_replaced() {
    dies(Kind::Clusters, At::Script).await;
}

/// One that stood still, and wakes up when another has finished its work.
async fn wakes_up(kind: Kind, at: At) {
    for story in [Story::Deploy, Story::Broken] {
        for way in [Request::Resume, Request::BackOut] {
            let blow = Blow { kind, story, at, deed: Deed::Still, stride: stride(9) };
            at_moments(blow, async |trial, _, fate| {
                let deployer = trial.deployer(&fate);
                let mut asleep = pin!(act(&deployer, story.request()));
                tokio::select! {
                    biased;
                    _ = &mut asleep => return,
                    () = fate.strikes() => {}
                }
                trial.recover(&way).await;
                let known = trial.state().await.position;
                if known.number == 0 {
                    // It had not begun.
                    return;
                }
                fate.wake();
                let end = asleep.await;
                let happened = trial.site.fleet.happened();
                assert!(happened.is_empty(), "{}: {happened:?} {end:?}", trial.name);
                assert_eq!(trial.state().await.position, known, "{}: {end:?}", trial.name);
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_wakes_up_too_late_changes_nothing() {
    wakes_up(Kind::Rolling, At::Entry).await;
    wakes_up(Kind::Rolling, At::Script).await;
}

#[tokio::test(start_paused = true)]
async fn who_wakes_up_too_late_among_clusters_changes_nothing() {
    wakes_up(Kind::Clusters, At::Entry).await;
    wakes_up(Kind::Clusters, At::Script).await;
}

/// A script that gets no answer, or a bad one.
async fn suffers(kind: Kind, deed: Deed) {
    for story in Story::ALL {
        let blow = Blow { kind, story, at: At::Script, deed, stride: stride(11) };
        at_moments(blow, async |trial, _, fate| {
            let end = trial.run(story.request(), &fate).await.unwrap();
            let happened = trial.site.fleet.happened();
            let name = &trial.name;
            match end {
                Ok(Report { ending: Ending::Done, .. }) => trial.is_well(story.end()).await,
                Ok(Report { ending: Ending::RolledBack, .. }) => trial.is_well(story.start()).await,
                Ok(Report { ending: Ending::PartlyChanged, .. }) | Err(DeployError::CutOff { .. }) => {
                    trial.recover_after_another(&Request::Resume).await;
                }
                Ok(Report { ending: Ending::NothingChanged, .. }) | Err(_) => {
                    assert!(happened.is_empty(), "{name}: {happened:?}");
                    trial.is_well(story.start()).await;
                }
                Ok(report) => panic!("{name}: {:?}", report.ending),
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_leaves_nothing_half_done() {
    suffers(Kind::Rolling, Deed::Break).await;
    suffers(Kind::Clusters, Deed::Break).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_lost_is_found_again() {
    suffers(Kind::Rolling, Deed::Cut).await;
    suffers(Kind::Clusters, Deed::Cut).await;
}

#[tokio::test(start_paused = true)]
async fn a_script_that_fails_leaves_nothing_half_done() {
    suffers(Kind::Rolling, Deed::Fail).await;
    suffers(Kind::Clusters, Deed::Fail).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_leaves_nothing_half_done() {
    suffers(Kind::Rolling, Deed::Babble).await;
    suffers(Kind::Clusters, Deed::Babble).await;
}
