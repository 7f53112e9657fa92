//! A fleet in the middle of something, with controllers to which something happens, and what has to be true afterwards.

use std::sync::Arc;

use deployer::{
    Author, DeployError, Deployer, Ending, Entry, Identity, JournalError, JournalState, Report, Request, Tools,
};
use ledger::Ledger;

use crate::fate::{At, Commits, Deed, Fate, FatedLedger, FatedTransport, Moment, Side};
use crate::strategies::{CLUSTERS, site};
use crate::{Answer, Events, Site};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rolling,
    Canary,
    Clusters,
}

/// What is being done when the fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    Deploy,
    Rollback,
    /// A version that is not healthy on one host: everything is taken back.
    Broken,
}

pub(crate) const OLD: &str = "1.0-1";
pub(crate) const NEW: &str = "1.1-1";

impl Story {
    pub(crate) const ALL: [Self; 3] = [Self::Deploy, Self::Rollback, Self::Broken];

    pub(crate) fn request(self) -> Request {
        match self {
            Self::Rollback => Request::Rollback(None),
            Self::Deploy | Self::Broken => Request::Deploy(vec![format!("app-{NEW}").parse().unwrap()]),
        }
    }

    pub(crate) fn start(self) -> &'static str {
        if self == Self::Rollback { NEW } else { OLD }
    }

    /// What runs everywhere in the end, unless it is taken back.
    pub(crate) fn end(self) -> &'static str {
        if self == Self::Deploy { NEW } else { OLD }
    }
}

/// A fleet, its ledger, and what is done.
pub(crate) struct Trial {
    pub(crate) site: Site,
    commits: Commits,
    story: Story,
    pub(crate) name: String,
}

impl Trial {
    pub(crate) async fn new(kind: Kind, story: Story, name: String) -> Self {
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

    pub(crate) fn deployer(&self, fate: &Arc<Fate>) -> Deployer {
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
    pub(crate) async fn run(&self, request: Request, fate: &Arc<Fate>) -> Option<Result<Report, DeployError>> {
        let deployer = self.deployer(fate);
        tokio::select! {
            biased;
            end = act(&deployer, request) => Some(end),
            () = fate.stands_still() => None,
        }
    }

    pub(crate) async fn state(&self) -> JournalState {
        self.deployer(&Fate::kind()).journal().await.unwrap()
    }

    /// Lets the lease of a dead controller end.
    pub(crate) async fn end_lease(&self, state: &JournalState) {
        if let Some(record) = state.unfinished() {
            let entry =
                Entry::Extended { deployment: record.id, until: chrono::Utc::now() - chrono::TimeDelta::seconds(1) };
            let author = Author { who: "ana".to_owned(), from: "test".to_owned(), why: None };
            self.ledger(&Fate::kind()).append(&state.position, author, entry).await.unwrap();
        }
    }

    /// Has another controller finish what is left, or take it back, and sees that all is well.
    pub(crate) async fn recover(&self, way: &Request) {
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
    pub(crate) async fn is_well(&self, version: &str) {
        let name = &self.name;
        let expected: Vec<String> = (1..=4).map(|host| format!("web{host} app-{version}.noarch UP")).collect();
        assert_eq!(self.site.fleet.now(), expected, "{name}");
        let state = self.state().await;
        assert!(state.unfinished().is_none(), "{name}");
        assert!(state.unsettled().is_empty() && state.out().is_empty(), "{name}");
    }

    /// As `recover`, after two controllers.
    pub(crate) async fn recover_after_another(&self, way: &Request) {
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

    /// Keeps the lease by a clock that is ahead, or behind.
    pub(crate) async fn extend_by_clock(&self, minutes: i64) {
        let state = self.state().await;
        let until = chrono::Utc::now() + chrono::TimeDelta::minutes(minutes);
        let entry = Entry::Extended { deployment: state.unfinished().unwrap().id, until };
        let author = Author { who: "ben".to_owned(), from: "test".to_owned(), why: None };
        self.ledger(&Fate::kind()).append(&state.position, author, entry).await.unwrap();
    }

    pub(crate) async fn beats_by_clock(&self, minutes: i64) {
        loop {
            tokio::time::sleep(deployer::LEASE / 3).await;
            self.extend_by_clock(minutes).await;
        }
    }

    /// One whose controller stands still in the middle.
    pub(crate) async fn in_the_middle() -> (Self, Arc<Fate>) {
        let trial = Self::new(Kind::Rolling, Story::Deploy, "clocks".to_owned()).await;
        let fate = Fate::new(Moment { at: At::Entry, number: 30, side: Side::After }, Deed::Still);
        (trial, fate)
    }
}

pub(crate) async fn act(deployer: &Deployer, request: Request) -> Result<Report, DeployError> {
    let who = Identity { who: "ana".to_owned(), from: "test".to_owned() };
    deployer.run(request, who, None, &Answer(true)).await
}
